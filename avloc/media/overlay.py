"""Heatmaps over pictures: `Painter` for the frames of a video, `paint_rgb` for a still.

A heatmap becomes a `Layer` once; drawing a frame then blends one or two layers into the frame's
own planes, so that no colour conversion happens per frame.

    painter = Painter.like(first_frame, style, duration)
    layer = painter.layer(heatmap)                      # once per heatmap
    frame = painter.draw(frame, layer, None, 0.0, now)  # once per frame
    painter.size                                        # what comes out, for the encoder
"""

from __future__ import annotations

import av
import numpy as np

from avloc.media.blend import Stamp
from avloc.media.layer import Layer, PlanePainter
from avloc.media.pixels import (
    RGB,
    YUV_FORMATS,
    default_matrix,
    frame_matrix,
    is_full_range,
    yuv,
)
from avloc.media.strip import Strip, strip_height
from avloc.media.style import Style
from avloc.types import Heatmap

FORMATS = tuple(YUV_FORMATS)


class Painter:
    """Draws heatmaps over the frames of one video, all of one size and pixel format.

    Args:
        width, height: of the frames that come in, pixels.
        format: one of `FORMATS`.
        style: what to draw.
        matrix: ``bt601``, ``bt709`` or ``bt2020``; None picks by the picture's size, as players do.
        full_range: whether luma uses all code values; the ``yuvj`` formats always do.
        duration: seconds of the video, for the strip's time axis; None where unknown.

    Raises:
        UsageError: a format that is not in `FORMATS`, or an unknown matrix.
    """

    def __init__(
        self,
        width: int,
        height: int,
        format: str,
        style: Style,
        matrix: str | None = None,
        full_range: bool = False,
        duration: float | None = None,
    ) -> None:
        pixels = yuv(format, matrix or default_matrix(width, height), full_range)
        self.style = style
        self._format, self._pixels = format, pixels
        self._width, self._height = width, height
        self._planes = PlanePainter(pixels, height, width, style)
        self._right = _up(width, pixels.align[1]) if style.side_by_side else 0
        self._below = _up(height, pixels.align[0])
        self._out_width = _up(self._right + width, pixels.align[1])
        self._strip: Strip | None = None
        if style.strip:
            strip = strip_height(height, width)
            self._strip = Strip(strip, self._out_width, duration)
            self._strip_planes = [
                np.empty(pixels.shape(i, strip, self._out_width), pixels.dtype) for i in range(3)
            ]
            self._render_strip(0, self._out_width)

    @classmethod
    def like(cls, frame: av.VideoFrame, style: Style, duration: float | None = None) -> Painter:
        """A painter for frames of this size, format, colour matrix and range."""
        return cls(
            frame.width,
            frame.height,
            frame.format.name,
            style,
            matrix=frame_matrix(frame),
            full_range=is_full_range(frame),
            duration=duration,
        )

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the frames `draw` returns.

        The size of the frames that come in, unless side-by-side or strip enlarge it; then both
        are whole samples of every plane (even, for yuv420p).
        """
        if not self._right and self._strip is None:
            return self._width, self._height
        height = self._below + (self._strip.picture.shape[0] if self._strip else 0)
        return self._out_width, height

    def layer(self, heatmap: Heatmap) -> Layer:
        """The heatmap normalised, upsampled, coloured and outlined: once per heatmap."""
        return self._planes.layer(heatmap)

    def draw(
        self,
        frame: av.VideoFrame,
        before: Layer,
        after: Layer | None,
        share: float,
        now: float,
    ) -> av.VideoFrame:
        """The frame with the heatmap over it, in the same format, with its pts and time base.

        May draw into `frame` itself: go on with what is returned. Frames come in order of time.

        Args:
            frame: of the painter's size and format.
            before: the layer at or before `now`.
            after: the layer to change over to; None to hold `before` (at a shot cut, at the end).
            share: 0..1, how far on the way from `before` to `after`.
            now: seconds since the start, on the clock of `duration`; for the strip.
        """
        enlarged = self._right or self._strip is not None
        if enlarged:
            out, planes = self._canvas(frame)
        elif self._planes.shows(before, after):
            frame.make_writable()  # The decoder may still predict from this frame.
            out, planes = frame, self._pixels.views(frame)
        else:
            return frame
        self._planes.paint(planes, before, after, share, now)
        if self._strip is not None:
            self._draw_strip(out, before, after, share, now)
        return out

    def _canvas(self, frame: av.VideoFrame) -> tuple[av.VideoFrame, list[np.ndarray]]:
        """A larger frame with the source in it, and the planes of the part to paint on."""
        width, height = self.size
        out = av.VideoFrame(width, height, self._format)
        out.pts = frame.pts
        if frame.time_base is not None:
            out.time_base = frame.time_base
        out.colorspace, out.color_range = frame.colorspace, frame.color_range
        for name in ("color_primaries", "color_trc"):
            if hasattr(frame, name):  # PyAV 17 and later.
                setattr(out, name, getattr(frame, name))
        black = self._pixels.codes(np.zeros(3))
        part = []
        views = zip(self._pixels.views(out), self._pixels.views(frame), strict=True)
        for index, (target, source) in enumerate(views):
            rows, columns = source.shape
            down, across = self._pixels.shifts[index]
            below, right = self._below >> down, self._right >> across
            target[rows:below] = target[:below, columns:] = round(float(black[index]))
            target[:rows, :columns] = source
            if right:
                target[:rows, right : right + columns] = source
            part.append(target[:rows, right : right + columns])
        return out, part

    def _draw_strip(
        self, out: av.VideoFrame, before: Layer, after: Layer | None, share: float, now: float
    ) -> None:
        strip = self._strip
        if strip is None:
            return
        confidence = before.heatmap.confidence
        if after is not None:
            confidence += (after.heatmap.confidence - confidence) * min(max(share, 0.0), 1.0)
        self._render_strip(*strip.advance(now, confidence))
        part = []
        for index, (target, source) in enumerate(
            zip(self._pixels.views(out), self._strip_planes, strict=True)
        ):
            part.append(target[self._below >> self._pixels.shifts[index][0] :])
            part[-1][...] = source
        blender = self._planes.blender
        Stamp.of(blender, strip.cursor(), 0, strip.column(now)).draw(blender, part)

    def _render_strip(self, first: int, end: int) -> None:
        """Bring the strip's columns [first, end) from RGB into the planes."""
        if self._strip is None:
            return
        align = self._pixels.align[1]
        first, end = first - first % align, _up(end, align)
        rgb = self._strip.picture[:, first:end].astype(np.float32) / 255
        codes = self._pixels.codes(rgb)
        for index, (down, across) in enumerate(self._pixels.shifts):
            blocks = codes.shape[0] >> down, 1 << down, codes.shape[1] >> across, 1 << across
            samples = codes[..., index].reshape(blocks).mean(axis=(1, 3))
            self._strip_planes[index][:, first >> across : end >> across] = np.rint(samples)


def _up(length: int, multiple: int) -> int:
    """The least multiple that is not below `length`."""
    return -(-length // multiple) * multiple


def paint_rgb(frame: np.ndarray, heatmap: Heatmap, style: Style) -> np.ndarray:
    """A still with the heatmap over it, by the same drawing as a video's.

    Args:
        frame: (H, W, 3) uint8 RGB, left unchanged.
        heatmap: drawn with its own confidence and tags.
        style: ``strip`` is ignored: a still has no time.

    Returns:
        (H, W', 3) uint8, W' = W, or 2 W side by side.
    """
    painter = PlanePainter(RGB, frame.shape[0], frame.shape[1], style)
    planes = [np.ascontiguousarray(frame[..., channel]) for channel in range(3)]
    painter.paint(planes, painter.layer(heatmap), None, 0.0, heatmap.time)
    painted = np.stack(planes, axis=2)
    return np.concatenate([frame, painted], axis=1) if style.side_by_side else painted
