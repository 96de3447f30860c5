"""Which sound of a list cannot come from a picture of it.

As in vssl_eval (Juanola et al., arXiv 2410.01020): one of the classes that the picture does not
show is drawn, and then one of its items. What is drawn depends on the item's name and on the list
alone.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from avloc.data.benchmarks.types import Item
from avloc.errors import DataError


def offscreen(items: Sequence[Item], benchmark: str) -> dict[str, Item]:
    """For each item, by id, the one whose sound goes with its picture.

    Where a list tells no class, every picture counts as one.

    Args:
        items: all of them can be heard.
        benchmark: its name, for the error.

    Raises:
        DataError: a picture shows all there is.
    """
    shown: dict[str, set[str]] = defaultdict(set)
    classes: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        shown[item.unit].add(_class(item))
        if item.sounds:
            classes[_class(item)].append(item)
    names = sorted(classes)
    found = {}
    for item in items:
        order = (names[k] for k in seeded(item.id).permutation(len(names)))
        usable = (_foreign(item, classes[name], shown) for name in order)
        drawn = next(filter(None, usable), [])
        if not drawn:
            raise DataError(
                f"negatives: nothing in {benchmark} sounds other than what {item.id} shows; take a "
                "list of several classes"
            )
        found[item.id] = drawn[int(seeded(f"{item.id} sound").integers(len(drawn)))]
    return found


def seeded(name: str) -> np.random.Generator:
    """Random numbers that depend on a name alone."""
    return np.random.default_rng(zlib.crc32(name.encode()))


def _class(item: Item) -> str:
    return item.label or item.unit


def _foreign(item: Item, members: Sequence[Item], shown: dict[str, set[str]]) -> list[Item]:
    """Those of a class in which nothing can be heard that the item's picture shows."""
    return [one for one in members if not shown[item.unit] & _heard(one, shown)]


def _heard(item: Item, shown: dict[str, set[str]]) -> set[str]:
    return shown[item.unit] if "mixed_with" in item.media else {_class(item)}
