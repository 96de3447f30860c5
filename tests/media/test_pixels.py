import av
import numpy as np
import pytest
from av.video.reformatter import Colorspace

from avloc.errors import UsageError
from avloc.media.pixels import YUV_FORMATS, default_matrix, frame_matrix, yuv

SWSCALE = {"bt601": "ITU601", "bt709": "ITU709"}
if hasattr(Colorspace, "BT2020"):  # PyAV 18 and later.
    SWSCALE["bt2020"] = "BT2020"
COLOURS = np.array(
    [[0, 0, 0], [255, 255, 255], [255, 0, 0], [0, 255, 0], [0, 0, 255], [90, 140, 30]], np.uint8
)


@pytest.mark.parametrize("full_range", [False, True])
@pytest.mark.parametrize("matrix", SWSCALE)
@pytest.mark.parametrize("name", ["yuv444p", "yuv444p10le"])
def test_codes_are_swscales(name: str, matrix: str, full_range: bool) -> None:
    pixels = yuv(name, matrix, full_range)
    for colour in COLOURS:
        frame = av.VideoFrame.from_ndarray(np.tile(colour, (16, 16, 1)), "rgb24").reformat(
            format=name,
            dst_colorspace=SWSCALE[matrix],
            dst_color_range="JPEG" if full_range else "MPEG",
        )
        theirs = [int(plane[8, 8]) for plane in pixels.views(frame)]
        step = 1 << (pixels.depth - 8)
        np.testing.assert_allclose(pixels.codes(colour / 255), theirs, atol=1.5 * step)


@pytest.mark.parametrize("name", YUV_FORMATS)
@pytest.mark.parametrize("size", [(16, 16), (37, 21), (1, 1)])
def test_views_are_the_frames_memory(name: str, size: tuple[int, int]) -> None:
    frame = av.VideoFrame(*size, name)
    pixels = yuv(name, "bt601", False)
    for index, view in enumerate(pixels.views(frame)):
        plane = frame.planes[index]
        assert view.shape == (plane.height, plane.width)
        view[...] = 7
    assert all((view == 7).all() for view in pixels.views(frame))


def test_yuvj_is_full_range_whatever_is_said() -> None:
    white = yuv("yuvj420p", "bt601", False).codes(np.ones(3))
    np.testing.assert_allclose(white, [255, 128, 128], atol=1e-3)


def test_the_matrix_is_the_stated_one_or_by_size() -> None:
    frame = av.VideoFrame(1280, 720, "yuv420p")
    assert frame_matrix(frame) == default_matrix(1280, 720) == "bt709"
    frame.colorspace = 9
    assert frame_matrix(frame) == "bt2020"
    assert default_matrix(640, 360) == "bt601"


def test_unknown_formats_are_refused() -> None:
    with pytest.raises(UsageError, match="yuv420p"):
        yuv("nv12", "bt601", False)
    with pytest.raises(UsageError, match="bt709"):
        yuv("yuv420p", "bt470", False)
