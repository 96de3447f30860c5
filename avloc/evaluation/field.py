"""Heatmaps on the grid of the truth, and what protocols ask of their pixels."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Hashable
from functools import cached_property

import numpy as np

from avloc.evaluation.normals import RULES, Normal


class Field:
    """Values (h, w) float32 on the grid of the truth. Never changed; answers are kept."""

    def __init__(self, values: np.ndarray) -> None:
        self.values = values

    @cached_property
    def ends(self) -> tuple[np.float32, np.float32]:
        """The least and the greatest value."""
        return self.values.min(), self.values.max()

    @cached_property
    def order(self) -> Order:
        """The values in order, as far as somebody asked."""
        return Order(self.values)


class Order:
    """Order statistics of an array: each question sorts only between the answers known before."""

    def __init__(self, values: np.ndarray) -> None:
        self._values = values.flatten()
        self._known = [-1, values.size]

    def rank(self, k: int) -> np.float32:
        """The value at position `k` when all are sorted upwards."""
        at = bisect_left(self._known, k)
        if self._known[at] != k:
            first = self._known[at - 1] + 1
            self._values[first : self._known[at]].partition(k - first)
            insort(self._known, k)
        return self._values[k]

    def top(self, count: int) -> np.ndarray:
        """The `count` greatest values, (count,), from the least of them."""
        self.rank(self._values.size - count)
        return np.sort(self._values[-count:])


class View:
    """A field after some normalisations: what protocols look at."""

    def __init__(self, field: Field, normals: tuple[Normal, ...] = ()) -> None:
        self._field, self._normals = field, normals
        self._further: dict[Normal, View] = {}
        self._kept: dict[Hashable, np.ndarray] = {}
        self._tops: dict[int, np.float32] = {}

    def normal(self, how: Normal) -> View:
        """The same after one more normalisation."""
        if how == "none":
            return self
        if how not in self._further:
            self._further[how] = View(self._field, (*self._normals, how))
        return self._further[how]

    @cached_property
    def _steps(self) -> list[tuple[Normal, np.float32, np.float32]]:
        """The normalisations, each with the least and greatest value that it meets."""
        steps = []
        low, high = self._field.ends
        for how in self._normals:
            steps.append((how, low, high))
            low, high = (np.float32(RULES[how](end, low, high)) for end in (low, high))
        return steps

    def of(self, raw: np.ndarray | np.float32) -> np.ndarray:
        """What raw values of the field become."""
        for how, low, high in self._steps:
            raw = RULES[how](raw, low, high)
        return np.asarray(raw)

    @cached_property
    def values(self) -> np.ndarray:
        """All values, (h, w) float32."""
        return self.of(self._field.values)

    @property
    def size(self) -> int:
        """The number of pixels."""
        return self._field.values.size

    @property
    def shape(self) -> tuple[int, ...]:
        """Height and width."""
        return self._field.values.shape

    @property
    def low(self) -> np.float32:
        """The least value."""
        return np.float32(self.of(self._field.ends[0]))

    @property
    def high(self) -> np.float32:
        """The greatest value."""
        return np.float32(self.of(self._field.ends[1]))

    def rank(self, k: int) -> np.float32:
        """The value at position `k` when all are sorted upwards."""
        return np.float32(self.of(self._field.order.rank(k)))

    def above(self, at: float | np.float32, strict: bool) -> np.ndarray:
        """Which pixels are greater than `at`, or unless `strict` equal to it: (h, w) bool."""
        at = np.float32(at)
        return self.values > at if strict else self.values >= at

    def above_rank(self, k: int, strict: bool) -> np.ndarray:
        """Which pixels are greater than (or at least) the value at position `k`."""
        return self.above(self.rank(k), strict)

    def keep(self, key: Hashable, make: Callable[[], np.ndarray]) -> np.ndarray:
        """What `make` gives, the same the next time for the same `key`."""
        if key not in self._kept:
            self._kept[key] = make()
        return self._kept[key]

    def ties(self, k: int) -> int:
        """How many pixels equal the value at position `k`, itself included."""
        return int(np.count_nonzero(self.values == self.rank(k)))

    def top_mean(self, count: int) -> np.float32:
        """The mean of the `count` greatest values, added in float32 from the least of them."""
        if count not in self._tops:
            self._tops[count] = np.float32(self.of(self._field.order.top(count)).mean())
        return self._tops[count]

    @property
    def rough(self) -> np.ndarray:
        return self.values.ravel()
