"""Answers of an enlarged map are those of all its pixels, though few are worked out."""

import numpy as np
import pytest

from avloc.evaluation.canvas import Canvas
from avloc.evaluation.field import Enlarged, Field, View
from avloc.evaluation.kernels import KERNELS, enlarge

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


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("kind", MADE)
@pytest.mark.parametrize("n", [7, 14])
def test_every_answer(kernel, kind, n):
    values = MADE[kind](np.random.default_rng(n), n).astype(np.float32)
    whole = enlarge(values, kernel, SIZE)
    ordered = np.sort(whole, axis=None)
    for normals in NORMALS:
        plain = View(Field(whole), normals)
        quick = View(Enlarged(values, kernel, SIZE), normals)
        assert (quick.low, quick.high) == (plain.low, plain.high)
        for k in (0, 1, 12_345, 25_088, 50_175):
            assert quick.rank(k) == plain.of(ordered[k])
            assert quick.ties(k) == np.count_nonzero(plain.values == plain.rank(k))
            for strict in (False, True):
                expected = plain.values > plain.rank(k) if strict else plain.values >= plain.rank(k)
                assert np.array_equal(quick.above_rank(k, strict), expected)
        for at in (0.0, 0.25, 0.5):
            assert np.array_equal(quick.above(at, strict=True), plain.values > at)
            assert np.array_equal(quick.above(at, strict=False), plain.values >= at)
        steps = np.linspace(0.05, 0.95, 19, dtype=np.float32)
        expected = np.searchsorted(steps, plain.values, "right")
        assert np.array_equal(quick.levels(steps), expected)
        assert quick.top_mean(12_544) == plain.of(ordered[-12_544:]).mean()


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
