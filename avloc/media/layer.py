"""A heatmap over the planes of a picture: prepared once as a `Layer`, blended into each frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from avloc.media.blend import CELL, Blender, Stamp
from avloc.media.colormap import COLORMAPS
from avloc.media.heat import enlarge, fade, tint
from avloc.media.legend import legend
from avloc.media.marks import (
    Line,
    Marks,
    box_distance,
    draw_marks,
    marks,
    outline,
    ring_distance,
    shape_line,
)
from avloc.media.pixels import Pixels
from avloc.media.style import Style
from avloc.media.text import label, margin, tags_line
from avloc.types import Heatmap

LABEL_SECONDS = 0.5
"""A label that changes faster than this cannot be read."""


@dataclass(frozen=True, eq=False)
class Layer:
    """One heatmap ready to be blended; opaque to who draws.

    Attributes:
        heatmap: what it was made of.
        cells: (4, h, w) float32, see `Blender.smooth`; None where nothing is to be seen.
        region: the cells that are not clear: top, bottom, left, right.
        marks: the lines, if any.
    """

    heatmap: Heatmap
    cells: np.ndarray | None
    region: tuple[int, int, int, int]
    marks: Marks | None


class PlanePainter:
    """Draws heatmaps into the planes of pictures of one size and format.

    Args:
        pixels: the planes' format.
        height, width: of the pictures.
        style: what to draw; the strip and side-by-side are not its concern.
    """

    def __init__(self, pixels: Pixels, height: int, width: int, style: Style) -> None:
        self.blender = Blender(pixels)
        self._height, self._width, self._style = height, width, style
        self._colours = COLORMAPS[style.colormap]
        self._codes = np.ascontiguousarray(pixels.codes(self._colours / np.float32(255)).T)
        self._legend = self._legend_stamp() if style.legend else None
        self._text = ""
        self._label: Stamp | None = None
        self._label_since = -np.inf

    def layer(self, heatmap: Heatmap) -> Layer:
        """The heatmap normalised, upsampled, coloured and outlined."""
        field = enlarge(heatmap.values, self._height, self._width, CELL)
        visible = fade(heatmap.confidence)
        lines = self._lines(heatmap, field) if visible > 0 else []
        pixels = self.blender.pixels
        drawn = marks(pixels, self._height, self._width, lines, 0.9 * visible)
        opacity, colour = tint(field, self._style.alpha * visible)
        seen = opacity * self.blender.top >= 0.5
        if not seen.any():
            return Layer(heatmap, None, (0, 0, 0, 0), drawn)
        cells = np.stack([opacity, *(opacity * code[colour] for code in self._codes)])
        rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
        # One clear cell around, so that the enlarged edge fades to nothing.
        region = (
            max(0, int(rows[0]) - 1),
            min(field.shape[0], int(rows[-1]) + 2),
            max(0, int(columns[0]) - 1),
            min(field.shape[1], int(columns[-1]) + 2),
        )
        return Layer(heatmap, cells, region, drawn)

    def _lines(self, heatmap: Heatmap, field: np.ndarray) -> list[Line]:
        """What the style wants outlined, of a heatmap and its enlarged values."""
        style, height, width = self._style, self._height, self._width
        lines: list[Line] = []
        if style.contour:
            inside = Heatmap(field, heatmap.time, heatmap.confidence).mask(style.rule)
            around = outline(field, inside, style.sources)
            lines += [around] if around else []
        if style.box:
            for x0, y0, x1, y1 in heatmap.boxes(style.rule, style.sources):
                edges = box_distance(y0 * height, x0 * width, y1 * height, x1 * width)
                lines.append(shape_line(edges, field.shape))
        if style.peak:
            radius = max(3.0, 0.014 * min(height, width))
            for x, y, _ in heatmap.peaks(style.sources):
                lines.append(shape_line(ring_distance(y * height, x * width, radius), field.shape))
        return lines

    def paint(
        self,
        planes: Sequence[np.ndarray],
        before: Layer,
        after: Layer | None,
        share: float,
        now: float,
    ) -> None:
        """Blend into the planes in place; the arguments are those of `Painter.draw`."""
        mixed = _mix(before, after, share)
        cells = [(layer.cells, weight) for layer, weight in mixed if layer.cells is not None]
        if cells:
            regions = [layer.region for layer, _ in mixed if layer.cells is not None]
            top, left = min(r[0] for r in regions), min(r[2] for r in regions)
            bottom, right = max(r[1] for r in regions), max(r[3] for r in regions)
            total = np.zeros((4, bottom - top, right - left), np.float32)
            for values, weight in cells:
                total += np.float32(weight) * values[:, top:bottom, left:right]
            self.blender.smooth(planes, total, top, left)
        draw_marks(planes, [(layer.marks, weight) for layer, weight in mixed if layer.marks])
        if self._style.tags:
            heard = max(mixed, key=lambda entry: entry[1])[0]
            self._say(tags_line(heard.heatmap.tags), now)
            if self._label:
                self._label.draw(self.blender, planes)
        if self._legend:
            self._legend.draw(self.blender, planes)

    def shows(self, before: Layer, after: Layer | None) -> bool:
        """Whether `paint` may change anything, at whatever share."""
        layers = [before] if after is None else [before, after]
        if self._legend or any(layer.cells is not None or layer.marks for layer in layers):
            return True
        speaks = self._label or any(layer.heatmap.tags for layer in layers)
        return self._style.tags and bool(speaks)

    def _say(self, text: str, now: float) -> None:
        """Change the label to `text`, unless it changed a moment ago."""
        fresh = 0 <= now - self._label_since < LABEL_SECONDS
        if fresh or text == self._text:
            return
        self._text, self._label_since = text, now
        rgba = label(text, self._height, self._width)
        place = margin(self._height, self._width)
        self._label = None if rgba is None else Stamp.of(self.blender, rgba, place, place)

    def _legend_stamp(self) -> Stamp | None:
        rgba = legend(self._colours, self._height, self._width)
        if rgba is None:
            return None
        space = margin(self._height, self._width)
        top, left = self._height - rgba.shape[0] - space, self._width - rgba.shape[1] - space
        return Stamp.of(self.blender, rgba, top, left)


def _mix(before: Layer, after: Layer | None, share: float) -> list[tuple[Layer, float]]:
    """The layers that are seen and how much of each."""
    if after is None or after is before or share <= 0:
        return [(before, 1.0)]
    if share >= 1:
        return [(after, 1.0)]
    return [(before, 1.0 - share), (after, share)]
