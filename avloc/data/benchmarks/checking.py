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
    items = list(items)
    taken = {item.id for item in items}
    seen: Counter[str] = Counter()
    for item in items:
        seen[item.id] += 1
        if seen[item.id] > 1:
            while (again := f"{item.id} ({seen[item.id]})") in taken:
                seen[item.id] += 1
            told.append(Problem(item.id, f"the id stands again; that row is read as {again!r}"))
            taken.add(again)
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
    if not item.id.strip() or not item.id.isprintable():
        told.append(f"the id {item.id!r} is empty or cannot be printed")
    limits = np.array([*item.scale, *item.scale])
    outside = np.any((item.boxes < 0) | (item.boxes > limits), axis=1)
    inner = np.clip(item.boxes, 0, limits)
    empty = np.prod(np.maximum(inner[:, 2:] - inner[:, :2], 0), axis=1) <= 0
    for number in np.flatnonzero(outside | empty):
        box = f"box {number + 1}", _short(item.boxes[number])
        told += [f"{box[0]} leaves the picture: {box[1]}"] * bool(outside[number])
        told += [f"{box[0]} has no area: {box[1]}"] * bool(empty[number])
    if item.sounds and item.mask is None and empty.all():
        told.append("no truth: nothing in the picture is marked")
    if not item.sounds and not empty.all():
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


def _short(box: np.ndarray) -> str:
    return "[" + ", ".join(f"{value:.4g}" for value in box) + "]"
