"""Localization as detection: AP, F1 and precision over items with and without a visible source.

As in SLAVC (Mo and Morgado 2022): an item counts as detected where the confidence reaches a
threshold, and as right where its cIoU reaches another. The definitions are odd in places, and kept:
the highest confidence is never a threshold and the first step of recall adds nothing to AP.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from avloc.evaluation.metrics import auc

SIZES = {"small": (0, 32**2), "medium": (32**2, 96**2), "large": (96**2, 144**2)}
"""Areas of truth in pixels of 224 x 224, from and up to; "huge" is what lies above."""


@dataclass(frozen=True, eq=False)
class Detections:
    """One entry for each of n items.

    `visible`: whether something visible sounds; `ciou`; `confidence`, in the precision in which
    the method gives it; `area` of the truth in pixels.
    """

    visible: np.ndarray
    ciou: np.ndarray
    confidence: np.ndarray
    area: np.ndarray

    def of_size(self, name: str) -> Detections:
        """Only the visible ones whose truth has a size, or all visible ones ("visible")."""
        low, high = SIZES.get(name, (SIZES["large"][1], np.inf))
        keep = self.visible.copy()
        if name != "visible":
            keep &= (self.area >= low) & (self.area < high)
        fields = self.visible, self.ciou, self.confidence, self.area
        return Detections(*(field[keep] for field in fields))

    def right(self, at: float) -> np.ndarray:
        """Which of the items are right where cIoU has to reach `at`, (n,) bool."""
        return self.visible & (self.ciou >= at)

    def ap(self, at: float = 0.5) -> float:
        """Average precision, about 200 thresholds; not a number for an empty set."""
        if not len(self.ciou):
            return float("nan")
        return float(Ranked([self], at).ap(self._once)[0])

    def f1(self, at: float = 0.5) -> list[float]:
        """F1 at about ten thresholds of confidence, from the lowest."""
        if not len(self.ciou):
            return []
        return Ranked([self], at).f1(self._once)[0].tolist()

    def precision(self, at: float = 0.5) -> float:
        """Precision where every item counts as detected; not a number for an empty set."""
        return float(self.right(at).mean()) if len(self.ciou) else float("nan")

    def auc(self) -> float:
        """Area under the success curve of the visible ones."""
        return auc(self.ciou[self.visible]) if self.visible.any() else float("nan")

    @property
    def _once(self) -> np.ndarray:
        return np.ones(len(self.ciou), int)


class Ranked:
    """Items by rising confidence, for lists in which each stands any number of times.

    Args:
        found: the n items, several times where there are k ways to be right.
        at: the cIoU that they have to reach.
    """

    def __init__(self, found: Sequence[Detections], at: float = 0.5) -> None:
        self._order = np.argsort(found[0].confidence, kind="stable")
        self._confidence = found[0].confidence[self._order]
        ways = [one.right(at) for one in found]
        parts = np.array([np.ones_like(ways[0]), found[0].visible, *ways])
        self._parts = parts[:, self._order].astype(np.int32)

    def ap(self, times: np.ndarray) -> np.ndarray:
        """Average precision (k,) where each item stands so many times, (n,) int."""
        count = int(times.sum())
        thresholds = self._sorted(times, np.arange(count - 1)[:: -max(1, count // 200)])
        precision, recall = self.curve(times, thresholds)
        best = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
        return np.sum(best[:, :-1] * np.diff(recall), axis=1)

    def f1(self, times: np.ndarray) -> np.ndarray:
        """F1 at each threshold, from the lowest, (k, t)."""
        count = int(times.sum())
        thresholds = self._sorted(times, np.arange(count)[:: max(1, count // 10)])
        precision, recall = self.curve(times, thresholds)
        both = precision + recall
        return 2 * precision * recall / np.where(both > 0, both, 1)

    def resampled(self, times: np.ndarray) -> dict[str, np.ndarray]:
        """AP and the greatest F1 of each of b lists, `times` (b, n): of the best way, (b,)."""
        rows = times.astype(np.int32)
        return {
            "ap": np.array([self.ap(row).max() for row in rows]),
            "max_f1": np.array([self.f1(row).max() for row in rows]),
        }

    def curve(self, times: np.ndarray, confidence: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Precision and recall, (k, t) each, where items of at least each `confidence` (t,) count
        as detected; 1 where there is nothing to judge."""
        upto = np.zeros((len(self._parts), len(times) + 1), np.int32)
        np.cumsum(self._parts * times[self._order], axis=1, out=upto[:, 1:])
        below = upto[:, np.searchsorted(self._confidence, confidence)]
        (called, _, *right) = upto[:, -1:] - below
        there = np.array(right) + below[1]
        return _share(np.array(right), called), _share(np.array(right), there)

    def _sorted(self, times: np.ndarray, places: np.ndarray) -> np.ndarray:
        """The confidence at each of `places` (t,) of the sorted list."""
        return self._confidence[np.searchsorted(times[self._order].cumsum(), places, "right")]


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.where(whole > 0, part / np.maximum(whole, 1), 1.0)
