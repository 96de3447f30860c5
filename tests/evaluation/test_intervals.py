"""Intervals against SciPy's bootstrap, and what units are for."""

import numpy as np
import pytest
from scipy.stats import bootstrap

from avloc.evaluation.intervals import averages, intervals, recounted


def mean_of(values, units):
    return intervals([averages({"a": values}, units)])["a"]


def names(count):
    return [str(number) for number in range(count)]


def test_agrees_with_scipy():
    rng = np.random.default_rng(0)
    values = rng.random(300) ** 2
    found = mean_of(values, names(300))
    theirs = bootstrap((values,), np.mean, method="percentile", rng=rng).confidence_interval
    assert found.mean == pytest.approx(values.mean())
    assert (found.low, found.high) == pytest.approx(tuple(theirs), abs=0.004)


def test_numbers_that_are_no_means_agree_with_scipy():
    rng = np.random.default_rng(2)
    values = rng.random(200)

    def deviation(times):
        """The standard deviation of each list, from how often each value stands in it."""
        total = times.sum(1)
        mean = times @ values / total
        return {"a": np.sqrt(times @ values**2 / total - mean**2)}

    found = intervals([recounted(deviation, names(200))])["a"]
    theirs = bootstrap((values,), np.std, method="percentile", rng=rng).confidence_interval
    assert found.mean == pytest.approx(values.std())
    assert (found.low, found.high) == pytest.approx(tuple(theirs), abs=0.002)


def test_copies_in_one_unit_make_nothing_surer():
    rng = np.random.default_rng(1)
    values = rng.random(100)
    once = mean_of(values, names(100))
    units = [name for name in names(100) for _ in range(4)]
    four = mean_of(np.repeat(values, 4), units)
    alone = mean_of(np.repeat(values, 4), names(400))
    assert four == pytest.approx(once)
    assert alone.high - alone.low < 0.6 * (once.high - once.low)


def test_is_the_same_each_time():
    values = np.random.default_rng(1).random(50)
    assert mean_of(values, names(50)) == mean_of(values, names(50))
    once = recounted(lambda times: {"a": times @ values / times.sum(1)}, names(50))
    assert intervals([once])["a"] == pytest.approx(mean_of(values, names(50)))


def test_of_one_unit_there_is_none():
    found = mean_of(np.array([0.5, 0.7]), ["a", "a"])
    assert found.mean == pytest.approx(0.6)
    assert np.isnan([found.low, found.high]).all()
    assert intervals([averages({"a": np.zeros(0)}, [])]) == {}


@pytest.mark.parametrize(("share", "there"), [(0.2, True), (0.95, False)])
def test_undefined_draws(share, there):
    """An interval needs most of the lists."""
    rng = np.random.default_rng(0)

    def sometimes(times):
        return {"a": np.where(rng.random(len(times)) < share, np.nan, times.mean(1))}

    found = intervals([recounted(sometimes, names(9))])["a"]
    assert np.isfinite(found.low) == there


def test_mean_of_batches_stays_a_share():
    """A short last batch weighs as much as a full one, and resamples of it are means too."""
    from avloc.evaluation.judges.segmentation import SegmentationJudge
    from avloc.evaluation.segmentation import SEGMENTATION, Frame

    judge = SegmentationJudge(SEGMENTATION["avsbench"])
    entries = [
        (Frame(np.float32(value), None), str(k)) for k, value in enumerate([1, 1, 1, 1, 0, 1])
    ]
    found = intervals(judge.statistics(entries))["miou"]
    assert found.mean == pytest.approx(judge.summarise(entries)["miou"])
    assert found.mean == pytest.approx(0.9)
    assert 0 <= found.low < found.high <= 1
