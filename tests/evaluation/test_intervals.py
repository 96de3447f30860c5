"""Intervals against SciPy's bootstrap, and what units are for."""

import numpy as np
import pytest
from scipy.stats import bootstrap

from avloc.evaluation.intervals import intervals


def test_agrees_with_scipy():
    rng = np.random.default_rng(0)
    values = rng.random(300) ** 2
    found = intervals({"a": (values, [str(n) for n in range(300)])})["a"]
    theirs = bootstrap((values,), np.mean, method="percentile", rng=rng).confidence_interval
    assert found.mean == pytest.approx(values.mean())
    assert (found.low, found.high) == pytest.approx(tuple(theirs), abs=0.004)


def test_copies_in_one_unit_make_nothing_surer():
    rng = np.random.default_rng(1)
    values = rng.random(100)
    once = intervals({"a": (values, [str(n) for n in range(100)])})["a"]
    units = [str(n) for n in range(100) for _ in range(4)]
    four = intervals({"a": (np.repeat(values, 4), units)})["a"]
    alone = intervals({"a": (np.repeat(values, 4), [str(n) for n in range(400)])})["a"]
    assert four == pytest.approx(once)
    assert alone.high - alone.low < 0.6 * (once.high - once.low)


def test_one_item_and_none():
    assert intervals({"a": (np.array([0.25]), ["x"])})["a"] == (0.25, 0.25, 0.25)
    assert intervals({"a": (np.zeros(0), [])}) == {}
