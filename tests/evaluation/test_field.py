"""What views answer is what sorting and normalising every pixel gives."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avloc.evaluation.canvas import Canvas
from avloc.evaluation.field import Field, Order, View
from avloc.evaluation.kernels import enlarge

SIZE = (224, 224)
MADE = {
    "noise": lambda rng, n: rng.standard_normal((n, n)),
    "sparse": lambda rng, n: np.maximum(rng.standard_normal((n, n)), 0),
    "steps": lambda rng, n: rng.integers(0, 3, (n, n)) / 4,
    "constant": lambda rng, n: np.full((n, n), 0.25),
    "zero": lambda rng, n: np.zeros((n, n)),
    "one hot": lambda rng, n: np.eye(1, n * n, 7).reshape(n, n),
    "tiny": lambda rng, n: 1e-30 * rng.standard_normal((n, n)),
    "far from zero": lambda rng, n: 1000 + 1e-3 * rng.standard_normal((n, n)),
}
NORMALS = (
    (),
    ("range",),
    ("range-negated",),
    ("cosine-fixed",),
    ("cosine-fixed", "range"),
    ("unit",),
    ("sigmoid",),
)


@pytest.mark.parametrize("kind", MADE)
@pytest.mark.parametrize("normals", NORMALS)
def test_every_answer(kind, normals):
    values = MADE[kind](np.random.default_rng(7), 14).astype(np.float32)
    raw = enlarge(values, "opencv-linear", SIZE)
    view = View(Field(raw), normals)
    # Every rule keeps the order, so normalised values in order are the normalised ordered ones.
    ordered = np.sort(view.values, axis=None)
    assert (view.low, view.high) == (ordered[0], ordered[-1])
    for k in (25_088, 0, 50_175, 12_345, 37_632):
        assert view.rank(k) == ordered[k]
        assert np.array_equal(view.above_rank(k, strict=True), view.values > ordered[k])
        assert np.array_equal(view.above_rank(k, strict=False), view.values >= ordered[k])
    halves = np.random.default_rng(0).integers(0, 3, SIZE).astype(np.uint8)
    for at in (ordered[0], ordered[25_088], np.float32(0.25)):
        tally = view.tally(at, halves)
        for found, mask in ((tally.above, view.values > at), (tally.reached, view.values >= at)):
            hits = halves[mask]
            assert found == (mask.sum(), np.count_nonzero(hits), hits.sum(dtype=int))
        assert tally.ties == np.count_nonzero(ordered == at)
    assert view.top_mean(12_544) == ordered[-12_544:].mean()
    assert np.array_equal(view.above(0.25, strict=True), view.values > np.float32(0.25))


@given(
    st.lists(st.integers(-3, 3), min_size=1, max_size=40),
    st.lists(st.integers(0, 39), max_size=8),
)
def test_order_in_any_order_of_questions(values, questions):
    values = np.array(values, np.float32)
    order, expected = Order(values), np.sort(values)
    for k in (k % len(values) for k in questions):
        assert order.rank(k) == expected[k]
        assert np.array_equal(order.top(k + 1), expected[-k - 1 :])


def test_either_scale_from_the_other():
    values = np.random.default_rng(0).standard_normal((7, 7)).astype(np.float32)
    cosines = Canvas(values, "cosine")
    assert cosines.view("opencv-linear", "cosine") is cosines.view("opencv-linear")
    logits = cosines.view("opencv-linear", "logit")
    expected = enlarge(values / np.float32(0.03), "opencv-linear", SIZE)
    assert np.array_equal(logits.values, expected)
    back = Canvas(values, "logit").view("opencv-linear", "cosine")
    expected = enlarge(values * np.float32(0.03), "opencv-linear", SIZE)
    assert np.array_equal(back.values, expected)
