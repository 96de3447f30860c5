"""Frames on their way into a network: sizes, resampling, scale."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from avloc.features.image import fit, input_size, normalise

AREA = 352 * 352


@pytest.mark.parametrize(
    ("height", "width", "size"),
    [
        (352, 352, (352, 352)),
        (360, 640, (256, 480)),
        (640, 360, (480, 256)),
        (1080, 1920, (256, 480)),
        (10, 10_000, (192, 704)),
        (1, 1, (352, 352)),
    ],
)
def test_sizes(height, width, size):
    assert input_size(height, width, AREA) == size


@given(st.integers(1, 5000), st.integers(1, 5000), st.integers(96**2, 512**2))
def test_every_size_can_be_halved_five_times(height, width, area):
    rows, columns = input_size(height, width, area)
    assert rows % 32 == columns % 32 == 0
    assert min(rows, columns) >= 32
    # Rounding moves each side by at most half a step.
    ratio = min(4.0, max(0.25, height / width))
    assert abs(rows - (area * ratio) ** 0.5) <= 16
    assert abs(columns - (area / ratio) ** 0.5) <= 16
    assert input_size(width, height, area) == (columns, rows)


def test_a_frame_of_the_right_size_is_kept():
    frame = np.random.default_rng(0).integers(0, 256, (32, 64, 3), np.uint8)
    np.testing.assert_array_equal(fit(frame, (32, 64)), frame.transpose(2, 0, 1))


@pytest.mark.parametrize("size", [(64, 96), (32, 32), (160, 224)])
def test_resampling_is_pillows(size):
    """Both are bilinear with a support that grows when a picture shrinks."""
    frame = np.random.default_rng(0).integers(0, 256, (120, 170, 3), np.uint8)
    image = Image.fromarray(frame).resize(size[::-1], Image.Resampling.BILINEAR)
    ours = fit(frame, size)
    assert ours.shape == (3, *size)
    assert ours.dtype == np.uint8
    assert np.abs(ours.transpose(1, 2, 0).astype(int) - np.asarray(image)).max() <= 1


def test_frames_that_are_views_are_taken():
    frame = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    np.testing.assert_array_equal(
        fit(frame[:, ::-1], (32, 32)), fit(frame[:, ::-1].copy(), (32, 32))
    )


def test_scale_is_minus_one_to_one():
    frames = torch.arange(0, 252, 21, dtype=torch.uint8).reshape(1, 3, 2, 2)
    scaled = normalise(frames)
    expected = frames.numpy() / 127.5 - 1
    np.testing.assert_allclose(scaled.numpy(), expected, atol=1e-6)
    assert scaled.dtype == torch.float32
    assert scaled.is_contiguous(memory_format=torch.channels_last)
    ends = normalise(torch.tensor([0, 255], dtype=torch.uint8).reshape(1, 1, 1, 2))
    np.testing.assert_allclose(ends.ravel(), [-1, 1], atol=1e-6)
