"""A heatmap over the planes of a picture: prepared once as a `Layer`, blended into each frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from avloc.media.blend import CELL, Blender, Stamp
from avloc.media.colormap import COLORMAPS
from avloc.media.heat import enlarge, fade, tint
from avloc.media.legend import legend
from avloc.media.lines import Line, box_line, outline, ring
from avloc.media.marks import Marks, draw_marks, line_reach, marks
from avloc.media.moving import moved
from avloc.media.pixels import Pixels
from avloc.media.style import Style
from avloc.media.text import label, margin, tags_line
from avloc.types import Heatmap

LINE_OPACITY = 0.9

LINE_STEP = 0.25
"""Share of the way between two heatmaps for which lines stand still: they cost more than all the
rest, and at 5 heatmaps a second so little of a change is hardly seen."""

LABEL_SECONDS = 0.5
"""A label that changes faster than this cannot be read."""


@dataclass(frozen=True, eq=False)
class Layer:
    """One heatmap ready to be blended; opaque to who draws.

    Attributes:
        heatmap: what it was made of.
        visible: 0..1, see `fade`.
        field: (h, w) float32, the values enlarged to cells.
        cells: (4, h, w) float32, see `Blender.smooth`; None where nothing is to be seen.
        region: the cells that are not clear: top, bottom, left, right.
        boxes: (x0, y0, x1, y1) each, in fractions of the picture; only what is to be drawn.
        peaks: (x, y) each; only what is to be drawn.
    """

    heatmap: Heatmap
    visible: float
    field: np.ndarray
    cells: np.ndarray | None
    region: tuple[int, int, int, int]
    boxes: tuple[tuple[float, ...], ...]
    peaks: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, eq=False)
class _Lines:
    """The lines last drawn, and for which moment."""

    before: Layer
    after: Layer | None
    share: float
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
        self._lined = style.contour or style.box or style.peak
        self._lines: _Lines | None = None
        self._text = ""
        self._label: Stamp | None = None
        self._label_since = -np.inf

    def layer(self, heatmap: Heatmap) -> Layer:
        """The heatmap normalised, upsampled and coloured, its boxes and peaks found."""
        style = self._style
        field = enlarge(heatmap.values, self._height, self._width, CELL)
        visible = fade(heatmap.confidence)
        boxes: tuple[tuple[float, ...], ...] = ()
        peaks: tuple[tuple[float, ...], ...] = ()
        if style.box and visible > 0:
            boxes = tuple(heatmap.boxes(style.rule, style.sources))
        if style.peak and visible > 0:
            peaks = tuple(peak[:2] for peak in heatmap.peaks(style.sources))
        opacity, colour = tint(field, style.alpha * visible)
        seen = opacity * self.blender.top >= 0.5
        if not seen.any():
            return Layer(heatmap, visible, field, None, (0, 0, 0, 0), boxes, peaks)
        cells = np.stack([opacity, *(opacity * code[colour] for code in self._codes)])
        rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
        # One clear cell around, so that the enlarged edge fades to nothing.
        region = (
            max(0, int(rows[0]) - 1),
            min(field.shape[0], int(rows[-1]) + 2),
            max(0, int(columns[0]) - 1),
            min(field.shape[1], int(columns[-1]) + 2),
        )
        return Layer(heatmap, visible, field, cells, region, boxes, peaks)

    def _marks(self, mixed: list[tuple[Layer, float]]) -> Marks | None:
        """The lines of one layer, or of a moment between two."""
        (before, _), (after, share) = mixed[0], (mixed[1] if len(mixed) > 1 else (None, 0.0))
        last = self._lines
        if last is not None and last.before is before:
            # What was drawn of `before` alone is the beginning of the way to any other.
            same = last.after is after or last.share == 0
            if same and 0 <= share - last.share < LINE_STEP:
                return last.marks
        lines = self._between(before, after, share)
        drawn = marks(self.blender.pixels, self._height, self._width, lines)
        self._lines = _Lines(before, after, share, drawn)
        return drawn

    def _between(self, before: Layer, after: Layer | None, share: float) -> list[Line]:
        """What the style wants outlined: of the map that lies between two."""
        after = after or before
        weights = LINE_OPACITY * before.visible * (1 - share), LINE_OPACITY * after.visible * share
        total = sum(weights)
        if total <= 0:
            return []
        style, height, width = self._style, self._height, self._width
        size, reach = before.field.shape, line_reach(height, width)
        lines: list[Line] = []
        if style.contour:
            field = before.field
            if weights[1] > 0:
                # What is hardly visible hardly counts: no outline wanders off into noise.
                field = field + np.float32(weights[1] / total) * (after.field - field)
            around = outline(field, self._inside(field), style.sources, reach, total)
            lines += [around] if around else []
        for (x0, y0, x1, y1), opacity in moved(before.boxes, after.boxes, share, weights):
            corners = y0 * height, x0 * width, y1 * height, x1 * width
            lines.append(box_line(*corners, size, reach, opacity))
        radius = max(3.0, 0.014 * min(height, width))
        for (x, y), opacity in moved(before.peaks, after.peaks, share, weights):
            lines.append(ring(y * height, x * width, radius, size, reach, opacity))
        return lines

    def _inside(self, field: np.ndarray) -> np.ndarray:
        return Heatmap(field, 0.0, 0.0).mask(self._style.rule)

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
        drawn = self._marks(mixed) if self._lined else None
        if drawn:
            draw_marks(planes, drawn)
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
        if self._legend or any(layer.cells is not None for layer in layers):
            return True
        if self._lined and any(layer.visible > 0 for layer in layers):
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
