"""Heatmaps on the grid of the truth, and what protocols ask of their pixels."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import cached_property, lru_cache

import numpy as np

from avloc.evaluation.kernels import Kernel, combine, heighten, taps, widen
from avloc.evaluation.normals import RULES, Normal

EPS = 2.0**-23  # of float32
CLOSE = 32 * EPS  # relative error of a rough pixel, generously: a few additions of a few products


class Field:
    """Values (h, w) float32 on the grid of the truth. Never changed; answers are kept."""

    def __init__(self, values: np.ndarray) -> None:
        self._given = values
        self._shape: tuple[int, int] = values.shape if values.ndim == 2 else (1, values.size)
        self._ranks: dict[int, np.float32] = {}

    @property
    def values(self) -> np.ndarray:
        """All of them, (h, w) float32."""
        return self._given

    @property
    def size(self) -> int:
        """The number of pixels."""
        return self.values.size

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        return self._shape

    @property
    def rough(self) -> np.ndarray:
        """All values (n,), nearly."""
        return self.values.ravel()

    @cached_property
    def ends(self) -> tuple[np.float32, np.float32]:
        """The least and the greatest value."""
        return self.values.min(), self.values.max()

    def rank(self, k: int) -> np.float32:
        """The value at position `k` when all are sorted upwards."""
        if k not in self._ranks:
            self._ranks[k] = np.partition(self.values, k, axis=None)[k]
        return self._ranks[k]

    def at_least(self, at: np.float32) -> np.ndarray:
        """The values (n,) of at least `at`."""
        return self.values[self.values >= at]

    def above(self, view: View, at: np.float32, strict: bool) -> np.ndarray:
        """Which pixels, normalised by `view`, exceed `at` (or reach it): (h, w) bool."""
        return _exceeds(view.of(self.values), at, strict)

    def above_rank(self, view: View, k: int, strict: bool) -> np.ndarray:
        """Which pixels exceed (or reach) the one at position `k`, both normalised by `view`."""
        return self.above(view, np.float32(view.of(self.rank(k))), strict)

    def levels(self, view: View, thresholds: np.ndarray) -> np.ndarray:
        """How many of the rising `thresholds` (t,) each pixel reaches after `view`."""
        return np.searchsorted(thresholds, view.of(self.values), "right").astype(np.uint8)

    def ties(self, view: View, k: int) -> int:
        """How many pixels equal the one at position `k` after `view`, itself included."""
        return int(np.count_nonzero(view.of(self.values) == view.of(self.rank(k))))


class Enlarged(Field):
    """A heatmap enlarged by a kernel, exactly, but only where it matters.

    All pixels are known roughly, by a product of matrices; which of them exceed a threshold is
    certain for all but the few close to it, and those are worked out as the library would.
    """

    def __init__(self, values: np.ndarray, kernel: Kernel, size: tuple[int, int]) -> None:
        super().__init__(np.empty(0))
        self._kernel, self._shape = kernel, size
        self._wide = widen(values, kernel, size[1])
        self._down = taps(values.shape[0], size[0], kernel)
        self._rough = (_matrix(values.shape[0], size[0], kernel) @ self._wide).ravel()
        self._slack = CLOSE * float(max(self._wide.max(), -self._wide.min()))
        self._near: dict[int, tuple[float, np.ndarray, np.ndarray]] = {}

    @cached_property
    def values(self) -> np.ndarray:
        return heighten(self._wide, self._kernel, self._shape[0])

    @property
    def size(self) -> int:
        return self._rough.size

    @property
    def rough(self) -> np.ndarray:
        return self._rough

    @cached_property
    def ends(self) -> tuple[np.float32, np.float32]:
        low, high = self._rough.min() + 2 * self._slack, self._rough.max() - 2 * self._slack
        outer = self._exact(((self._rough <= low) | (self._rough >= high)).nonzero()[0])
        return outer.min(), outer.max()

    def rank(self, k: int) -> np.float32:
        if k not in self._ranks:
            middle = rough_rank(self._rough, k)
            # Twice the slack would do for the rank; the rest is for the cuts that will follow.
            margin = 8 * self._slack
            rest = self._rough >= middle - margin
            below = self.size - int(np.count_nonzero(rest))
            rest &= self._rough <= middle + margin
            near = rest.nonzero()[0]
            exact = self._exact(near)
            self._ranks[k] = np.partition(exact, k - below)[k - below]
            self._near[k] = margin, near, exact
        return self._ranks[k]

    def at_least(self, at: np.float32) -> np.ndarray:
        values = self._exact((self._rough >= at - 2 * self._slack).nonzero()[0])
        return values[values >= at]

    def above(self, view: View, at: np.float32, strict: bool) -> np.ndarray:
        centre, reach = view.origin(at)
        margin = 2 * self._slack + CLOSE * reach
        if not np.isfinite(centre + margin):
            return super().above(view, at, strict)
        mask = self._rough > centre + margin
        near = ((self._rough >= centre - margin) ^ mask).nonzero()[0]
        if len(near):
            mask[near] = _exceeds(view.of(self._exact(near)), at, strict)
        return mask.reshape(self._shape)

    def above_rank(self, view: View, k: int, strict: bool) -> np.ndarray:
        at = self.rank(k)
        _, near, exact = self._near[k]
        if self._merges(view, k):
            return self.above(view, np.float32(view.of(at)), strict)
        mask = self._rough > at + self._slack
        mask[near] = _exceeds(view.of(exact), view.of(at), strict)
        return mask.reshape(self._shape)

    def levels(self, view: View, thresholds: np.ndarray) -> np.ndarray:
        margin = 2 * self._slack + CLOSE * view.reach
        edges = np.array([view.origin(at)[0] for at in thresholds])
        step = (edges[-1] - edges[0]) / (len(edges) - 1) if len(edges) > 1 else 0.0
        even = np.isfinite(edges).all() and np.ptp(np.diff(edges)) <= margin if step else False
        if not even:
            return super().levels(view, thresholds)
        place = (self._rough - np.float32(edges[0] - step)) * np.float32(1 / step)
        np.clip(place, 0, len(edges) + 0.5, out=place)
        found = place.astype(np.uint8)
        place -= np.rint(place)
        width = np.float32(4 * margin / step + CLOSE * len(edges))
        near = (np.abs(place, out=place) <= width).nonzero()[0]
        if len(near):
            found[near] = np.searchsorted(thresholds, view.of(self._exact(near)), "right")
        return found.reshape(self._shape)

    def ties(self, view: View, k: int) -> int:
        at = self.rank(k)
        if self._merges(view, k):
            reached, exceeded = (self.above_rank(view, k, strict) for strict in (False, True))
            return int(np.count_nonzero(reached)) - int(np.count_nonzero(exceeded))
        return int(np.count_nonzero(view.of(self._near[k][2]) == view.of(at)))

    def _merges(self, view: View, k: int) -> bool:
        """Whether `view` may make values equal that are not kept as close to position `k`."""
        return view.flat or 2 * self._slack + CLOSE * view.reach > self._near[k][0] / 2

    def _exact(self, pixels: np.ndarray) -> np.ndarray:
        """The values (n,) of `pixels` (n,), counted in rows."""
        if "values" in self.__dict__ or len(pixels) > self.size // 16:
            return self.values.ravel()[pixels]
        row, column = np.divmod(pixels, self._shape[1])
        terms = [self._wide[source[row], column] for source in self._down.source]
        return combine(self._kernel, terms, self._down.weight[:, row])


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
            forward = RULES[how].forward
            low, high = (np.float32(forward(end, low, high)) for end in (low, high))
        return steps

    def of(self, raw: np.ndarray | np.float32) -> np.ndarray:
        """What raw values of the field become."""
        for how, low, high in self._steps:
            raw = RULES[how].forward(raw, low, high)
        return np.asarray(raw)

    @cached_property
    def flat(self) -> bool:
        """Whether values that are far apart may become one."""
        return any(RULES[how].flat for how in self._normals)

    @cached_property
    def reach(self) -> float:
        """The size of the numbers that appear on the way."""
        rules = [RULES[how].reach for how in self._normals]
        return max(*(abs(float(end)) for end in self._field.ends), *rules)

    def origin(self, at: np.float32) -> tuple[float, float]:
        """About the raw value that becomes `at`, and the size of numbers that appear on the way."""
        value = float(at)
        for how, low, high in reversed(self._steps):
            value = RULES[how].back(value, float(low), float(high))
        return value, self.reach

    @cached_property
    def values(self) -> np.ndarray:
        """All values, (h, w) float32."""
        return self.of(self._field.values)

    @property
    def size(self) -> int:
        """The number of pixels."""
        return self._field.size

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        return self._field.shape

    @property
    def rough(self) -> np.ndarray:
        """All values (n,), wrong in the last few bits; no work to get."""
        return self.of(self._field.rough)

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
        return np.float32(self.of(self._field.rank(k)))

    def above(self, at: float | np.float32, strict: bool) -> np.ndarray:
        """Which pixels are greater than `at`, or unless `strict` equal to it: (h, w) bool."""
        return self._field.above(self, np.float32(at), strict)

    def above_rank(self, k: int, strict: bool) -> np.ndarray:
        """Which pixels are greater than (or at least) the value at position `k`."""
        return self._field.above_rank(self, k, strict)

    def keep(self, key: Hashable, make: Callable[[], np.ndarray]) -> np.ndarray:
        """What `make` gives, the same the next time for the same `key`."""
        if key not in self._kept:
            self._kept[key] = make()
        return self._kept[key]

    def levels(self, thresholds: np.ndarray) -> np.ndarray:
        """How many of the rising `thresholds` (t,) float32 each pixel reaches, (h, w) uint8."""
        return self._field.levels(self, thresholds)

    def ties(self, k: int) -> int:
        """How many pixels equal the value at position `k`, itself included."""
        return self._field.ties(self, k)

    def top_mean(self, count: int) -> np.float32:
        """The mean of the `count` greatest values, added in float32 from the least of them."""
        if count not in self._tops:
            least = self._field.rank(self._field.size - count)
            top = np.sort(self._field.at_least(least))[-count:]
            self._tops[count] = np.float32(self.of(top).mean())
        return self._tops[count]


def rough_rank(values: np.ndarray, k: int) -> np.float32:
    """`np.sort(values)[k]` of values (n,): a sample brackets it, then few are looked at closely."""
    n = len(values)
    sample = values[:: max(1, n // 3000)]
    middle, slack = k * len(sample) // n, 1 + len(sample) // 64
    first, last = max(0, middle - slack), min(len(sample) - 1, middle + slack)
    edges = np.partition(sample, (first, last))
    rest = values >= edges[first]
    below = n - int(np.count_nonzero(rest))
    rest &= values <= edges[last]
    between = values[rest]
    if below <= k < below + len(between):
        return np.partition(between, k - below)[k - below]
    return np.partition(values, k)[k]


def _exceeds(values: np.ndarray, at: np.ndarray | np.float32, strict: bool) -> np.ndarray:
    return values > at if strict else values >= at


@lru_cache(maxsize=64)
def _matrix(n_in: int, n_out: int, kernel: Kernel) -> np.ndarray:
    """The weights of one axis as a matrix (n_out, n_in) float32."""
    matrix = np.zeros((n_out, n_in), np.float32)
    for source, weight in zip(*taps(n_in, n_out, kernel), strict=True):
        np.add.at(matrix, (np.arange(n_out), source), weight)
    return matrix
