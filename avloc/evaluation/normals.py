"""How published protocols bring heatmaps to one range before they cut them.

All keep the order of values, so the pixels above a normalised threshold are those above some
threshold of the raw map, up to what rounding merges.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np

from avloc.evaluation.compiled import compiled, plain

TEMPERATURE = 0.03  # of every method whose maps are logits: logit = cosine / 0.03

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
_ZERO, _HALF, _ONE = np.float32(0), np.float32(0.5), np.float32(1)
_LIMIT, _SPAN = np.float32(1 / TEMPERATURE), np.float32(2 / TEMPERATURE)
_OBJECTS = np.float32(2.5)


@compiled
def _none(v: np.float32, low: np.float32, high: np.float32) -> np.float32:
    return v


@compiled
def _range(v: np.float32, low: np.float32, high: np.float32) -> np.float32:
    return (v - low) / (high - low) if high != low else v


@compiled
def _range_negated(v: np.float32, low: np.float32, high: np.float32) -> np.float32:
    # One minus the normalised negative: not the same float as `_range`, and a constant differs.
    return _ONE - ((high - v) / (high - low) if high != low else -v)


@compiled
def _range_unguarded(v: np.float32, low: np.float32, high: np.float32) -> np.float32:
    return (v - low) / (high - low)


@compiled
def _cosine_fixed(v: np.float32, low: np.float32, high: np.float32) -> np.float32:
    # Logits from -1 / 0.03 to 1 / 0.03 become 0 to 1, whatever the map holds.
    return (v + _LIMIT) / _SPAN


@compiled
def _objects_fixed(v: np.float32, low: np.float32, high: np.float32) -> np.float32:
    # Mean features of an ImageNet network, mostly below 2.5.
    return v / _OBJECTS


@compiled
def _unit(v: np.float32, low: np.float32, high: np.float32) -> np.float32:
    # Cosines from -1 to 1 become 0 to 1.
    return min(max(_HALF * v + _HALF, _ZERO), _ONE)


@compiled
def _sigmoid(v: np.float32, low: np.float32, high: np.float32) -> np.float32:
    # In float32 as torch does, which is 1 from about 17 on; the exponential correctly rounded.
    return _ONE / (_ONE + np.float32(np.exp(-np.float64(v))))


_RULES: dict[Normal, Callable[..., np.float32]] = {
    "none": _none,
    "range": _range,
    "range-negated": _range_negated,
    "range-unguarded": _range_unguarded,
    "cosine-fixed": _cosine_fixed,
    "objects-fixed": _objects_fixed,
    "unit": _unit,
    "sigmoid": _sigmoid,
}
_PLAIN = {name: plain(rule) for name, rule in _RULES.items()}
_LOUD = {"range-unguarded", "sigmoid"}  # may divide 0 by 0, or overflow, as they should
CODES: dict[Normal, int] = {name: number for number, name in enumerate(_RULES)}


def one(how: Normal, v: np.float32, low: np.float32, high: np.float32) -> np.float32:
    """A single value of a map from `low` to `high`, normalised and rounded as the original does."""
    if how in _LOUD:
        with np.errstate(all="ignore"):
            return np.float32(_PLAIN[how](v, low, high))
    return np.float32(_PLAIN[how](v, low, high))


@compiled
def normalise(v: np.ndarray, code: int, low: np.float32, high: np.float32) -> None:
    """All values (n,) float32 in place, by one of `CODES`."""
    if code == 1:
        for i in range(v.size):
            v[i] = _range(v[i], low, high)
    elif code == 2:
        for i in range(v.size):
            v[i] = _range_negated(v[i], low, high)
    elif code == 3:
        for i in range(v.size):
            v[i] = _range_unguarded(v[i], low, high)
    elif code == 4:
        for i in range(v.size):
            v[i] = _cosine_fixed(v[i], low, high)
    elif code == 5:
        for i in range(v.size):
            v[i] = _objects_fixed(v[i], low, high)
    elif code == 6:
        for i in range(v.size):
            v[i] = _unit(v[i], low, high)
    elif code == 7:
        for i in range(v.size):
            v[i] = _sigmoid(v[i], low, high)
