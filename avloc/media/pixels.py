"""Pixel formats as drawing sees them: planes, their subsampling, and RGB as their code values."""

from __future__ import annotations

from dataclasses import dataclass

import av
import numpy as np

from avloc.errors import UsageError

# Luma weights of red and blue: ITU-R BT.601 (2.5.1), BT.709 (3.2), BT.2020 (table 4).
LUMA_WEIGHTS = {
    "bt601": (0.299, 0.114),
    "bt709": (0.2126, 0.0722),
    "bt2020": (0.2627, 0.0593),
}

# Format name: bits a sample, log2 of the chroma subsampling (down, across).
YUV_FORMATS = {
    "yuv420p": (8, (1, 1)),
    "yuvj420p": (8, (1, 1)),
    "yuv422p": (8, (0, 1)),
    "yuvj422p": (8, (0, 1)),
    "yuv444p": (8, (0, 0)),
    "yuvj444p": (8, (0, 0)),
    "yuv420p10le": (10, (1, 1)),
    "yuv422p10le": (10, (0, 1)),
    "yuv444p10le": (10, (0, 0)),
}


# For libswscale: starting threads costs more than they bring. PyAV before 17 uses one anyway.
ONE_THREAD = {"threads": 1} if int(av.__version__.split(".")[0]) >= 17 else {}


@dataclass(frozen=True, eq=False)
class Pixels:
    """How three planes hold a picture.

    Attributes:
        depth: bits a sample.
        shifts: for each plane log2 of its subsampling, (down, across).
        matrix: (3, 3) float32; RGB in 0..1 to code values is ``rgb @ matrix.T + offset``.
        offset: (3,) float32.
    """

    depth: int
    shifts: tuple[tuple[int, int], ...]
    matrix: np.ndarray
    offset: np.ndarray

    @property
    def dtype(self) -> type[np.unsignedinteger]:
        """The type of a sample."""
        return np.uint8 if self.depth == 8 else np.uint16

    @property
    def align(self) -> tuple[int, int]:
        """Multiples of pixels (down, across) at which all planes have whole samples."""
        return 1 << max(s[0] for s in self.shifts), 1 << max(s[1] for s in self.shifts)

    def codes(self, rgb: np.ndarray) -> np.ndarray:
        """Code values (..., 3) float32 of `rgb` (..., 3) in 0..1."""
        codes = rgb.astype(np.float32, copy=False) @ self.matrix.T + self.offset
        return np.clip(codes, 0, (1 << self.depth) - 1)

    def shape(self, plane: int, height: int, width: int) -> tuple[int, int]:
        """Height and width of a plane of a picture of `height` x `width` pixels."""
        down, across = self.shifts[plane]
        return -(-height >> down), -(-width >> across)

    def views(self, frame: av.VideoFrame) -> list[np.ndarray]:
        """The frame's planes (h, w) as writable views of its memory."""
        views = []
        for index, plane in enumerate(frame.planes):
            height, width = self.shape(index, frame.height, frame.width)
            samples = np.frombuffer(memoryview(plane), self.dtype)
            stride = plane.line_size // samples.itemsize
            views.append(samples[: stride * height].reshape(height, stride)[:, :width])
        return views


RGB = Pixels(8, ((0, 0),) * 3, np.eye(3, dtype=np.float32) * 255, np.zeros(3, np.float32))


def yuv(name: str, matrix: str, full_range: bool) -> Pixels:
    """The format `name` of `YUV_FORMATS` with the given colour matrix and range.

    Raises:
        UsageError: an unknown format or matrix.
    """
    if name not in YUV_FORMATS:
        raise UsageError(f"cannot draw on {name}; convert to one of {', '.join(YUV_FORMATS)}")
    if matrix not in LUMA_WEIGHTS:
        raise UsageError(f"unknown colour matrix {matrix!r}; known: {', '.join(LUMA_WEIGHTS)}")
    depth, shift = YUV_FORMATS[name]
    red, blue = LUMA_WEIGHTS[matrix]
    luma = np.array([red, 1 - red - blue, blue])
    rows = np.stack(
        [
            luma,
            (np.array([0, 0, 1]) - luma) / (2 * (1 - blue)),
            (np.array([1, 0, 0]) - luma) / (2 * (1 - red)),
        ]
    )
    step = 1 << (depth - 8)
    if full_range or name.startswith("yuvj"):
        scale, black = np.full(3, 256 * step - 1.0), 0
    else:
        scale, black = np.array([219.0, 224.0, 224.0]) * step, 16 * step
    offset = np.array([black, 128 * step, 128 * step])
    return Pixels(
        depth,
        ((0, 0), shift, shift),
        (rows * scale[:, None]).astype(np.float32),
        offset.astype(np.float32),
    )


def frame_matrix(frame: av.VideoFrame) -> str:
    """The colour matrix a frame states, or the one players assume for its size."""
    stated = {1: "bt709", 5: "bt601", 6: "bt601", 9: "bt2020", 10: "bt2020"}  # AVColorSpace
    return stated.get(int(frame.colorspace)) or default_matrix(frame.width, frame.height)


def default_matrix(width: int, height: int) -> str:
    """What players assume where a file states no matrix: BT.709 above standard definition."""
    return "bt709" if width > 1024 or height > 576 else "bt601"


def is_full_range(frame: av.VideoFrame) -> bool:
    """Whether the frame states that luma uses all code values."""
    return int(frame.color_range) == 2  # AVCOL_RANGE_JPEG
