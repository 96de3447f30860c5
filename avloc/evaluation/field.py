"""Heatmaps on the grid of the truth, and what protocols ask of their pixels."""

from __future__ import annotations

from bisect import bisect_left, insort
from functools import cached_property
from typing import NamedTuple

import numpy as np

from avloc.evaluation.compiled import compiled
from avloc.evaluation.normals import CODES, Normal, normalise, one
from avloc.evaluation.truth import Counts


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


class Tally(NamedTuple):
    """Pixels greater than some value, and those at least as great."""

    above: Counts
    reached: Counts

    @property
    def ties(self) -> float:
        """How many are equal to it."""
        return self.reached.called - self.above.called


class View:
    """A field after some normalisations: what protocols look at."""

    def __init__(self, field: Field, normals: tuple[Normal, ...] = ()) -> None:
        self._field, self._normals = field, normals
        self._further: dict[Normal, View] = {}
        self._tops: dict[int, np.float32] = {}
        self._last: tuple[float, np.ndarray, Tally] | None = None

    def normal(self, how: Normal) -> View:
        """The same after one more normalisation."""
        if how == "none":
            return self
        if how not in self._further:
            self._further[how] = View(self._field, (*self._normals, how))
        return self._further[how]

    @cached_property
    def _ends(self) -> list[tuple[np.float32, np.float32]]:
        """The least and the greatest value that each normalisation meets, and that come out."""
        ends = [self._field.ends]
        for how in self._normals:
            low, high = ends[-1]
            ends.append((one(how, low, low, high), one(how, high, low, high)))
        return ends

    @cached_property
    def _steps(self) -> tuple[np.ndarray, np.ndarray]:
        """The normalisations (s,) by `CODES`, and what each meets, (s + 1, 2)."""
        codes = np.array([CODES[how] for how in self._normals], np.int64)
        return codes, np.array(self._ends, np.float32)

    def one(self, raw: np.float32) -> np.float32:
        """What a raw value of the field becomes."""
        for how, (low, high) in zip(self._normals, self._ends, strict=False):
            raw = one(how, raw, low, high)
        return raw

    def of(self, raw: np.ndarray) -> np.ndarray:
        """What raw values of the field become."""
        values = np.array(raw, np.float32)  # a copy
        for code, (low, high) in zip(*self._steps, strict=False):
            normalise(values.reshape(-1), code, low, high)
        return values

    @cached_property
    def values(self) -> np.ndarray:
        """All values, (h, w) float32."""
        return self.of(self._field.values) if self._normals else self._field.values

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
        return self._ends[-1][0]

    @property
    def high(self) -> np.float32:
        """The greatest value."""
        return self._ends[-1][1]

    def rank(self, k: int) -> np.float32:
        """The value at position `k` when all are sorted upwards."""
        return self.one(self._field.order.rank(k))

    def above(self, at: float | np.float32, strict: bool) -> np.ndarray:
        """Which pixels are greater than `at`, or unless `strict` equal to it: (h, w) bool."""
        at = np.float32(at)
        return self.values > at if strict else self.values >= at

    def above_rank(self, k: int, strict: bool) -> np.ndarray:
        """Which pixels are greater than (or at least) the value at position `k`."""
        return self.above(self.rank(k), strict)

    def tally(self, at: float | np.float32, halves: np.ndarray) -> Tally:
        """How many pixels lie above `at`, or reach it, beside a truth (`Truth.halves`)."""
        if self._last is None or self._last[0] != at or self._last[1] is not halves:
            counts = _tally(self._field.values, *self._steps, np.float32(at), halves).tolist()
            self._last = float(at), halves, Tally(*(Counts(*row) for row in counts))
        return self._last[2]

    def top_mean(self, count: int) -> np.float32:
        """The mean of the `count` greatest values, added in float32 from the least of them."""
        if count not in self._tops:
            self._tops[count] = np.float32(self.of(self._field.order.top(count)).mean())
        return self._tops[count]


@compiled
def _tally(
    values: np.ndarray, codes: np.ndarray, ends: np.ndarray, at: np.float32, halves: np.ndarray
) -> np.ndarray:
    """The counts above `at` and at least there, (2, 3)."""
    counts = np.zeros((2, 3), np.int64)
    row = np.empty(values.shape[1], np.float32)
    for y in range(values.shape[0]):
        for x in range(row.size):
            row[x] = values[y, x]
        for k in range(codes.size):
            normalise(row, codes[k], ends[k, 0], ends[k, 1])
        # Whole numbers of 32 bits, as wide as the values, are what processors add many at a time.
        a = b = c = d = e = f = np.int32(0)
        for x in range(row.size):
            above, reached, twice = (
                np.int32(row[x] > at),
                np.int32(row[x] >= at),
                np.int32(halves[y, x]),
            )
            inside = np.int32(twice > 0)
            a = np.int32(a + above)
            b = np.int32(b + above * inside)
            c = np.int32(c + above * twice)
            d = np.int32(d + reached)
            e = np.int32(e + reached * inside)
            f = np.int32(f + reached * twice)
        counts[0, 0] += a
        counts[0, 1] += b
        counts[0, 2] += c
        counts[1, 0] += d
        counts[1, 1] += e
        counts[1, 2] += f
    return counts
