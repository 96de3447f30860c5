"""Localization as detection: AP, F1 and precision over items with and without a visible source.

As in SLAVC (Mo and Morgado 2022): an item counts as detected where the confidence reaches a
threshold, and as right where its cIoU reaches another. The definitions are odd in places, and kept:
the highest confidence is never a threshold and the first step of recall adds nothing to AP.
"""

from __future__ import annotations

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

    def precision_recall(self, at: float, confidence: float) -> tuple[float, float]:
        """Precision and recall where cIoU has to reach `at`; 1 where there is nothing to judge."""
        found = self.confidence >= confidence
        true = int(np.count_nonzero(found & self.visible & (self.ciou >= at)))
        called = int(np.count_nonzero(found))
        there = int(np.count_nonzero(self.visible & ~found))
        precision = true / called if called else 1.0
        recall = true / (true + there) if true + there else 1.0
        return precision, recall

    def ap(self, at: float = 0.5) -> float:
        """Average precision, about 200 thresholds; not a number for an empty set."""
        if not len(self.confidence):
            return float("nan")
        thresholds = np.sort(self.confidence)[:-1][:: -max(1, len(self.confidence) // 200)]
        curve = np.array([self.precision_recall(at, t) for t in thresholds]).reshape(-1, 2)
        best = np.maximum.accumulate(curve[::-1, 0])[::-1]
        return float(sum(best[:-1] * np.diff(curve[:, 1])))

    def f1(self, at: float = 0.5) -> list[float]:
        """F1 at about ten thresholds of confidence, from the lowest."""
        thresholds = np.sort(self.confidence)[:: max(1, len(self.confidence) // 10)]
        found = []
        for precision, recall in (self.precision_recall(at, t) for t in thresholds):
            both = precision + recall
            found.append(2 * precision * recall / both if both else 0.0)
        return found

    def precision(self, at: float = 0.5) -> float:
        """Precision where every item counts as detected; not a number for an empty set."""
        return self.precision_recall(at, -np.inf)[0] if len(self.ciou) else float("nan")

    def auc(self) -> float:
        """Area under the success curve of the visible ones."""
        return auc(self.ciou[self.visible]) if self.visible.any() else float("nan")
