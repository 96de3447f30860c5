"""Antialiased drawing with signed distances: shapes, and a sheet that paints them.

A shape gives the distance of every point from its edge, negative inside. Coordinates are the
drawing's own: x to the right, y downwards, the drawing within about -1..1. The sheet knows how
many pixels a unit is and how the drawing is turned, so one drawing serves every size, and an edge
is as soft as one pixel, whatever its size.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Point = tuple[float, float]
Colour = tuple[float, float, float]
Distance = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Shape:
    """An outline: `distance(x, y)`, and bounds (x0, y0, x1, y1) outside which it is positive."""

    distance: Distance
    bounds: tuple[float, float, float, float]

    def __or__(self, other: Shape) -> Shape:
        (a, b, c, d), (e, f, g, h) = self.bounds, other.bounds
        return Shape(
            lambda x, y: np.minimum(self.distance(x, y), other.distance(x, y)),
            (min(a, e), min(b, f), max(c, g), max(d, h)),
        )

    def __and__(self, other: Shape) -> Shape:
        return Shape(
            lambda x, y: np.maximum(self.distance(x, y), other.distance(x, y)), self.bounds
        )

    def __sub__(self, other: Shape) -> Shape:
        return Shape(
            lambda x, y: np.maximum(self.distance(x, y), -other.distance(x, y)), self.bounds
        )

    def outline(self, width: float) -> Shape:
        """A line of `width` along the edge."""
        a, b, c, d = self.bounds
        half = width / 2
        return Shape(
            lambda x, y: np.abs(self.distance(x, y)) - half,
            (a - half, b - half, c + half, d + half),
        )

    def turned(self, degrees: float, about: Point = (0.0, 0.0)) -> Shape:
        """Turned clockwise, as seen, about a point."""
        cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        px, py = about
        a, b, c, d = self.bounds
        corners = [(x - px, y - py) for x in (a, c) for y in (b, d)]
        xs = [px + cos * x - sin * y for x, y in corners]
        ys = [py + sin * x + cos * y for x, y in corners]
        return Shape(
            lambda x, y: self.distance(
                px + cos * (x - px) + sin * (y - py), py - sin * (x - px) + cos * (y - py)
            ),
            (float(min(xs)), float(min(ys)), float(max(xs)), float(max(ys))),
        )


def disc(x: float, y: float, radius: float) -> Shape:
    """A filled circle."""
    return ellipse(x, y, radius, radius)


def ellipse(x: float, y: float, across: float, down: float) -> Shape:
    """A filled ellipse with half axes `across` and `down`; distances are close, not exact."""

    def distance(px: np.ndarray, py: np.ndarray) -> np.ndarray:
        u, v = (px - x) / across, (py - y) / down
        length = np.sqrt(u * u + v * v)
        if across == down:
            return (length - 1) * across
        slope = np.sqrt((u / across) ** 2 + (v / down) ** 2)
        return length * (length - 1) / np.maximum(slope, 1e-6)

    return Shape(distance, (x - across, y - down, x + across, y + down))


def box(x0: float, y0: float, x1: float, y1: float, radius: float = 0.0) -> Shape:
    """A rectangle with rounded corners."""
    cx, cy, hx, hy = (x0 + x1) / 2, (y0 + y1) / 2, (x1 - x0) / 2, (y1 - y0) / 2

    def distance(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        u, v = np.abs(x - cx) - (hx - radius), np.abs(y - cy) - (hy - radius)
        outside = np.sqrt(np.maximum(u, 0) ** 2 + np.maximum(v, 0) ** 2)
        return outside + np.minimum(np.maximum(u, v), 0) - radius

    return Shape(distance, (x0, y0, x1, y1))


def stroke(start: Point, end: Point, width: float, end_width: float | None = None) -> Shape:
    """A line with round ends, its width going over from `width` to `end_width`."""
    (ax, ay), (bx, by) = start, end
    first = width / 2
    last = first if end_width is None else end_width / 2
    dx, dy = bx - ax, by - ay
    length = max(dx * dx + dy * dy, 1e-9)

    def distance(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        along = np.clip(((x - ax) * dx + (y - ay) * dy) / length, 0, 1)
        gap = np.sqrt((x - ax - along * dx) ** 2 + (y - ay - along * dy) ** 2)
        return gap - (first + (last - first) * along)

    return Shape(
        distance,
        (
            min(ax - first, bx - last),
            min(ay - first, by - last),
            max(ax + first, bx + last),
            max(ay + first, by + last),
        ),
    )


def polygon(*corners: Point, radius: float = 0.0) -> Shape:
    """A filled polygon, grown by `radius` with round corners.

    The even-odd rule and the nearest edge, as in Quilez, "2D distance functions".
    """
    points = [(float(x), float(y)) for x, y in corners]

    def distance(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        nearest = np.full(x.shape, 1e9, np.float32)
        inside = np.zeros(x.shape, bool)
        for (ax, ay), (bx, by) in zip(points, [*points[1:], points[0]], strict=True):
            ex, ey, wx, wy = bx - ax, by - ay, x - ax, y - ay
            along = np.clip((wx * ex + wy * ey) / max(ex * ex + ey * ey, 1e-12), 0, 1)
            nearest = np.minimum(nearest, (wx - ex * along) ** 2 + (wy - ey * along) ** 2)
            if ay != by:
                inside ^= ((ay > y) != (by > y)) & (wx < ex * wy / ey)
        return np.where(inside, -1, 1) * np.sqrt(nearest) - radius

    xs, ys = [p[0] for p in points], [p[1] for p in points]
    return Shape(distance, (min(xs) - radius, min(ys) - radius, max(xs) + radius, max(ys) + radius))


class Sheet:
    """Paint with alpha, premultiplied: `pixels` (4, h, w) float32 of red, green, blue, alpha, 0..1.

    `size` is (height, width) in pixels, `scale` the pixels of a unit; the drawing's origin lies
    at `origin` = (x, y) in pixels, turned by `degrees` clockwise, mirrored first if `flip`.
    """

    def __init__(
        self,
        size: tuple[int, int],
        scale: float,
        origin: Point,
        degrees: float = 0.0,
        flip: bool = False,
    ) -> None:
        self.pixels = np.zeros((4, *size), np.float32)
        self._scale, self._origin = scale, origin
        self._cos, self._sin = (
            float(np.cos(np.radians(degrees))),
            float(np.sin(np.radians(degrees))),
        )
        self._sign = -1.0 if flip else 1.0

    def paint(
        self,
        shape: Shape,
        colour: Colour,
        relief: float = 0.0,
        depth: float = 0.15,
        alpha: float = 1.0,
    ) -> None:
        """Paint `shape`.

        Args:
            relief: how strongly its rim catches the light from the upper left; negative: sunk.
            depth: how far in from the edge the rim's roundness reaches.
            alpha: opacity.
        """
        rows, columns = self._window(shape.bounds)
        if rows.start >= rows.stop or columns.start >= columns.stop:
            return
        ix = (np.arange(columns.start, columns.stop) + 0.5 - self._origin[0]) / self._scale
        iy = (np.arange(rows.start, rows.stop) + 0.5 - self._origin[1]) / self._scale
        right, down = ix.astype(np.float32)[None], iy.astype(np.float32)[:, None]
        x = self._sign * (self._cos * right + self._sin * down)
        y = self._cos * down - self._sin * right
        distance = shape.distance(x, y)
        cover = np.float32(alpha) * np.maximum(np.minimum(0.5 - distance * self._scale, 1), 0)
        tint = np.array(colour, np.float32)[:, None, None]
        if relief and min(distance.shape) > 1:
            rim = np.exp(np.minimum(distance, 0) / depth)
            slope = 0.55 * _step(distance, 1) + 0.8 * _step(distance, 0)
            light = 1 + 0.15 * abs(relief) * (1 - rim) - (relief * self._scale) * rim * slope
            tint = np.maximum(np.minimum(tint * light, 1), 0)
        under = self.pixels[:, rows, columns]
        under *= 1 - cover
        under[:3] += tint * cover
        under[3] += cover

    def _window(self, bounds: tuple[float, float, float, float]) -> tuple[slice, slice]:
        """The pixels (rows, columns) that `bounds` can reach, with one to spare."""
        x0, y0, x1, y1 = bounds
        corners = [(self._sign * x, y) for x in (x0, x1) for y in (y0, y1)]
        xs = [self._origin[0] + self._scale * (self._cos * x - self._sin * y) for x, y in corners]
        ys = [self._origin[1] + self._scale * (self._sin * x + self._cos * y) for x, y in corners]
        height, width = self.pixels.shape[1:]
        return (
            slice(max(0, int(min(ys)) - 1), min(height, int(max(ys)) + 2)),
            slice(max(0, int(min(xs)) - 1), min(width, int(max(xs)) + 2)),
        )


def _step(values: np.ndarray, axis: int) -> np.ndarray:
    """Differences of neighbours along an axis of `values` (h, w), the last one repeated."""
    steps = np.empty_like(values)
    if axis == 0:
        np.subtract(values[1:], values[:-1], out=steps[:-1])
        steps[-1] = steps[-2]
    else:
        np.subtract(values[:, 1:], values[:, :-1], out=steps[:, :-1])
        steps[:, -1] = steps[:, -2]
    return steps
