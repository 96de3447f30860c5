"""Blending into planes: ``out = picture * transparency + colour``, colour premultiplied.

Transparency is stored in the samples' own type, `top` = 2^depth - 1 meaning untouched: then
``sample * (top + 1) >> depth`` is the sample itself, bit for bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from avloc.media.pixels import ONE_THREAD, Pixels

CELL = 4  # Pixels a side of the coarse cells in which smooth layers are kept and mixed.


class Blender:
    """Blends into planes of one format; holds buffers, so that drawing a frame allocates little."""

    def __init__(self, pixels: Pixels) -> None:
        self.pixels = pixels
        self._wide = np.uint16 if pixels.depth == 8 else np.uint32
        self.top = (1 << pixels.depth) - 1
        self._buffer = np.empty(0, self._wide)
        self._scalers: dict[tuple[int, int], VideoReformatter] = {}

    def samples(self, values: np.ndarray) -> np.ndarray:
        """Float samples rounded to the format's type."""
        return np.rint(values).astype(self.pixels.dtype)

    def blend(self, picture: np.ndarray, transparency: np.ndarray, colour: np.ndarray) -> None:
        """Blend into `picture` in place; all three (h, w), or (n,), samples."""
        if self._buffer.size < picture.size:
            self._buffer = np.empty(picture.size, self._wide)
        wide = self._buffer[: picture.size].reshape(picture.shape)
        depth = self.pixels.depth
        np.add(transparency, 1, out=wide, dtype=self._wide)
        np.multiply(wide, picture, out=wide)
        np.add(wide, 1 << (depth - 1), out=wide)
        np.right_shift(wide, depth, out=wide)
        np.add(wide, colour, out=wide)
        np.minimum(wide, self.top, out=wide)  # Two roundings up may exceed white by one.
        np.copyto(picture, wide, casting="unsafe")

    def smooth(self, planes: Sequence[np.ndarray], cells: np.ndarray, top: int, left: int) -> None:
        """Blend coarse cells, bilinearly enlarged, into the planes.

        Args:
            planes: the whole picture's.
            cells: (4, h, w) float32, CELL pixels a side: opacity in 0..1, then the premultiplied
                colour's three code values.
            top, left: of the first cell, in cells.
        """
        clear = self.samples(self.top * (1 - cells[0]))
        colours = self.samples(cells[1:])
        transparency: dict[tuple[int, int], np.ndarray] = {}
        for plane, shift, colour in zip(planes, self.pixels.shifts, colours, strict=True):
            down, across = CELL >> shift[0], CELL >> shift[1]
            if shift not in transparency:
                transparency[shift] = self._enlarged(clear, down, across)
            part = plane[down * top :, across * left :]
            part = part[: down * cells.shape[1], : across * cells.shape[2]]
            region = np.s_[: part.shape[0], : part.shape[1]]
            fine = self._enlarged(colour, down, across)
            self.blend(part, transparency[shift][region], fine[region])

    def _enlarged(self, plane: np.ndarray, down: int, across: int) -> np.ndarray:
        """The plane (h, w) bilinearly enlarged to (h * down, w * across) by libswscale."""
        height, width = plane.shape
        # Below four samples libswscale repeats the nearest one instead.
        lacking = (0, max(0, 4 - height)), (0, max(0, 4 - width))
        if lacking != ((0, 0), (0, 0)):
            plane = np.pad(plane, lacking, mode="edge")
        name = "gray" if self.pixels.depth == 8 else f"gray{self.pixels.depth}le"
        coarse = av.VideoFrame(plane.shape[1], plane.shape[0], name)
        _view(coarse, plane.dtype)[:] = plane
        scaler = self._scalers.setdefault((down, across), VideoReformatter())
        fine = scaler.reformat(
            coarse,
            coarse.width * across,
            coarse.height * down,
            name,
            interpolation="BILINEAR",
            **ONE_THREAD,
        )
        return _view(fine, plane.dtype)[: height * down, : width * across]


def _view(frame: av.VideoFrame, dtype: np.dtype) -> np.ndarray:
    plane = frame.planes[0]
    stride = plane.line_size // dtype.itemsize
    samples = np.frombuffer(memoryview(plane), dtype).reshape(-1, stride)
    return samples[: frame.height, : frame.width]


@dataclass(frozen=True, eq=False)
class Stamp:
    """A small picture, such as a label, ready to be blended at its place.

    Attributes:
        parts: for each plane its row, its column, transparency (h, w) and colour (h, w).
    """

    parts: tuple[tuple[int, int, np.ndarray, np.ndarray], ...]

    @classmethod
    def of(cls, blender: Blender, rgba: np.ndarray, top: int, left: int) -> Stamp:
        """A stamp of `rgba` (h, w, 4) uint8, not premultiplied, at (top, left) of the picture.

        The place is rounded down to a whole sample of every plane.
        """
        align = blender.pixels.align
        top, left = top - top % align[0], left - left % align[1]
        margin = [(0, -rgba.shape[0] % align[0]), (0, -rgba.shape[1] % align[1]), (0, 0)]
        unit = np.pad(rgba, margin).astype(np.float32) / 255
        opacity = unit[..., 3]
        colour = opacity[..., None] * blender.pixels.codes(unit[..., :3])
        parts = []
        for index, (down, across) in enumerate(blender.pixels.shifts):
            both = np.stack([blender.top * (1 - opacity), colour[..., index]])
            size = (2, both.shape[1] >> down, 1 << down, both.shape[2] >> across, 1 << across)
            part = blender.samples(both.reshape(size).mean(axis=(2, 4)))
            parts.append((top >> down, left >> across, part[0], part[1]))
        return cls(tuple(parts))

    def draw(self, blender: Blender, planes: Sequence[np.ndarray]) -> None:
        """Blend into the planes; what lies outside them is left out."""
        for plane, (row, column, transparency, colour) in zip(planes, self.parts, strict=True):
            height, width = transparency.shape
            part = plane[row : row + height, column : column + width]
            region = np.s_[: part.shape[0], : part.shape[1]]
            blender.blend(part, transparency[region], colour[region])
