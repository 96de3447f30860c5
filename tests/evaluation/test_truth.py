"""Boxes as pixels."""

import numpy as np
import pytest

from avloc.evaluation.truth import Truth, rasterise


def test_union_rounds_down_and_clips():
    truth = rasterise([[-2.88e16, 0.5, 0.25, 1.7], [0.999, 0.0, 1.0, 0.01]])
    expected = np.zeros((224, 224))
    expected[112:, :56] = 1
    expected[0:2, 223:] = 1
    assert np.array_equal(truth.weight, expected)
    assert truth.area == expected.sum()
    assert truth.half is None


def test_votes_of_annotators():
    boxes = [[0, 0, 128, 256], [64, 0, 192, 256], [64, 0, 128, 128]]
    truth = rasterise(boxes, (256, 256), votes=True)
    assert truth.weight[0, [0, 55, 56, 111, 112, 167, 168]].tolist() == [
        0.5,
        0.5,
        1,
        1,
        0.5,
        0.5,
        0,
    ]
    assert truth.half.sum() == 2 * 56 * 224


def test_pixels_of_another_scale_round_as_integers_do():
    for value in range(257):
        truth = rasterise([[0, 0, value, 256]], (256, 256))
        assert truth.inside[0].sum() == int(224 * value / 256)


def test_zero_area_is_empty():
    truth = rasterise([[0.5, 0.5, 0.5, 0.5]])
    assert (truth.area, truth.boxes) == (0, 1)


def test_ciou_against_the_formula():
    rng = np.random.default_rng(0)
    for _ in range(20):
        weight = rng.choice([0, 0.5, 1], (224, 224)).astype(np.float32)
        mask = rng.random((224, 224)) < rng.random()
        expected = np.sum(mask * weight) / (np.sum(weight) + np.sum(mask * (weight == 0)))
        assert Truth(weight > 0, weight == 0.5).ciou(mask) == pytest.approx(expected, abs=1e-12)


def test_nothing_against_nothing_is_undefined():
    assert np.isnan(rasterise(np.zeros((0, 4))).ciou(np.zeros((224, 224), bool)))
