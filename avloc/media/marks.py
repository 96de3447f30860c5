"""Thin lines over a picture: light with a dark edge, so that they show on any background, and
antialiased. Only the pixels near a line are computed and changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from avloc.media.blend import CELL
from avloc.media.lines import Line
from avloc.media.pixels import Pixels

LIGHT = 0.95
DARK = 0.08


@dataclass(frozen=True, eq=False)
class Marks:
    """The samples near lines, for each plane: rows and columns, opacity in 0..1 and premultiplied
    colour, of shapes that broadcast to each other."""

    parts: tuple[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray], ...]


def draw_marks(planes: Sequence[np.ndarray], marks: Marks) -> None:
    """Draw into the planes."""
    for plane, (rows, columns, opacity, colour) in zip(planes, marks.parts, strict=True):
        ground = plane[rows, columns]
        # A mean of the picture and the lines' colours: never out of range.
        plane[rows, columns] = np.rint(ground + (colour - opacity * ground)).astype(plane.dtype)


def marks(pixels: Pixels, height: int, width: int, lines: Sequence[Line]) -> Marks | None:
    """The `lines` drawn for a picture of `height` x `width` pixels; None where there are none.

    Where several meet, each pixel belongs to the nearest.
    """
    lines = [line for line in lines if len(line.rows) and line.opacity > 0]
    if not lines:
        return None
    rows, columns, gaps, opacity = _joined(lines, -(-height // CELL), -(-width // CELL))
    core, edge = line_width(height, width)
    light = np.clip(core + 0.5 - gaps, 0, 1)
    dark = 0.6 * np.clip(core + edge + 0.5 - gaps, 0, 1) * (1 - light)
    light, dark = light * opacity, dark * opacity
    grey = np.array([[DARK] * 3, [LIGHT] * 3], np.float32)
    codes = pixels.codes(grey)
    parts = []
    for index, shift in enumerate(pixels.shifts):
        cover = _sampled(light + dark, shift)
        colour = cover * codes[0, index]
        if codes[0, index] != codes[1, index]:  # Greys have the same chroma.
            colour += _sampled(light, shift) * (codes[1, index] - codes[0, index])
        inner = cover.shape[1:]
        down = rows[:, None, None] * inner[0] + np.arange(inner[0])[:, None]
        across = columns[:, None, None] * inner[1] + np.arange(inner[1])
        parts.append(_inside((down, across, cover, colour), pixels.shape(index, height, width)))
    return Marks(tuple(parts))


def line_width(height: int, width: int) -> tuple[float, float]:
    """Half the width of a line's light core, and the width of its dark edge, in pixels."""
    unit = max(1.0, min(height, width) / 360)
    return 0.55 * unit, 0.8 * unit


def line_reach(height: int, width: int) -> float:
    """How far from its middle a line is seen, in pixels."""
    return sum(line_width(height, width)) + 0.5


def _joined(
    lines: Sequence[Line], height: int, width: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """All cells of the lines, each once: rows, columns (n,), gaps and opacity (n, CELL, CELL)."""
    if len(lines) == 1:
        line = lines[0]
        return line.rows, line.columns, line.gaps, np.full((1, 1, 1), line.opacity, np.float32)
    taken = np.zeros((height, width), bool)
    for line in lines:
        taken[line.rows, line.columns] = True
    rows, columns = np.nonzero(taken)
    slots = np.empty((height, width), np.intp)
    slots[rows, columns] = np.arange(len(rows))
    gaps = np.full((len(rows), CELL, CELL), np.inf, np.float32)
    opacity = np.zeros_like(gaps)
    for line in lines:
        here = slots[line.rows, line.columns]
        nearer = line.gaps < gaps[here]
        gaps[here] = np.where(nearer, line.gaps, gaps[here])
        opacity[here] = np.where(nearer, np.float32(line.opacity), opacity[here])
    return rows, columns, gaps, opacity


def _sampled(values: np.ndarray, shift: tuple[int, int]) -> np.ndarray:
    """Pixels (n, CELL, CELL) gathered to a plane's samples, each the mean of its pixels."""
    for axis, halvings in zip((1, 2), shift, strict=True):
        for _ in range(halvings):
            pairs = values.swapaxes(1, axis)
            values = (0.5 * (pairs[:, ::2] + pairs[:, 1::2])).swapaxes(1, axis)
    return values


def _inside(
    part: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray], size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Without the samples beyond a plane of `size` = (h, w), which the last cells may have."""
    rows, columns, opacity, colour = part
    if rows.max() < size[0] and columns.max() < size[1]:
        return part
    rows, columns = np.broadcast_arrays(rows, columns)
    kept = (rows < size[0]) & (columns < size[1])
    return rows[kept], columns[kept], opacity[kept], colour[kept]
