"""ACL-SSL's protocol: 19 fixed thresholds are tried on the test set, and the best is reported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from avloc.evaluation.canvas import Canvas, Scale
from avloc.evaluation.compiled import compiled
from avloc.evaluation.detection import Detections
from avloc.evaluation.kernels import Kernel
from avloc.evaluation.metrics import summary
from avloc.evaluation.normals import Normal
from avloc.evaluation.truth import Truth

THRESHOLDS = tuple(round(0.05 * (k + 1), 2) for k in range(19))


@dataclass(frozen=True)
class SearchProtocol:
    """Scores under every threshold, summarised under the one with the greatest area.

    Attributes: as of `Protocol`; `thresholds` are compared with by ">=".
    """

    name: str
    source: str
    scale: Scale
    kernel: Kernel
    normal: Normal
    thresholds: tuple[float, ...] = THRESHOLDS
    note: str = ""

    def score(self, canvas: Canvas, truth: Truth) -> np.ndarray:
        """cIoU under each threshold, (t,) float64."""
        view = canvas.view(self.kernel, self.scale).normal(self.normal)
        at = np.array(self.thresholds, np.float32)
        called, hits = _reached(view.values, at, truth.inside)
        whole = truth.area + called - hits
        if truth.half is not None:
            hits = hits - 0.5 * _reached(view.values, at, truth.half)[1]
        with np.errstate(invalid="ignore"):
            return np.where(whole > 0, hits / whole, np.nan)

    def summarise(self, scores: Sequence[np.ndarray]) -> dict[str, float]:
        """Success, area and mean cIoU under the best threshold, and the threshold itself."""
        table = np.array(scores)
        found = [summary(column) for column in table.T]
        best = int(np.argmax([one["auc"] for one in found]))
        return {**found[best], "threshold": self.thresholds[best]}

    def detections(
        self,
        scores: Sequence[np.ndarray],
        visible: np.ndarray,
        confidence: np.ndarray,
        area: np.ndarray,
    ) -> list[Detections]:
        """The items as detections, for each threshold; an undefined cIoU is 0 here."""
        table = np.nan_to_num(np.array(scores))
        return [Detections(visible, column, confidence, area) for column in table.T]


@compiled
def _reached(
    values: np.ndarray, thresholds: np.ndarray, inside: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """How many of `values` (h, w) reach each threshold (t,), and how many of these are `inside`."""
    called, hits = np.zeros(len(thresholds)), np.zeros(len(thresholds))
    for y in range(values.shape[0]):
        for k in range(len(thresholds)):
            # Whole numbers as wide as the values are what processors add many at a time.
            row = hit = np.int32(0)
            for x in range(values.shape[1]):
                reached = np.int32(values[y, x] >= thresholds[k])
                row = np.int32(row + reached)
                hit = np.int32(hit + reached * np.int32(inside[y, x]))
            called[k] += row
            hits[k] += hit
    return called, hits


ACL = SearchProtocol(
    name="acl",
    source="swimmiing/ACL-SSL Eval.py eval_vggss_agg, eval_exvggss_agg",
    scale="cosine",
    kernel="torch-bicubic",
    normal="unit",
    note="The threshold is chosen on the test set; not comparable with any median rule.",
)
