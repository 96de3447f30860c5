"""Contours, boxes and rings as distances: how far the pixels near a line are from it.

Pictures are looked at in cells of CELL x CELL pixels; only cells that a line may touch are kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from avloc.media.blend import CELL

Distance = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Pixels to a line, of the points (y, x) in pixels from the picture's corner."""

MARGIN = 0.8 * CELL
"""From a cell's centre to its corners, in pixels, and a little for a line's curvature."""


@dataclass(frozen=True, eq=False)
class Line:
    """The cells near a line.

    Attributes:
        rows, columns: (n,) of the cells.
        gaps: (n, CELL, CELL) float32, from the centre of each pixel to the line, in pixels.
        opacity: 0..1, of the whole line.
    """

    rows: np.ndarray
    columns: np.ndarray
    gaps: np.ndarray
    opacity: float


def box_line(
    top: float,
    left: float,
    bottom: float,
    right: float,
    size: tuple[int, int],
    reach: float,
    opacity: float,
) -> Line:
    """The outline of a box given in pixels, for a picture of `size` = (h, w) cells.

    `reach`: pixels from the line that matter.
    """
    middle, centre = (top + bottom) / 2, (left + right) / 2
    half_height, half_width = (bottom - top) / 2, (right - left) / 2

    def distance(y: np.ndarray, x: np.ndarray) -> np.ndarray:
        beyond_y, beyond_x = np.abs(y - middle) - half_height, np.abs(x - centre) - half_width
        outside = np.sqrt(np.maximum(beyond_y, 0) ** 2 + np.maximum(beyond_x, 0) ** 2)
        return np.abs(outside + np.minimum(np.maximum(beyond_y, beyond_x), 0))

    return _shape(distance, (top, left, bottom, right), size, reach, opacity)


def ring(
    middle: float,
    centre: float,
    radius: float,
    size: tuple[int, int],
    reach: float,
    opacity: float,
) -> Line:
    """A circle given in pixels, for a picture of `size` = (h, w) cells."""

    def distance(y: np.ndarray, x: np.ndarray) -> np.ndarray:
        return np.abs(np.hypot(y - middle, x - centre) - radius)

    bounds = middle - radius, centre - radius, middle + radius, centre + radius
    return _shape(distance, bounds, size, reach, opacity)


def _shape(
    distance: Distance,
    bounds: tuple[float, float, float, float],
    size: tuple[int, int],
    reach: float,
    opacity: float,
) -> Line:
    far = reach + MARGIN
    first, end = (
        [int(np.clip(side // CELL, 0, most)) for side, most in zip(sides, size, strict=True)]
        for sides in (
            (bounds[0] - far, bounds[1] - far),
            (bounds[2] + far + CELL, bounds[3] + far + CELL),
        )
    )
    y = (np.arange(first[0], end[0], dtype=np.float32)[:, None] + 0.5) * CELL
    x = (np.arange(first[1], end[1], dtype=np.float32) + 0.5) * CELL
    rows, columns = np.nonzero(distance(y, x) <= far)
    rows, columns = rows + first[0], columns + first[1]
    inner = np.arange(CELL, dtype=np.float32) + 0.5
    down, across = ((CELL * place).astype(np.float32)[:, None, None] for place in (rows, columns))
    return Line(rows, columns, distance(down + inner[:, None], across + inner), opacity)


def outline(
    field: np.ndarray, inside: np.ndarray, parts: int, reach: float, opacity: float
) -> Line | None:
    """The line around the up to `parts` strongest connected parts of a region.

    Args:
        field: (h, w) float32, smooth, in cells.
        inside: (h, w) bool, where the field is at least some level.
        reach: pixels from the line that matter.
        opacity: of the line.

    Returns:
        None where the region is empty or all.
    """
    if not inside.any() or inside.all():
        return None
    height, width = field.shape
    far = reach + MARGIN
    room = 1 + int(np.ceil(far / CELL))
    spans = (np.flatnonzero(inside.any(axis)) for axis in (1, 0))
    (top, bottom), (left, right) = ((int(span[0]), int(span[-1])) for span in spans)
    top, bottom = max(0, top - room), min(height, bottom + room + 1)
    left, right = max(0, left - room), min(width, right + room + 1)
    part, within = field[top:bottom, left:right], inside[top:bottom, left:right]
    rows, columns = np.nonzero(_edges(within, room) & ~_weak(part, within, parts))
    around = _around(part, rows, columns)
    slope = np.hypot(around[:, 7] - around[:, 1], around[:, 5] - around[:, 3]) / (2 * CELL)
    # On a plateau the line would swell to a patch: a floor under the slope thins it out instead.
    slope = np.maximum(slope, 0.1 * slope.max(initial=0) + 1e-12).astype(np.float32)
    level = part[within].min()
    near = np.abs(around[:, 4] - level) <= far * slope
    rows, columns, around, slope = rows[near], columns[near], around[near], slope[near]
    # Not by BLAS, whose threads spin longer than so small a product takes.
    fine = np.einsum("nk,kyx->nyx", around, TAPS)
    gaps = np.abs(fine - level) / slope[:, None, None]
    return Line(rows + top, columns + left, gaps, opacity)


def _edges(inside: np.ndarray, reach: int) -> np.ndarray:
    """The cells up to `reach` away from where a region begins or ends."""
    edges = np.zeros(inside.shape, bool)
    down, across = inside[1:] != inside[:-1], inside[:, 1:] != inside[:, :-1]
    edges[1:] |= down
    edges[:, 1:] |= across
    for axis in (0, 1):
        single, edges = edges.swapaxes(0, axis), edges.copy()
        wide = edges.swapaxes(0, axis)
        for step in range(1, reach + 1):
            wide[step:] |= single[:-step]
            wide[:-step] |= single[step:]
    return edges


def _weak(field: np.ndarray, inside: np.ndarray, parts: int) -> np.ndarray:
    """The surroundings of all but the `parts` strongest connected parts of a region."""
    from scipy import ndimage

    labels, count = ndimage.label(inside)
    if count <= parts:
        return np.zeros(field.shape, bool)
    weak = np.zeros(count + 1, bool)
    heights = ndimage.maximum(field, labels, range(1, count + 1))
    weak[1 + np.argsort(-heights, kind="stable")[parts:]] = True
    return ndimage.binary_dilation(weak[labels], iterations=2)


def _around(field: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """(n, 9): some cells with their neighbours, row by row; the border is repeated."""
    wide = np.pad(field, 1, mode="edge")
    steps = np.add.outer(wide.shape[1] * np.arange(3), np.arange(3)).ravel()
    return wide.ravel()[(wide.shape[1] * rows + columns)[:, None] + steps]


def _taps() -> np.ndarray:
    """(9, CELL, CELL): what the cells around one count in its pixels, bilinearly."""
    offset = (np.arange(CELL) + 0.5) / CELL - 0.5
    single = np.stack([np.maximum(-offset, 0), 1 - np.abs(offset), np.maximum(offset, 0)])
    taps = np.einsum("ay,bx->abyx", single, single)
    return taps.reshape(9, CELL, CELL).astype(np.float32)


TAPS = _taps()
