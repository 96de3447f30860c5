"""An enlarged heatmap and what protocols ask of it, each worked out once however many ask."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np

from avloc.evaluation.kernels import Kernel, enlarge
from avloc.evaluation.truth import GRID

Scale = Literal["cosine", "logit"]
Normal = Literal[
    "none",
    "range",
    "range-negated",
    "range-unguarded",
    "cosine-fixed",
    "objects-fixed",
    "unit",
    "sigmoid",
]

TEMPERATURE = 0.03  # of every method whose maps are logits: logit = cosine / 0.03


class Field:
    """Values (h, w) float32 on the grid of the truth. Never changed; what it gives neither."""

    def __init__(self, values: np.ndarray) -> None:
        self.values = values
        self._ranks: dict[int, np.float32] = {}
        self._normal: dict[Normal, Field] = {}
        self._low: np.float32 | None = None
        self._high: np.float32 | None = None

    @property
    def low(self) -> np.float32:
        """The least value."""
        if self._low is None:
            self._low = self.values.min()
        return self._low

    @property
    def high(self) -> np.float32:
        """The greatest value."""
        if self._high is None:
            self._high = self.values.max()
        return self._high

    def rank(self, k: int) -> np.float32:
        """The value that comes at position `k` when all are sorted upwards."""
        if k not in self._ranks:
            self._ranks[k] = order_statistic(self.values.ravel(), k)
        return self._ranks[k]

    def normal(self, how: Normal) -> Field:
        """The same field after a normalisation. All of them keep the order of values."""
        if how == "none":
            return self
        if how not in self._normal:
            self._normal[how] = _Normalised(self, how)
        return self._normal[how]

    def ties(self, k: int) -> int:
        """How many pixels equal the value at position `k`."""
        return int(np.count_nonzero(self.values == self.rank(k)))


class _Normalised(Field):
    """Its order statistics are the original's, normalised: no second sort."""

    def __init__(self, origin: Field, how: Normal) -> None:
        function = _NORMALS[how]
        super().__init__(function(origin.values, origin.low, origin.high))
        self._function = function
        self._origin = origin

    def _of(self, value: np.float32) -> np.float32:
        return np.float32(self._function(value, self._origin.low, self._origin.high))

    @property
    def low(self) -> np.float32:
        return self._of(self._origin.low)

    @property
    def high(self) -> np.float32:
        return self._of(self._origin.high)

    def rank(self, k: int) -> np.float32:
        return self._of(self._origin.rank(k))


def order_statistic(values: np.ndarray, k: int) -> np.float32:
    """`np.sort(values)[k]` of values (n,) in a fraction of the time.

    A sample brackets the answer, so that only the few values inside the bracket are looked at
    closely. Ties and unlucky samples fall back to a full selection.
    """
    n = len(values)
    sample = values[:: max(1, n // 3000)]
    middle, slack = k * len(sample) // n, 1 + len(sample) // 64
    first, last = max(0, middle - slack), min(len(sample) - 1, middle + slack)
    edges = np.partition(sample, (first, last))
    low, high = edges[first], edges[last]
    below = np.count_nonzero(values < low)
    between = values[(values >= low) & (values <= high)]
    if below <= k < below + len(between) < below + n // 8:
        return np.partition(between, k - below)[k - below]
    return np.partition(values, k)[k]


def _range(v: np.ndarray, low: np.float32, high: np.float32) -> np.ndarray:
    return (v - low) / (high - low) if high != low else v


def _range_negated(v: np.ndarray, low: np.float32, high: np.float32) -> np.ndarray:
    # One minus the normalised negative: not the same float as `_range`, and a constant differs.
    return 1 - _range(-v, -high, -low)


def _range_unguarded(v: np.ndarray, low: np.float32, high: np.float32) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        return (v - low) / (high - low)


def _cosine_fixed(v: np.ndarray, low: np.float32, high: np.float32) -> np.ndarray:
    """Logits from -1 / 0.03 to 1 / 0.03 become 0 to 1, whatever the map holds."""
    return (v + np.float32(1 / TEMPERATURE)) / np.float32(2 / TEMPERATURE)


def _objects_fixed(v: np.ndarray, low: np.float32, high: np.float32) -> np.ndarray:
    """Mean features of an ImageNet network, mostly below 2.5."""
    return v / np.float32(2.5)


def _unit(v: np.ndarray, low: np.float32, high: np.float32) -> np.ndarray:
    """Cosines from -1 to 1 become 0 to 1."""
    return np.clip(np.float32(0.5) * v + np.float32(0.5), np.float32(0), np.float32(1))


def _sigmoid(v: np.ndarray, low: np.float32, high: np.float32) -> np.ndarray:
    """In float32 as torch does, which is 1 from about 17 on; the exponential correctly rounded."""
    with np.errstate(over="ignore"):
        power = np.exp(-v.astype(np.float64)).astype(np.float32)
    return np.float32(1) / (np.float32(1) + power)


_NORMALS: dict[Normal, Callable[..., np.ndarray]] = {
    "range": _range,
    "range-negated": _range_negated,
    "range-unguarded": _range_unguarded,
    "cosine-fixed": _cosine_fixed,
    "objects-fixed": _objects_fixed,
    "unit": _unit,
    "sigmoid": _sigmoid,
}


class Canvas:
    """A heatmap (h, w) float32 enlarged by any kernel, in either scale, each once.

    Args:
        values: The map as its method gives it.
        scale: What `values` are; None: whatever a protocol's original receives.
    """

    def __init__(self, values: np.ndarray, scale: Scale | None = None) -> None:
        self.values = np.ascontiguousarray(values, np.float32)
        self._scale = scale
        self._fields: dict[tuple[Scale | None, Kernel], Field] = {}

    def field(self, kernel: Kernel, scale: Scale | None = None) -> Field:
        """The map on the grid, as a method that gives `scale` would have given it."""
        scale = scale if self._scale is not None and scale != self._scale else None
        if (scale, kernel) not in self._fields:
            values = self.values
            if scale == "logit":
                values = values / np.float32(TEMPERATURE)
            elif scale == "cosine":
                values = values * np.float32(TEMPERATURE)
            self._fields[scale, kernel] = Field(enlarge(values, kernel, (GRID, GRID)))
        return self._fields[scale, kernel]
