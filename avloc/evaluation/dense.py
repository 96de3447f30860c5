"""DenseAV's measures (Hamilton et al. 2024): pixels of a whole class in one pool.

Maps are brought to 0..1 over all items of a class together, then enlarged; AP is over all pixels
of the class, IoU the best of 20 thresholds; both are averaged over classes. So a map's score
depends on the others of its class, and the threshold is chosen on the test set.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from avloc.evaluation.intervals import Recount
from avloc.evaluation.kernels import Kernel, enlarge
from avloc.evaluation.metrics import average_precision
from avloc.evaluation.references import Drawn
from avloc.evaluation.truth import GRID, Truth

STEPS = np.linspace(0, 1, 20, dtype=np.float32)
LEVELS = 1 << 16  # beyond EXACT items a class is pooled into so many values
EXACT = 64
COARSE = 1000  # levels of an item for the bootstrap


@dataclass(frozen=True, eq=False)
class DenseScore:
    """What is kept of an item until its class is complete.

    Attributes:
        heat: the raw map (h, w) float32, packed bits (n,) where it is a mask, or a reference.
        mask: the truth, packed.
        label: its class.
    """

    heat: np.ndarray | Drawn
    mask: np.ndarray
    label: str

    @property
    def values(self) -> np.ndarray:
        """The raw map, (h, w) float32."""
        if isinstance(self.heat, Drawn):
            return self.heat.canvas.values
        return self.heat if self.heat.ndim == 2 else _unpacked(self.heat).astype(np.float32)


@dataclass(frozen=True)
class DenseProtocol:
    """See the module."""

    name: str = "denseav"
    source: str = "mhamilton723/DenseAV denseav/eval_utils.py"
    kernel: Kernel = "torch-bilinear"
    note: str = "Normalised over each class; the threshold is chosen on the test set."

    def score(self, heat: np.ndarray | Drawn, truth: Truth, label: str = "") -> DenseScore:
        """Keep one heatmap (h, w), or a mask (224, 224) bool that stands for one."""
        if isinstance(heat, np.ndarray):
            heat = np.packbits(heat) if heat.dtype == bool else np.asarray(heat, np.float32)
        return DenseScore(heat, np.packbits(truth.inside), label)

    def summarise(self, scores: Sequence[DenseScore]) -> dict[str, float]:
        """mAP and mIoU over classes."""
        found = []
        for numbers in _classes(scores):
            pool = Pool(exact=len(numbers) <= EXACT)
            for pixels, inside in self._pixels([scores[number] for number in numbers]):
                pool.add(pixels, inside)
            found.append((pool.ap(), pool.best_iou()))
        ap, iou = np.array(found).T
        return {"map": float(ap.mean()), "miou": float(iou.mean())}

    def recount(self, scores: Sequence[DenseScore]) -> Recount:
        """The same for lists in which each item stands any number of times.

        Pixels lie on `COARSE` levels here, and a class keeps the range that it has on this list.
        """
        classes = [np.array(numbers) for numbers in _classes(scores)]
        levels = np.zeros((2, len(scores), COARSE), np.uint16)
        steps = np.zeros((3, len(scores), len(STEPS)), np.uint16)
        for numbers in classes:
            pixels = self._pixels([scores[number] for number in numbers])
            for number, (values, inside) in zip(numbers, pixels, strict=True):
                levels[:, number] = _levels(values, inside, COARSE)
                steps[:, number] = _steps(values, inside)

        def of(times: np.ndarray) -> dict[str, np.ndarray]:
            ap, iou = [], []
            for numbers in classes:
                drawn = times[:, numbers]
                there = np.where(drawn.any(axis=1), 1.0, np.nan)  # a class that is not drawn
                ap.append(there * average_precision(*(drawn @ part[numbers] for part in levels)))
                iou.append(there * _best_iou(*(drawn @ part[numbers] for part in steps)))
            return {"map": np.nanmean(ap, axis=0), "miou": np.nanmean(iou, axis=0)}

        return of

    def _pixels(self, members: Sequence[DenseScore]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Of each item of a class its pixels (n,) in 0..1, and whether the truth has them."""
        ends = [(float(one.values.min()), float(one.values.max())) for one in members]
        low = min(least for least, _ in ends)
        span = max(most for _, most in ends) - low or 1.0
        for one in members:
            unit = (one.values - np.float32(low)) / np.float32(span)
            heat = enlarge(unit, self.kernel, (GRID, GRID)).ravel()
            yield heat, _unpacked(one.mask).ravel()


def _classes(scores: Sequence[DenseScore]) -> list[list[int]]:
    """The numbers of the items of each class."""
    found: dict[str, list[int]] = {}
    for number, one in enumerate(scores):
        found.setdefault(one.label, []).append(number)
    return list(found.values())


class Pool:
    """Pixels of a class: all of them, or how many lie on each level where they are many."""

    def __init__(self, exact: bool) -> None:
        self._exact = exact
        self._pixels: list[np.ndarray] = []
        self._levels = np.zeros((2, LEVELS), np.int64)
        self._steps = np.zeros((3, len(STEPS)), np.int64)

    def add(self, values: np.ndarray, inside: np.ndarray) -> None:
        """Pixels (n,) in 0..1 and whether they belong to the truth."""
        self._steps += _steps(values, inside)
        if self._exact:
            # Floats that are not negative are in the order of their bits: the value, then the
            # truth, in one word that sorts fast.
            bits = np.maximum(values, np.float32(0)).view(np.uint32) << 1
            self._pixels.append(bits | inside)
        else:
            self._levels += _levels(values, inside, LEVELS)

    def ap(self) -> float:
        """Average precision, pixels of one value taken together."""
        if not self._exact:
            return float(average_precision(*self._levels))
        pixels = np.sort(np.concatenate(self._pixels))
        starts = np.flatnonzero(np.diff(pixels >> 1, prepend=np.uint32(0xFFFFFFFF)))
        called = np.diff(starts, append=len(pixels))
        return float(average_precision(called, np.add.reduceat((pixels & 1).astype(int), starts)))

    def best_iou(self) -> float:
        """The greatest IoU of all pixels over the thresholds."""
        return float(_best_iou(*self._steps))


def _levels(values: np.ndarray, inside: np.ndarray, count: int) -> np.ndarray:
    """How many pixels lie on each of `count` levels of 0..1, and how many of them the truth has,
    (2, count)."""
    level = np.clip(values * np.float32(count - 1), 0, count - 1).astype(np.int64)
    return np.stack([np.bincount(part, minlength=count) for part in (level, level[inside])])


def _steps(values: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """For each threshold how many pixels exceed it in the truth, in all, and how many the truth
    has, (3, t)."""
    called = [values > step for step in STEPS]
    counts = [(np.count_nonzero(mask & inside), np.count_nonzero(mask)) for mask in called]
    return np.array([(*pair, np.count_nonzero(inside)) for pair in counts]).T


def _best_iou(hits: np.ndarray, called: np.ndarray, there: np.ndarray) -> np.ndarray:
    """The greatest IoU over thresholds, (..., t) to (...)."""
    either = called + there - hits
    return np.max(hits / np.maximum(either, 1), axis=-1)


def _unpacked(mask: np.ndarray) -> np.ndarray:
    return np.unpackbits(mask, count=GRID * GRID).reshape(GRID, GRID).astype(bool)


DENSEAV = DenseProtocol()
