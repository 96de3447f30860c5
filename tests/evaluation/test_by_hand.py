"""Protocols whose originals were not run: compared with loops written out by hand."""

from itertools import permutations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from avloc.evaluation.canvas import Canvas
from avloc.evaluation.dense import DENSEAV, Pool
from avloc.evaluation.duet import DUET
from avloc.evaluation.field import Field, View
from avloc.evaluation.kernels import enlarge
from avloc.evaluation.metrics import auroc, average_precision
from avloc.evaluation.own import OWN, best, pixel_ap
from avloc.evaluation.scores import best_pixels
from avloc.evaluation.truth import Truth, rasterise

RNG = np.random.default_rng(3)


def precision_by_hand(values, inside) -> float:
    """Precision at each distinct value, weighted by the recall that it adds."""
    total, found, there = 0.0, 0, inside.sum()
    for value in sorted(set(values.tolist()), reverse=True):
        called = values >= value
        hits = (called & inside).sum()
        total += hits / called.sum() * (hits - found) / there
        found = hits
    return total


def stepped(size=(224, 224), levels=40) -> np.ndarray:
    """A map of few distinct values, so that loops end."""
    return (RNG.integers(0, levels, size) / levels).astype(np.float32)


def box_truth(number=0) -> Truth:
    return rasterise([[0.1, 0.1 * number, 0.6, 0.1 * number + 0.5]])


def test_pixel_ap():
    values, truth = stepped(), box_truth()
    found = pixel_ap(View(Field(values)), truth.inside)
    expected = precision_by_hand(values.ravel(), truth.inside.ravel())
    assert found == pytest.approx(expected, abs=1e-9)


def test_pixel_ap_of_a_constant_map_is_the_share_of_the_truth():
    view = View(Field(np.full((224, 224), np.float32(0.5))))
    assert pixel_ap(view, box_truth().inside) == box_truth().pixels / 224**2
    assert pixel_ap(view, np.zeros((224, 224), bool)) == 0


@pytest.mark.parametrize("count", [0, 1, 1000, 25_088, 224 * 224])
def test_best_pixels(count):
    values = stepped()
    assert np.array_equal(best(View(Field(values)), count), best_pixels(values, count))
    small = np.maximum(RNG.standard_normal((7, 7)), 0).astype(np.float32)
    view = Canvas(small).view("opencv-linear")
    assert np.array_equal(best(view, count), best_pixels(view.values, count))


def test_denseav():
    """AP and the best of 20 thresholds over the pixels of each class."""
    maps = [stepped(levels=11) * 3 - 1 for _ in range(5)]
    truths = [box_truth(number) for number in range(5)]
    labels = ["cat", "dog", "cat", "dog", "dog"]
    rows = [DENSEAV.score(*given) for given in zip(maps, truths, labels, strict=True)]
    ap, iou = [], []
    for label in ("cat", "dog"):
        of_class = [k for k in range(5) if labels[k] == label]
        pooled = np.array([maps[k] for k in of_class])
        inside = np.array([truths[k].inside for k in of_class])
        low, high = pooled.min(), pooled.max()
        unit = (pooled - low) / (high - low)
        ap.append(precision_by_hand(unit.ravel(), inside.ravel()))
        shares = []
        for step in np.linspace(0, 1, 20):
            called = unit > np.float32(step)
            shares.append((called & inside).sum() / (called | inside).sum())
        iou.append(max(shares))
    found = DENSEAV.summarise(rows)
    assert found["map"] == pytest.approx(np.mean(ap), abs=1e-9)
    assert found["miou"] == pytest.approx(np.mean(iou), abs=1e-9)


def test_denseav_pools_large_classes_into_levels():
    exact, rough = Pool(exact=True), Pool(exact=False)
    for number in range(3):
        values = RNG.random(224 * 224).astype(np.float32)
        inside = values > RNG.random(224 * 224) + 0.1 * number
        exact.add(values, inside)
        rough.add(values, inside)
    assert rough.ap() == pytest.approx(exact.ap(), abs=1e-4)
    assert rough.best_iou() == exact.best_iou()


def test_duet():
    """Two sources a picture: the own truth for CAP, the best order of the maps for PIAP."""
    maps = RNG.standard_normal((6, 7, 7)).astype(np.float32)
    truths = [box_truth(number) for number in range(6)]
    groups = ["a", "a", "b", "b", "c", "c"]
    rows = [
        DUET.score(Canvas(values), dict(enumerate(truths)), number, group)
        for number, (values, group) in enumerate(zip(maps, groups, strict=True))
    ]
    own, matched, ciou = [], [], []
    heats = [enlarge(values, "opencv-cubic", (224, 224)) for values in maps]
    for heat, truth in zip(heats, truths, strict=True):
        predicted = heat > np.sort(heat.ravel())[25_088]
        false = (predicted & ~truth.inside).sum()
        ciou.append((predicted & truth.inside).sum() / (truth.inside.sum() + false))
    for first in (0, 2, 4):
        table = np.array(
            [
                [pixel_ap(View(Field(heats[first + i])), truths[first + j].inside) for j in (0, 1)]
                for i in (0, 1)
            ]
        )
        own += [table[0, 0], table[1, 1]]
        matched.append(max(sum(table[i, o[i]] for i in (0, 1)) for o in permutations((0, 1))) / 2)
    found = DUET.summarise(rows)
    assert found["cap"] == pytest.approx(np.mean(own), abs=2e-3)
    assert found["piap"] == pytest.approx(np.mean(matched), abs=2e-3)
    assert found["ciou_03"] == np.mean(np.array(ciou) >= 0.3)
    assert found["piap"] >= found["cap"]


def test_own_protocol():
    values = RNG.standard_normal((14, 14)).astype(np.float32)
    truth = box_truth()
    heat = enlarge(values, "opencv-linear", (224, 224))

    def ciou(predicted):
        hit = (predicted & truth.inside).sum()
        return hit / (truth.pixels + (predicted & ~truth.inside).sum())

    found = OWN.score(Canvas(values), truth).values
    assert found["ciou"] == ciou(best_pixels(heat, 25_088))
    assert found["true_size"] == ciou(best_pixels(heat, truth.pixels))
    assert found["iou"] == ciou(heat >= 0.5)
    assert found["confidence"] == heat.max()


def test_auroc():
    values, positive = np.array([0.1, 0.4, 0.4, 0.8]), np.array([False, True, False, True])
    assert auroc(values, positive, np.ones((1, 4))).tolist() == [3.5 / 4]


def test_auroc_of_items_that_stand_several_times():
    rng = np.random.default_rng(0)
    values, positive = np.round(rng.random(60), 1), rng.random(60) < 0.4
    times = rng.integers(0, 4, (5, 60))
    expected = [roc_auc_score(positive, values, sample_weight=row) for row in times]
    assert auroc(values, positive, times) == pytest.approx(np.array(expected))
    assert np.isnan(auroc(values, positive, times * positive)).all()


def test_average_precision_of_levels():
    rng = np.random.default_rng(0)
    level, inside = rng.integers(0, 30, 5000), rng.random(5000) < 0.3
    called, hits = (np.bincount(part, minlength=30) for part in (level, level[inside]))
    assert average_precision(called, hits) == pytest.approx(average_precision_score(inside, level))
    assert average_precision(called, 0 * hits) == 0
