"""What every score is shown beside: predictions that need no method, and the best half picture.

`centre`: a disc around the middle, without looking or listening. `whole`: everything. `random`:
noise of 14x14. `half_oracle`: exactly half of the picture, the best half there is, which no method
exceeds where half of the pixels are the prediction; of true size, and as a ranking, what a map
scores that puts every pixel of the truth first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, get_args

import numpy as np

from avloc.evaluation.canvas import Canvas
from avloc.evaluation.protocols import HALF, PIXELS
from avloc.evaluation.truth import GRID, Truth

Reference = Literal["centre", "whole", "half_oracle", "random"]
REFERENCES: tuple[Reference, ...] = get_args(Reference)
DRAWN: tuple[Reference, ...] = ("centre", "random")
"""Those that are maps, and so are cut as the protocol cuts maps."""

NOISES = 8  # maps of noise, which items take in turns
NOISE_CELLS = 14


def disc() -> np.ndarray:
    """Closeness to the middle, (224, 224) float32: 1 there, -1 in the corners, as a cosine."""
    # Twice the distances are whole numbers, so that equally close pixels are exactly equal.
    away = 2 * np.arange(GRID) - (GRID - 1)
    squared = away[:, None] ** 2 + away[None, :] ** 2
    return (1 - 2 * squared / squared.max()).astype(np.float32)


def noise(number: int) -> np.ndarray:
    """Uniform noise (14, 14) float32 in -1..1."""
    cells = (NOISE_CELLS, NOISE_CELLS)
    return np.random.default_rng(number).uniform(-1, 1, cells).astype(np.float32)


def everything() -> np.ndarray:
    """1 everywhere, as a map (224, 224) that is normalised to its range and cut at its middle."""
    values = np.ones((GRID, GRID), np.float32)
    values[0, 0] = 0  # or it would have no range
    return values


@lru_cache
def canvases(name: Reference) -> tuple[Canvas, ...]:
    """The maps of a reference other than the half, kept with what was worked out about them."""
    if name == "centre":
        return (Canvas(disc(), "cosine"),)
    if name == "whole":
        return (Canvas(everything()),)
    return tuple(Canvas(noise(number), "cosine") for number in range(NOISES))


@dataclass(frozen=True)
class Drawn:
    """The map that a reference other than the half gives the item `number`; no copy of it."""

    name: Reference
    number: int

    @property
    def canvas(self) -> Canvas:
        """The map."""
        return canvases(self.name)[turn(self.number, canvases(self.name))]


def half_mask(inside: np.ndarray) -> np.ndarray:
    """Exactly half of the pixels (h, w) bool, as many of `inside` as fit."""
    order = np.argsort(~inside, axis=None, kind="stable")
    mask = np.zeros(inside.size, bool)
    mask[order[:HALF]] = True
    return mask.reshape(inside.shape)


def best_half(truth: Truth) -> float:
    """cIoU of the half picture that overlaps most with the truth."""
    half = 0 if truth.half is None else int(np.count_nonzero(truth.half))
    sure = int(np.count_nonzero(truth.inside)) - half
    taken = min(sure, HALF)
    split = min(half, HALF - taken)
    return (taken + split / 2) / (truth.area + HALF - taken - split)


def best_size(truth: Truth) -> float:
    """cIoU of a map that ranks all of the truth first, under the true-size rule.

    The rule leaves one pixel out (`protocols.true_size`).
    """
    if not truth.area:
        return 0.0
    least = 1.0 if truth.half is None or not truth.half.any() else 0.5
    return (truth.area - least) / truth.area


class Masks:
    """Fixed predictions, each kept once, that are compared with many truths at a time."""

    def __init__(self) -> None:
        self._numbers: dict[bytes, int] = {}
        self._rows: list[np.ndarray] = []
        self._table = np.zeros((0, PIXELS // 64), np.uint64)
        self._counts = np.zeros(0)

    def add(self, mask: np.ndarray) -> int:
        """The number of a mask (h, w) bool, to find its score by."""
        packed = _packed(mask)
        number = self._numbers.setdefault(packed.tobytes(), len(self._rows))
        if number == len(self._rows):
            self._rows.append(packed)
            self._table = np.stack(self._rows)
            self._counts = np.bitwise_count(self._table).sum(1).astype(float)
        return number

    def cious(self, truth: Truth) -> np.ndarray:
        """cIoU of every mask with a truth, (n,) float64; as `Truth.ciou`."""
        inside = np.bitwise_count(self._table & _packed(truth.inside)).sum(1).astype(float)
        hit = inside
        if truth.half is not None:
            hit = hit - 0.5 * np.bitwise_count(self._table & _packed(truth.half)).sum(1)
        whole = truth.area + (self._counts - inside)
        with np.errstate(invalid="ignore"):
            return np.where(whole > 0, hit / whole, np.nan)


def _packed(mask: np.ndarray) -> np.ndarray:
    return np.packbits(mask.ravel()).view(np.uint64)


def turn(number: int, of: Sequence[object]) -> int:
    """Which of several maps the item `number` takes."""
    return number % len(of)


class Ranking:
    """A map (h, w) that is compared with many truths by the order of its pixels alone."""

    def __init__(self, values: np.ndarray) -> None:
        flat = values.ravel()
        order = np.argsort(-flat, kind="stable")
        place = np.empty(flat.size, np.int64)
        place[order] = np.arange(flat.size)
        # The place of the last of equal pixels, so that they count together.
        ordered = flat[order]
        last = np.searchsorted(-ordered, -ordered, side="right")
        self._place = place.reshape(values.shape)
        self._called = last[place].reshape(values.shape)

    def first(self, count: int) -> np.ndarray:
        """The `count` greatest pixels, (h, w) bool; of equal ones those that come first."""
        return self._place < count

    def ap(self, inside: np.ndarray) -> float:
        """Average precision of the pixels; 0 where nothing is inside."""
        called = np.sort(self._called[inside])
        if not called.size:
            return 0.0
        hits = np.searchsorted(called, called, side="right")
        return float(np.mean(hits / called))
