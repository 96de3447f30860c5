"""Boxes and peaks between two heatmaps: what is seen in both moves, the rest fades in or out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

REACH = 0.125
"""How far something moves between two heatmaps, in fractions of the picture; further away is
something else."""


def moved(
    before: Sequence[tuple[float, ...]],
    after: Sequence[tuple[float, ...]],
    share: float,
    weights: tuple[float, float],
) -> list[tuple[tuple[float, ...], float]]:
    """What is to be drawn between two lists of points (x, y) or boxes (x0, y0, x1, y1).

    Args:
        before, after: in fractions of the picture.
        share: 0..1, how far on the way.
        weights: how visible what is only in `before` and only in `after` is; together, what is in
            both.

    Returns:
        Points or boxes, each with its opacity.
    """
    pairs = matched(before, after)
    both = [
        (tuple(a + (b - a) * share for a, b in zip(before[i], after[j], strict=True)), sum(weights))
        for i, j in pairs
    ]
    gone, come = {i for i, _ in pairs}, {j for _, j in pairs}
    leaving = [(one, weights[0]) for i, one in enumerate(before) if i not in gone]
    coming = [(one, weights[1]) for j, one in enumerate(after) if j not in come]
    return both + leaving + coming


def matched(
    before: Sequence[tuple[float, ...]], after: Sequence[tuple[float, ...]]
) -> list[tuple[int, int]]:
    """Pairs of indices of what is the same thing in both lists, the nearest first."""
    ways = []
    for i, one in enumerate(before):
        for j, other in enumerate(after):
            x, y = np.subtract(_centre(one), _centre(other))
            way = float(np.hypot(x, y))
            if way < REACH or _overlap(one, other):
                ways.append((way, i, j))
    pairs: list[tuple[int, int]] = []
    for _, i, j in sorted(ways):
        if all(i != a and j != b for a, b in pairs):
            pairs.append((i, j))
    return pairs


def _centre(shape: tuple[float, ...]) -> tuple[float, float]:
    return (shape[0] + shape[-2]) / 2, (shape[1] + shape[-1]) / 2


def _overlap(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    """Whether two boxes share something; points never do."""
    return all(max(one[axis], other[axis]) < min(one[axis - 2], other[axis - 2]) for axis in (0, 1))
