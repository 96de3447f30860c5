"""What can be wrong with boxes and ids, told and never mended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from avloc.data.benchmarks.sources import digest
from avloc.data.benchmarks.types import Benchmark, Item, Problem
from avloc.errors import DataError


def benchmark(
    name: str,
    items: Iterable[Item],
    source: Sequence[Path],
    problems: Iterable[Problem] = (),
    sha256: Sequence[str] | None = None,
) -> Benchmark:
    """The items with their boxes and ids checked.

    An id that comes again is read as `ID (2)`, so that no row is lost and ids stay unique.

    Raises:
        DataError: there are no items.
    """
    found, told = [], list(problems)
    seen: Counter[str] = Counter()
    for item in items:
        seen[item.id] += 1
        if seen[item.id] > 1:
            again = f"{item.id} ({seen[item.id]})"
            told.append(Problem(item.id, f"the id stands again; that row is read as {again!r}"))
            item = replace(item, id=again)
        found.append(item)
        told += [Problem(item.id, what) for what in faults(item)]
    if not found:
        raise DataError(f"{', '.join(map(str, source))}: no items in it; is it the right list?")
    sums = tuple(sha256) if sha256 is not None else tuple(digest(path) for path in source)
    return Benchmark(name, tuple(found), tuple(told), tuple(source), sums)


def faults(item: Item) -> list[str]:
    """What is wrong with the truth of one item."""
    told = []
    limits = np.array([*item.scale, *item.scale])
    for number, box in enumerate(item.boxes, start=1):
        if (box < 0).any() or (box > limits).any():
            told.append(f"box {number} leaves the picture: {_short(box)}")
        if _area(box, limits) <= 0:
            told.append(f"box {number} has no area: {_short(box)}")
    areas = [_area(box, limits) for box in item.boxes]
    if item.sounds and item.mask is None and not any(area > 0 for area in areas):
        told.append("no truth: nothing in the picture is marked")
    if not item.sounds and any(area > 0 for area in areas):
        told.append("boxes although no source is visible")
    return told


def box_list(values: object, size: bool = False) -> tuple[np.ndarray, list[str]]:
    """Boxes (n, 4) from a JSON list, and what could not be read as one.

    Args:
        values: lists of four numbers.
        size: the last two are width and height, to be turned into the other corner.
    """
    if not isinstance(values, list):
        return np.zeros((0, 4)), [f"boxes are not a list: {values!r:.60}"]
    boxes, told = [], []
    for number, value in enumerate(values, start=1):
        box = _numbers(value)
        if box is None:
            told.append(f"box {number} is not four numbers: {value!r:.60}; it is left out")
            continue
        boxes.append(np.concatenate([box[:2], box[:2] + box[2:]]) if size else box)
    return np.array(boxes, np.float64).reshape(-1, 4), told


def _numbers(value: object) -> np.ndarray | None:
    if not isinstance(value, list) or any(isinstance(part, bool) for part in value):
        return None
    try:
        box = np.array(value, np.float64)
    except (TypeError, ValueError, OverflowError):
        return None
    return box if box.shape == (4,) and np.isfinite(box).all() else None


def _area(box: np.ndarray, limits: np.ndarray) -> float:
    x0, y0, x1, y1 = np.clip(box, 0, limits)
    return float(max(0.0, x1 - x0) * max(0.0, y1 - y0))


def _short(box: np.ndarray) -> str:
    return "[" + ", ".join(f"{value:.4g}" for value in box) + "]"
