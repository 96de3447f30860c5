"""How published protocols bring heatmaps to one range before they cut them.

All keep the order of values, so the pixels above a normalised threshold are those above some
threshold of the raw map, up to what rounding merges.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np

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


Rule = Callable[..., np.ndarray]
"""Normalises values (float32, an array or one) of a map from `low` to `high`, rounded as the
original rounds."""


def _range(v: np.ndarray, low: np.float32, high: np.float32) -> np.ndarray:
    return (v - low) / (high - low) if high != low else v


def _range_negated(v: np.ndarray, low: np.float32, high: np.float32) -> np.ndarray:
    # One minus the normalised negative: not the same float as `_range`, and a constant differs.
    return 1 - _range(-v, -high, -low)


def _range_unguarded(v: np.ndarray, low: np.float32, high: np.float32) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        return (v - low) / (high - low)


def _cosine_fixed(v: np.ndarray, low: np.float32, high: np.float32) -> np.ndarray:
    # Logits from -1 / 0.03 to 1 / 0.03 become 0 to 1, whatever the map holds.
    return (v + np.float32(1 / TEMPERATURE)) / np.float32(2 / TEMPERATURE)


def _objects_fixed(v: np.ndarray, low: np.float32, high: np.float32) -> np.ndarray:
    # Mean features of an ImageNet network, mostly below 2.5.
    return v / np.float32(2.5)


def _unit(v: np.ndarray, low: np.float32, high: np.float32) -> np.ndarray:
    # Cosines from -1 to 1 become 0 to 1.
    return np.clip(np.float32(0.5) * v + np.float32(0.5), np.float32(0), np.float32(1))


def _sigmoid(v: np.ndarray, low: np.float32, high: np.float32) -> np.ndarray:
    # In float32 as torch does, which is 1 from about 17 on; the exponential correctly rounded.
    with np.errstate(over="ignore"):
        power = np.exp(-np.asarray(v, np.float64)).astype(np.float32)
    return np.float32(1) / (np.float32(1) + power)


RULES: dict[Normal, Rule] = {
    "range": _range,
    "range-negated": _range_negated,
    "range-unguarded": _range_unguarded,
    "cosine-fixed": _cosine_fixed,
    "objects-fixed": _objects_fixed,
    "unit": _unit,
    "sigmoid": _sigmoid,
}
