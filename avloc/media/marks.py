"""Thin lines over a picture: contours, boxes and peaks as one distance to the nearest line.

A line is light with a dark edge, so that it shows on any background, and antialiased. Only the
pixels near a line are computed and kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from avloc.media.blend import CELL
from avloc.media.pixels import Pixels

Distance = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Pixels to a line, of the points (y, x) in pixels from the picture's corner."""

LIGHT = 0.95
DARK = 0.08


def box_distance(top: float, left: float, bottom: float, right: float) -> Distance:
    """The distance to the outline of a box."""
    middle, centre = (top + bottom) / 2, (left + right) / 2
    half_height, half_width = (bottom - top) / 2, (right - left) / 2

    def distance(y: np.ndarray, x: np.ndarray) -> np.ndarray:
        beyond_y, beyond_x = np.abs(y - middle) - half_height, np.abs(x - centre) - half_width
        outside = np.hypot(np.maximum(beyond_y, 0), np.maximum(beyond_x, 0))
        return np.abs(outside + np.minimum(np.maximum(beyond_y, beyond_x), 0))

    return distance


def ring_distance(middle: float, centre: float, radius: float) -> Distance:
    """The distance to a circle."""
    return lambda y, x: np.abs(np.hypot(y - middle, x - centre) - radius)


@dataclass(frozen=True, eq=False)
class Line:
    """A line by its distance.

    Attributes:
        cells: (h, w), the distance at the centres of cells of CELL x CELL pixels.
        distance: at any point.
    """

    cells: np.ndarray
    distance: Distance


def shape_line(distance: Distance, size: tuple[int, int]) -> Line:
    """The line of a box or circle, for a picture of `size` = (h, w) cells."""
    y, x = np.ogrid[: size[0], : size[1]]
    return Line(distance((y + 0.5) * CELL, (x + 0.5) * CELL), distance)


def level_line(field: np.ndarray, level: float) -> Line:
    """About the line where a smooth field (h, w), given in cells, has the value `level`."""
    height, width = field.shape
    slope_y, slope_x = (
        np.gradient(field, axis=axis) if field.shape[axis] > 1 else np.zeros_like(field)
        for axis in (0, 1)
    )
    slope = np.sqrt(slope_y**2 + slope_x**2) / CELL
    # On a plateau the line would swell to a patch: a floor under the slope thins it out instead.
    slope = np.maximum(slope, 0.1 * slope.max() + 1e-12)

    def distance(y: np.ndarray, x: np.ndarray) -> np.ndarray:
        row = np.clip(y / CELL - 0.5, 0, height - 1)
        column = np.clip(x / CELL - 0.5, 0, width - 1)
        r0, c0 = row.astype(int), column.astype(int)
        r1, c1 = np.minimum(r0 + 1, height - 1), np.minimum(c0 + 1, width - 1)
        dy, dx = row - r0, column - c0
        upper = field[r0, c0] * (1 - dx) + field[r0, c1] * dx
        lower = field[r1, c0] * (1 - dx) + field[r1, c1] * dx
        return np.abs(upper * (1 - dy) + lower * dy - level) / slope[r0, c0]

    return Line(np.abs(field - level) / slope, distance)


def outline(field: np.ndarray, inside: np.ndarray, parts: int) -> Line | None:
    """The line around the up to `parts` strongest connected parts of a region.

    Args:
        field: (h, w), smooth, in cells.
        inside: (h, w) bool, where the field is at least some level.

    Returns:
        None where the region is empty or all.
    """
    from scipy import ndimage

    if not inside.any() or inside.all():
        return None
    line = level_line(field, float(field[inside].min()))
    labels, count = ndimage.label(inside)
    if count > parts:
        heights = ndimage.maximum(field, labels, range(1, count + 1))
        weak = 1 + np.argsort(-heights, kind="stable")[parts:]
        far = ndimage.binary_dilation(np.isin(labels, weak), iterations=2)
        line.cells[far] = np.inf
    return line


@dataclass(frozen=True, eq=False)
class Marks:
    """The pixels near lines, for each plane: rows, columns, opacity in 0..1 and
    premultiplied colour (n,)."""

    parts: tuple[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray], ...]


def draw_marks(planes: Sequence[np.ndarray], shares: Sequence[tuple[Marks, float]]) -> None:
    """Draw several marks into the planes, each at its share (0..1) of the full opacity.

    Each changes the picture as it was before all of them: where the lines of two marks lie on each
    other, shares that add up to one draw exactly that line.
    """
    for index, plane in enumerate(planes):
        changes = []
        for marks, share in shares:
            rows, columns, opacity, colour = marks.parts[index]
            changes.append((rows, columns, share * (colour - opacity * plane[rows, columns])))
        for rows, columns, change in changes:
            # The sum is a mean of the picture and the lines' colours: never out of range.
            plane[rows, columns] = np.rint(plane[rows, columns] + change).astype(plane.dtype)


def marks(
    pixels: Pixels, height: int, width: int, lines: Sequence[Line], opacity: float
) -> Marks | None:
    """The `lines` drawn for a picture of `height` x `width` pixels; None where there are none."""
    if not lines or opacity <= 0:
        return None
    core, edge = line_width(height, width)
    reach = core + edge + 1
    # Only cells that a line may touch, by half a cell's diagonal and a little for its curvature.
    near = np.minimum.reduce([line.cells for line in lines]) <= reach + 0.8 * CELL
    down, across = (CELL * place[:, None, None] for place in np.nonzero(near))
    inner = np.arange(CELL)
    rows = (down + inner[:, None] + np.zeros_like(inner)).ravel()
    columns = (across + np.zeros_like(inner)[:, None] + inner).ravel()
    y, x = rows.astype(np.float32) + 0.5, columns.astype(np.float32) + 0.5
    gap = np.minimum.reduce([line.distance(y, x) for line in lines])
    keep = (gap < reach) & (rows < height) & (columns < width)
    rows, columns, gap = rows[keep], columns[keep], gap[keep]
    if not len(rows):
        return None
    light = np.clip(core - gap + 0.5, 0, 1)
    dark = 0.6 * np.clip(core + edge - gap + 0.5, 0, 1) * (1 - light)
    cover = light + dark
    grey = (light * LIGHT + dark * DARK) / np.maximum(cover, 1e-6)
    cover *= opacity
    colour = cover[:, None] * pixels.codes(np.repeat(grey[:, None], 3, axis=1))
    return Marks(_planes(pixels, height, width, rows, columns, cover, colour))


def line_width(height: int, width: int) -> tuple[float, float]:
    """Half the width of a line's light core, and the width of its dark edge, in pixels."""
    unit = max(1.0, min(height, width) / 360)
    return 0.55 * unit, 0.8 * unit


def _planes(
    pixels: Pixels,
    height: int,
    width: int,
    rows: np.ndarray,
    columns: np.ndarray,
    opacity: np.ndarray,
    colour: np.ndarray,
) -> tuple[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray], ...]:
    """The pixels gathered to the samples of each plane, a sample being its pixels' mean."""
    parts = []
    for index, (down, across) in enumerate(pixels.shifts):
        plane_width = pixels.shape(index, height, width)[1]
        places, inverse = np.unique(
            (rows >> down) * plane_width + (columns >> across), return_inverse=True
        )
        area = 1 << (down + across)
        cover = (np.bincount(inverse, opacity) / area).astype(np.float32)
        sums = (np.bincount(inverse, colour[:, index]) / area).astype(np.float32)
        parts.append((places // plane_width, places % plane_width, cover, sums))
    return tuple(parts)
