"""DenseAV's measures (Hamilton et al. 2024): pixels of a whole class in one pool.

Maps are brought to 0..1 over all items of a class together, then enlarged; AP is over all pixels
of the class, IoU the best of 20 thresholds; both are averaged over classes. So a map's score
depends on the others of its class, and the threshold is chosen on the test set.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from avloc.evaluation.kernels import Kernel, enlarge
from avloc.evaluation.truth import GRID, Truth

STEPS = np.linspace(0, 1, 20, dtype=np.float32)
LEVELS = 1 << 16  # beyond EXACT items a class is pooled into so many values
EXACT = 64


@dataclass(frozen=True, eq=False)
class DenseScore:
    """What is kept of an item until its class is complete: the raw map, the packed mask."""

    values: np.ndarray
    mask: np.ndarray
    label: str


@dataclass(frozen=True)
class DenseProtocol:
    """See the module."""

    name: str = "denseav"
    source: str = "mhamilton723/DenseAV denseav/eval_utils.py"
    kernel: Kernel = "torch-bilinear"
    note: str = "Normalised over each class; the threshold is chosen on the test set."

    def score(self, values: np.ndarray, truth: Truth, label: str = "") -> DenseScore:
        """Keep one heatmap (h, w) for later."""
        return DenseScore(np.asarray(values, np.float32), np.packbits(truth.inside), label)

    def summarise(self, scores: Sequence[DenseScore]) -> dict[str, float]:
        """mAP and mIoU over classes."""
        classes: dict[str, list[DenseScore]] = {}
        for one in scores:
            classes.setdefault(one.label, []).append(one)
        found = [self._of_class(members) for members in classes.values()]
        ap, iou = np.array(found).T
        return {"map": float(ap.mean()), "miou": float(iou.mean())}

    def _of_class(self, members: Sequence[DenseScore]) -> tuple[float, float]:
        low = min(float(one.values.min()) for one in members)
        span = max(float(one.values.max()) for one in members) - low or 1.0
        pool = _Pool(exact=len(members) <= EXACT)
        for one in members:
            unit = (one.values - np.float32(low)) / np.float32(span)
            heat = enlarge(unit, self.kernel, (GRID, GRID)).ravel()
            pool.add(heat, np.unpackbits(one.mask, count=heat.size).astype(bool))
        return pool.ap(), pool.best_iou()


class _Pool:
    """Pixels of a class: all of them, or a histogram where they are many."""

    def __init__(self, exact: bool) -> None:
        self._exact = exact
        self._values: list[np.ndarray] = []
        self._inside: list[np.ndarray] = []
        self._counts = np.zeros((2, LEVELS), np.int64)
        self._iou = np.zeros((3, len(STEPS)), np.int64)

    def add(self, values: np.ndarray, inside: np.ndarray) -> None:
        """Pixels (n,) in 0..1 and whether they belong to the truth."""
        for number, step in enumerate(STEPS):
            called = values > step
            hits = np.count_nonzero(called & inside)
            self._iou[:, number] += (hits, np.count_nonzero(called), np.count_nonzero(inside))
        if self._exact:
            self._values.append(values)
            self._inside.append(inside)
            return
        level = (values * np.float32(LEVELS - 1)).astype(np.int64)
        self._counts[0] += np.bincount(level, minlength=LEVELS)
        self._counts[1] += np.bincount(level[inside], minlength=LEVELS)

    def ap(self) -> float:
        """Average precision, pixels of one value taken together."""
        if self._exact:
            values, inside = np.concatenate(self._values), np.concatenate(self._inside)
            kinds, index = np.unique(values, return_inverse=True)
            everything = np.bincount(index, minlength=len(kinds))
            hits = np.bincount(index[inside], minlength=len(kinds))
        else:
            everything, hits = self._counts
        called, found = everything[::-1].cumsum(), hits[::-1].cumsum()
        if not found[-1]:
            return 0.0
        precision = found / np.maximum(called, 1)
        return float(np.sum(precision * np.diff(found, prepend=0)) / found[-1])

    def best_iou(self) -> float:
        """The greatest IoU of all pixels over the thresholds."""
        hits, called, there = self._iou
        either = called + there - hits
        return float(np.max(np.where(either > 0, hits / np.maximum(either, 1), 0.0)))


DENSEAV = DenseProtocol()
