"""AVSBench's measures, and ACL-SSL's version of them."""

from dataclasses import replace

import numpy as np
import pytest

from avloc.evaluation.segmentation import (
    SEGMENTATION,
    SegmentationProtocol,
    batch_iou,
    best_f,
    single_mean,
    thresholds,
)

AVSBENCH = SEGMENTATION["avsbench"]
ACL = SegmentationProtocol("acl", "", "cosine", "torch-bicubic", "unit")


def frames(goldens, protocol, kind):
    return [
        protocol.score(heat, truth)
        for heat, truth in zip(
            goldens.canvases("vggss", kind), goldens.truths("vggss"), strict=True
        )
    ]


class TestAVSBench:
    def test_thresholds_are_those_of_torch(self):
        torch = pytest.importorskip("torch")
        assert np.array_equal(thresholds(), torch.linspace(0, 1 - 1e-10, 255).numpy())

    def test_frames(self, goldens):
        table = goldens.read("avsbench.json")["samples"]
        for row, frame in zip(goldens.rows(table), frames(goldens, AVSBENCH, "logit"), strict=True):
            assert float(frame.iou) == row["iou"], row["map"]
            best = 0.0 if frame.curve is None else float(frame.curve.max())
            assert best == row["F_max"], row["map"]

    @pytest.mark.parametrize("size", [1, 5, 20, 60])
    def test_batches(self, goldens, size):
        golden = goldens.read("avsbench.json")["final"][f"batch{size}"]
        found = frames(goldens, AVSBENCH, "logit")
        parts = [found[k : k + size] for k in range(0, len(found), size)]
        assert [[float(batch_iou(part)), best_f(part)] for part in parts] == golden["batches"]
        numbers = replace(AVSBENCH, batch=size).summarise(found)
        assert numbers["miou"] == pytest.approx(golden["miou"], abs=1e-9)
        assert numbers["f_score"] == pytest.approx(golden["F_score"], abs=1e-9)

    def test_the_whole_set_is_one_batch(self, goldens):
        golden = goldens.read("avsbench.json")["final"]["batch60"]
        protocol = SEGMENTATION["avsbench-whole-set"]
        numbers = protocol.summarise(frames(goldens, protocol, "logit"))
        assert numbers["f_score"] == pytest.approx(golden["F_score"], abs=1e-9)


def test_acl_on_masks(goldens):
    """mIoU of every threshold in batches of 5 and 1; F over the whole set, whatever the batches."""
    golden = goldens.read("acl.json")["sets"]["avsbench"]
    for name, size in (("batch5", 5), ("batch1", 1)):
        for row in golden[name]:
            found = frames(goldens, replace(ACL, threshold=row["thr"]), "cos")
            parts = [found[k : k + size] for k in range(0, len(found), size)]
            means = [np.float32(single_mean([frame.iou for frame in part])) for part in parts]
            assert [float(value) for value in means] == row["batch_miou"]
            assert 100 * np.float32(np.mean(means)) == pytest.approx(row["mIoU"], abs=1e-9)
            if row is golden[name][0]:  # the same under every threshold
                whole = np.float32(best_f(found)) * np.float32(100)
                assert float(whole) == pytest.approx(row["Fmeasure"], abs=1e-9)


def test_f_against_a_loop():
    """F of one frame, threshold by threshold, in double precision."""
    from avloc.evaluation.field import Field
    from avloc.evaluation.segmentation import f_curve

    rng = np.random.default_rng(0)
    values = np.round(rng.random((224, 224)), 2).astype(np.float32)
    inside = rng.random((224, 224)) < values / 2
    expected = []
    for at in thresholds():
        called = values >= at
        precision = (called & inside).sum() / (called.sum() + 1e-20)
        recall = (called & inside).sum() / inside.sum()
        both = 0.3 * precision + recall
        expected.append(1.3 * precision * recall / both if both else 0)
    assert f_curve(Field(values), inside) == pytest.approx(np.array(expected), abs=1e-6)
