"""Confidence: what it is read from and its logistic curve."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avloc.models.confidence import SILENT, confidence, traits

CALIBRATION = {"weights": [2.0, 3.0, 1.0], "bias": -1.5}


def test_traits_are_top_spread_and_strength():
    values = np.arange(40, dtype=np.float32).reshape(5, 8) / 40
    np.random.default_rng(0).shuffle(values)
    top = (36 + 37 + 38 + 39) / 4 / 40
    np.testing.assert_allclose(traits(values, 0.99), [top, top - 19.5 / 40, 0.0], atol=1e-6)


def test_a_map_of_few_cells_has_a_top():
    np.testing.assert_allclose(traits(np.array([[0.25]]), 0.0), [0.25, 0.0, np.log(0.01)])


def test_the_curve_is_logistic():
    observed = np.array([0.5, 0.25, 0.75])
    score = 2 * 0.5 + 3 * 0.25 + 0.75 - 1.5
    expected = 1 / (1 + np.exp(-score))
    assert confidence(observed, 0.1, CALIBRATION) == pytest.approx(expected)


@pytest.mark.parametrize("level", [0.0, SILENT * 0.99])
def test_silence_is_no_evidence(level):
    assert confidence(np.ones(3), level, CALIBRATION) == 0.0
    assert confidence(np.ones(3), SILENT, CALIBRATION) > 0.9


@given(st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=3), st.floats(SILENT, 1))
def test_it_is_a_probability(observed, level):
    assert 0.0 <= confidence(np.array(observed), level, CALIBRATION) <= 1.0
