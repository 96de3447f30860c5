"""ACL-SSL's protocol: 19 fixed thresholds are tried on the test set, and the best is reported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from avloc.evaluation.canvas import Canvas, Scale
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
        steps = view.levels(np.array(self.thresholds, np.float32)).ravel()
        # Pixels that reach a threshold: those of all levels from there on.
        called = _at_least(steps, len(self.thresholds))
        hits = _at_least(steps[truth.inside.ravel()], len(self.thresholds))
        whole = truth.area + called - hits
        if truth.half is not None:
            hits = hits - 0.5 * _at_least(steps[truth.half.ravel()], len(self.thresholds))
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


def _at_least(levels: np.ndarray, count: int) -> np.ndarray:
    """How many of `levels` (n,) are at least 1, 2, ... `count`: (count,) float64."""
    each = np.bincount(levels, minlength=count + 1)
    return each[::-1].cumsum()[-2::-1].astype(float)


ACL = SearchProtocol(
    name="acl",
    source="swimmiing/ACL-SSL Eval.py eval_vggss_agg, eval_exvggss_agg",
    scale="cosine",
    kernel="torch-bicubic",
    normal="unit",
    note="The threshold is chosen on the test set; not comparable with any median rule.",
)
