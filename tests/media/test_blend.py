import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avloc.media.blend import CELL, Blender, Stamp
from avloc.media.pixels import RGB, yuv


@given(st.sampled_from(["yuv444p", "yuv444p10le"]), st.integers(0, 2**32 - 1))
def test_blending_is_the_weighted_mean(name: str, seed: int) -> None:
    blender = Blender(yuv(name, "bt601", False))
    random = np.random.default_rng(seed)
    top, dtype = blender.top, blender.pixels.dtype
    picture = random.integers(0, top + 1, (9, 31)).astype(dtype)
    opacity, colour = random.random((9, 31)), random.integers(0, top + 1, (9, 31))
    expected = picture * (1 - opacity) + colour * opacity
    clear = blender.samples(top * (1 - opacity))
    blender.blend(picture, clear, blender.samples(colour * opacity))
    np.testing.assert_allclose(picture, expected, atol=2.5)


@pytest.mark.parametrize("name", ["yuv444p", "yuv444p10le"])
def test_clear_leaves_every_value_as_it_is_and_opaque_none(name: str) -> None:
    blender = Blender(yuv(name, "bt601", False))
    values = np.arange(blender.top + 1).astype(blender.pixels.dtype)
    picture = values.copy()
    blender.blend(picture, np.full_like(values, blender.top), np.zeros_like(values))
    np.testing.assert_array_equal(picture, values)
    blender.blend(picture, np.zeros_like(values), np.full_like(values, 77))
    np.testing.assert_allclose(picture.astype(int), 77, atol=1)


def test_white_on_white_does_not_wrap_around() -> None:
    blender = Blender(RGB)
    opacity = np.linspace(0, 1, 4001)
    picture = np.full(opacity.shape, 255, np.uint8)
    blender.blend(picture, blender.samples(255 * (1 - opacity)), blender.samples(255 * opacity))
    assert picture.min() >= 254


@settings(max_examples=25)
@given(
    st.sampled_from(["yuv420p", "yuv422p", "yuv444p", "yuv420p10le"]),
    st.integers(1, 50),
    st.integers(1, 50),
    st.integers(0, 2**32 - 1),
)
def test_smooth_layers_are_bilinear(name: str, height: int, width: int, seed: int) -> None:
    cv2 = pytest.importorskip("cv2")
    pixels = yuv(name, "bt601", False)
    blender, random = Blender(pixels), np.random.default_rng(seed)
    rows, columns = -(-height // CELL), -(-width // CELL)
    opacity = random.random((rows, columns)).astype(np.float32)
    colours = random.integers(0, blender.top, (3, rows, columns)).astype(np.float32)
    cells = np.concatenate([opacity[None], opacity * colours])
    planes = [
        random.integers(0, blender.top + 1, pixels.shape(i, height, width)).astype(pixels.dtype)
        for i in range(3)
    ]
    before = [plane.copy() for plane in planes]
    blender.smooth(planes, cells, 0, 0)
    for plane, old, colour, (down, across) in zip(
        planes, before, cells[1:], pixels.shifts, strict=True
    ):
        size = (columns * CELL >> across, rows * CELL >> down)
        fine = [
            cv2.resize(values, size, interpolation=cv2.INTER_LINEAR)[
                : plane.shape[0], : plane.shape[1]
            ]
            for values in (cells[0], colour)
        ]
        expected = old * (1 - fine[0]) + fine[1]
        np.testing.assert_allclose(plane, expected, atol=0.016 * blender.top)


@pytest.mark.parametrize("name", ["yuv420p", "yuv422p", "yuv444p10le"])
def test_a_stamp_lies_at_its_place_and_is_cut_at_the_edge(name: str) -> None:
    pixels = yuv(name, "bt601", False)
    blender = Blender(pixels)
    black = pixels.codes(np.zeros(3))
    planes = [np.full(pixels.shape(i, 20, 30), black[i], pixels.dtype) for i in range(3)]
    white = np.full((8, 12, 4), 255, np.uint8)
    Stamp.of(blender, white, 4, 6).draw(blender, planes)
    Stamp.of(blender, white, 16, 26).draw(blender, planes)
    lit = planes[0] > black[0] + 5
    expected = np.zeros((20, 30), bool)
    expected[4:12, 6:18] = expected[16:, 26:] = True
    np.testing.assert_array_equal(lit, expected)
