"""Scores against hand loops, SciPy's bootstrap and SciPy's binomial."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from avloc.evaluation.baselines import centre, whole
from avloc.evaluation.scores import (
    best_pixels,
    bootstrap,
    box_mask,
    ciou,
    median_rule,
    sign_test,
    true_size,
)

masks = hnp.arrays(bool, (5, 6))


@given(masks, masks)
def test_ciou_is_the_loop(predicted, truth):
    hit = covered = false = 0
    for y in range(5):
        for x in range(6):
            covered += truth[y, x]
            hit += truth[y, x] and predicted[y, x]
            false += predicted[y, x] and not truth[y, x]
    expected = hit / (covered + false) if covered + false else 0
    assert ciou(predicted, truth) == pytest.approx(expected)


@given(
    hnp.arrays(np.float32, (4, 7), elements=st.integers(-3, 3).map(np.float32)),
    st.integers(0, 28),
)
def test_best_pixels_are_exactly_so_many(values, count):
    chosen = best_pixels(values, count)
    assert chosen.shape == values.shape
    assert chosen.sum() == count
    if 0 < count < 28:
        assert values[chosen].min() >= values[~chosen].max()
        # Among equal ones the first: no chosen pixel of the last value follows one left out.
        edge = values[chosen].min()
        ties = chosen[values == edge]
        assert not np.any(~ties[:-1] & ties[1:])


def test_box_mask_is_the_union():
    mask = box_mask(np.array([[0.0, 0.5, 0.25, 1.0], [0.1, 0.5, 0.5, 0.75]]), (8, 8))
    hand = np.zeros((8, 8), bool)
    hand[4:8, 0:2] = True
    hand[4:6, 0:4] = True
    np.testing.assert_array_equal(mask, hand)
    assert box_mask(np.array([[-0.1, 0, 1.0002, 1]])).all()
    assert not box_mask(np.zeros((0, 4))).any()


def test_a_perfect_map_under_both_rules():
    truth = box_mask(np.array([[0.25, 0.25, 0.5, 0.5]]), (40, 40))
    values = truth.astype(np.float32)
    assert true_size(values, truth) == 1
    assert median_rule(values, truth) == pytest.approx(truth.mean() / 0.5)
    assert true_size(-values, truth) == 0


@given(hnp.arrays(np.float64, (6, 6), elements=st.floats(-1, 1)), st.floats(0.1, 10))
def test_scores_do_not_depend_on_scale(values, factor):
    truth = box_mask(np.array([[0.0, 0.0, 0.5, 0.5]]), (6, 6))
    # A power of two, so that no two values become equal.
    factor = 2.0 ** round(factor)
    assert true_size(values * factor, truth) == true_size(values, truth)


def test_the_interval_is_scipys():
    samples = np.random.default_rng(0).beta(2, 3, 41)
    ours = bootstrap(samples)
    theirs = stats.bootstrap(
        (samples,), np.mean, method="percentile", n_resamples=10_000, rng=np.random.default_rng(5)
    ).confidence_interval
    assert ours.mean == pytest.approx(samples.mean())
    assert ours.low == pytest.approx(theirs.low, abs=0.006)
    assert ours.high == pytest.approx(theirs.high, abs=0.006)
    assert bootstrap(samples) == ours
    assert bootstrap(samples, seed=1) != ours


def test_yes_and_no_have_a_mean():
    assert bootstrap(np.array([True, False, True, True])).mean == 0.75


@pytest.mark.parametrize(("above", "below", "equal"), [(9, 1, 3), (5, 5, 0), (0, 6, 1), (1, 0, 0)])
def test_sign_test_is_a_binomial(above, below, equal):
    differences = np.array([0.1] * above + [-0.5] * below + [0.0] * equal)
    n, k = above + below, min(above, below)
    tail = sum(stats.binom.pmf(i, n, 0.5) for i in range(k + 1))
    assert sign_test(differences) == pytest.approx(min(1.0, 2 * tail))


def test_sign_test_of_no_difference():
    assert sign_test(np.zeros(5)) == 1.0


def test_baselines():
    disc = best_pixels(centre((40, 60)), 40 * 60 // 4)
    assert disc[20, 30]
    np.testing.assert_array_equal(disc, disc[::-1, ::-1])
    # Close to the middle in fractions of the picture: round when it is drawn square.
    assert disc[20].mean() == pytest.approx(disc[:, 30].mean(), abs=0.06)
    assert not whole((3, 4)).any()
    assert whole((3, 4)).shape == (3, 4)
