"""Resizing against OpenCV and torch, and properties that hold for any kernel."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avloc.resize import axis_weights, resize

cv2 = pytest.importorskip("cv2")
SIZES = [((7, 7), (224, 224)), ((14, 20), (333, 121)), ((9, 16), (5, 4)), ((1, 3), (8, 8))]


def noise(size: tuple[int, int]) -> np.ndarray:
    return np.random.default_rng(0).normal(size=size).astype(np.float32)


@pytest.mark.parametrize(("small", "large"), SIZES)
def test_linear_is_opencv_linear(small, large):
    values = noise(small)
    expected = cv2.resize(values, large[::-1], interpolation=cv2.INTER_LINEAR)
    np.testing.assert_allclose(resize(values, large), expected, atol=1e-5)


@pytest.mark.parametrize(("small", "large"), SIZES)
def test_linear_is_torch_without_aligned_corners(small, large):
    functional = pytest.importorskip("torch.nn.functional")
    torch = pytest.importorskip("torch")
    values = noise(small)
    expected = functional.interpolate(
        torch.from_numpy(values)[None, None], size=large, mode="bilinear", align_corners=False
    )[0, 0].numpy()
    np.testing.assert_allclose(resize(values, large), expected, atol=1e-5)


@pytest.mark.parametrize("factor", [2, 3, 5])
def test_nearest_repeats_cells(factor):
    values = noise((4, 6))
    expected = np.kron(values, np.ones((factor, factor), np.float32))
    size = (4 * factor, 6 * factor)
    np.testing.assert_array_equal(resize(values, size, "nearest"), expected)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.integers(1, 90), st.sampled_from(["linear", "nearest"]))
def test_weights_are_averages(n_in, n_out, kernel):
    weights = axis_weights(n_in, n_out, kernel)
    assert weights.shape == (n_out, n_in)
    assert weights.min() >= 0
    np.testing.assert_allclose(weights.sum(1), 1, atol=1e-6)
    if kernel == "linear":  # nearest must take a side at the middle
        np.testing.assert_allclose(weights, weights[::-1, ::-1], atol=1e-6)


def test_the_same_size_changes_nothing():
    values = noise((8, 11))
    np.testing.assert_array_equal(resize(values, (8, 11)), values)
