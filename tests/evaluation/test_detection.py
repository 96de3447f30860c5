"""SLAVC's protocols: masks, confidences, and items ranked by confidence."""

from dataclasses import replace

import numpy as np
import pytest

from avloc.evaluation.canvas import Canvas
from avloc.evaluation.detection import Detections, Ranked
from avloc.evaluation.protocols import PROTOCOLS, Fusion
from avloc.evaluation.scoring import detections, score, summarise
from avloc.evaluation.truth import rasterise

SIZES = ("all", "visible", "small", "medium", "large", "huge")
VIEWS = {"": "av", "objects_": "obj", "ogl_": "av_obj"}


def precision_recall(found: Detections, confidence: float) -> tuple[float, float]:
    once = np.ones(len(found.ciou), int)
    precision, recall = Ranked([found]).curve(once, np.array([confidence]))
    return precision.item(), recall.item()


def number(value) -> float:
    return float(value)


def same_statistics(found: Detections, golden):
    """Everything that the original prints about a list."""
    for size in SIZES:
        part = found if size == "all" else found.of_size(size)
        for at in (50, 75):
            key, near = f"{size}@{at}", {"abs": 1e-9, "nan_ok": True}
            assert part.precision(at / 100) == pytest.approx(
                number(golden["Precision-" + key]), **near
            )
            assert part.ap(at / 100) == pytest.approx(number(golden["AP-" + key]), **near)
            assert part.auc() == pytest.approx(number(golden["AUC-" + key]), **near)
            f1 = " ".join(f"{100 * value:.1f}" for value in part.f1(at / 100)) or "nan"
            assert f1 == golden["F1-" + key]


@pytest.mark.parametrize("count", [57, 200, 450, 1013])
def test_lists(goldens, count):
    """The original's evaluator, fed with lists."""
    golden = goldens.read("slavc.json")["sets"][f"direct_lists_N{count}"]
    fields = (np.array(golden[key]) for key in ("bb", "ciou", "conf", "area"))
    boxes, ciou, confidence, area = fields
    found = Detections(boxes > 0, ciou, confidence, area)
    same_statistics(found, golden["finalize_stats"])
    assert found.f1() == pytest.approx(golden["f1_list_full_precision_all50"], abs=1e-12)
    for threshold, *both in golden["pr_at_thresholds"]:
        assert precision_recall(found, threshold) == pytest.approx(both)


def run(goldens, protocol, name, silent):
    """The scores of a golden list; `silent` adds as many maps of sounds from elsewhere."""
    scores = [
        score(protocol, *given)
        for given in zip(
            goldens.canvases(name, "logit"),
            goldens.truths(name),
            goldens.canvases(name, "obj"),
            strict=True,
        )
    ]
    if silent:
        nothing = rasterise(np.zeros((0, 4)))
        for item in goldens.items(name):
            heat = goldens.array("neg_offscreen", item["map"]) / np.float32(0.03)
            objects = Canvas(goldens.array("obj", item["map"]))
            scores.append(score(protocol, Canvas(heat), nothing, objects))
    return scores


@pytest.mark.parametrize("name", ["vggss", "flickr"])
@pytest.mark.parametrize("relative", [False, True])
@pytest.mark.parametrize(("silent", "share"), [(False, 0.4), (False, 0.9), (True, 0.9)])
def test_slavc(goldens, agree, name, relative, silent, share):
    list_name = f"{name}_plus_silent" if silent else name
    golden = goldens.read("slavc.json")["sets"][f"{list_name}|alpha={share}|relative={relative}"]
    protocol = PROTOCOLS["slavc" if relative else "slavc-absolute"]
    fusion = replace(protocol.fusion, share=share)
    protocol = replace(protocol, fusion=fusion)
    scores = run(goldens, protocol, name, silent)
    for before, view in VIEWS.items():
        found = detections(scores, before)
        same_statistics(found, golden["stats"][view]["finalize_stats"])
        assert max(found.f1()) == pytest.approx(golden["stats"][view]["max_f1_all50"], abs=1e-12)
        if "samples" in golden:
            table = golden["samples"][view]
            at = table["columns"].index("conf")
            first = len(scores) - len(table["rows"])  # with negatives only theirs are stored
            assert found.confidence[first:].tolist() == [row[at] for row in table["rows"]]
            if not silent:
                views = [
                    protocol.views(*pair)[before.rstrip("_")]
                    for pair in zip(
                        goldens.canvases(name, "logit"), goldens.canvases(name, "obj"), strict=True
                    )
                ]
                agree(table, [protocol.predict(view) for view in views], goldens.truths(name))


@pytest.mark.parametrize("name", ["vggss", "flickr"])
def test_training_validation(goldens, name):
    """SLAVC's train.py: another kernel, relative, and F1 at one confidence."""
    golden = goldens.read("slavc.json")["sets"][f"{name}|train.validate"]
    protocol = replace(PROTOCOLS["slavc"], kernel="torch-bicubic")
    found = detections(run(goldens, protocol, name, silent=False))
    precision, recall = precision_recall(found, 0.5)
    ours = [
        np.mean(found.ciou > 0.5),  # strictly, here only
        found.ap(),
        2 * precision * recall / (precision + recall),
    ]
    assert ours == pytest.approx(golden["returned_precision_ap_f1"], abs=1e-12)


def test_summary_has_the_numbers_of_the_paper(goldens):
    golden = goldens.read("slavc.json")["sets"]["vggss_plus_silent|alpha=0.9|relative=True"]
    protocol = PROTOCOLS["slavc-extended"]
    assert protocol.fusion == Fusion(0.9, "objects-fixed", "none")
    found = summarise(protocol, run(goldens, protocol, "vggss", silent=True))
    stats = golden["stats"]["av"]
    assert found["ap"] == pytest.approx(stats["finalize_stats"]["AP-all@50"], abs=1e-12)
    assert found["max_f1"] == pytest.approx(stats["max_f1_all50"], abs=1e-12)
    assert found["loc_acc"] == stats["finalize_stats"]["Precision-visible@50"]


@pytest.mark.parametrize("count", [1, 2, 30, 700])
def test_items_that_stand_several_times(count):
    """A list that is counted is the list written out, ties in confidence and all."""
    rng = np.random.default_rng(1)
    visible, ciou = rng.random(count) < 0.6, rng.random((2, count))
    confidence, area = np.round(rng.random(count), 2), np.ones(count)
    ranked = Ranked([Detections(visible, one, confidence, area) for one in ciou])
    for _ in range(5):
        times = rng.multinomial(count, [1 / count] * count)
        fields = [np.repeat(field, times) for field in (visible, confidence, area)]
        written = [Detections(fields[0], np.repeat(one, times), *fields[1:]) for one in ciou]
        counted = ranked.resampled(times[None])
        assert counted["ap"][0] == pytest.approx(max(one.ap() for one in written), abs=1e-12)
        expected = max(max(one.f1()) for one in written)
        assert counted["max_f1"][0] == pytest.approx(expected, abs=1e-12)
