"""ACL-SSL's search for the best threshold."""

from dataclasses import replace

import numpy as np
import pytest

from avloc.evaluation.metrics import summary
from avloc.evaluation.search import ACL, THRESHOLDS

LISTS = ("vggss", "flickr")


def table(goldens, name):
    heats, truths = goldens.canvases(name, "cos"), goldens.truths(name)
    return [ACL.score(heat, truth) for heat, truth in zip(heats, truths, strict=True)]


@pytest.mark.parametrize("name", LISTS)
def test_every_threshold(goldens, name):
    golden = goldens.read("acl.json")["sets"][name]
    found = np.array(table(goldens, name))
    rows = goldens.rows(golden["samples"])
    for number, row in enumerate(golden["per_threshold"]):
        expected = [item[f"ciou@{THRESHOLDS[number]:g}"] for item in rows]
        assert found[:, number] == pytest.approx(expected, abs=1e-9, nan_ok=True)
        ours = summary(found[:, number])
        assert 100 * ours["ciou"] == pytest.approx(row["cIoU"], abs=1e-9)
        assert 100 * ours["auc"] == pytest.approx(row["AUC"], abs=1e-9)
        mean = float(row["mean_ciou"])
        assert ours["mean_ciou"] == pytest.approx(mean, abs=1e-9, nan_ok=True)


@pytest.mark.parametrize("name", LISTS)
def test_the_best_threshold(goldens, name):
    golden = goldens.read("acl.json")["sets"][name]
    found = ACL.summarise(table(goldens, name))
    best = max(golden["per_threshold"], key=lambda row: row["AUC"])
    assert 100 * found["auc"] == pytest.approx(golden["best_AUC"], abs=1e-9)
    assert 100 * found["ciou"] == pytest.approx(best["cIoU"], abs=1e-9)
    assert found["threshold"] == pytest.approx(best["thr"])


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("batch", [1, 4])
def test_without_threshold_the_first_of_a_batch_sets_it(goldens, name, batch):
    """A branch of the original: the median of one map cuts all of its batch."""
    golden = goldens.read("acl.json")["sets"][name]
    heats = [
        heat.view(ACL.kernel, ACL.scale).normal(ACL.normal)
        for heat in goldens.canvases(name, "cos")
    ]
    truths = goldens.truths(name)
    for number, row in enumerate(goldens.rows(golden["samples"])):
        at = heats[number - number % batch].rank(224 * 112)
        found = truths[number].ciou(heats[number].values >= at)
        assert found == pytest.approx(row[f"ciou_thrNone_batch{batch}"], abs=1e-9, nan_ok=True)


@pytest.mark.parametrize("name", LISTS)
def test_with_negatives(goldens, name):
    golden = goldens.read("acl.json")["sets"][f"ex{name}"]
    scores = [*table(goldens, name), *[np.zeros(19)] * 40]
    area = np.array([truth.area for truth in goldens.truths(name)] + [0] * 40)
    visible = np.arange(100) < 60
    found = ACL.detections(scores, visible, np.array(golden["conf"]), area)
    for ours, row in zip(found, golden["per_threshold"], strict=True):
        stats = row["stats"]
        assert ours.ap() == pytest.approx(stats["eap"], abs=1e-9)
        assert max(ours.f1()) == pytest.approx(stats["ef1"], abs=1e-9)
        assert ours.precision() == pytest.approx(stats["Precision-all@50"], abs=1e-9)
        assert ours.auc() == pytest.approx(stats["AUC-all@50"], abs=1e-9)


def test_one_threshold_needs_no_search(goldens):
    heat, truth = goldens.canvases("vggss", "cos")[0], goldens.truths("vggss")[0]
    whole = ACL.score(heat, truth)
    assert replace(ACL, thresholds=(0.5,)).score(heat, truth).tolist() == [whole[9]]
