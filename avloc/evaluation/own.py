"""avloc's own protocol: everything at once, with nothing chosen on the test set.

The median rule of the field cannot reward small objects; beside it stand rules without that
ceiling: as many pixels as the truth has, one absolute threshold for all maps, and no threshold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from avloc.evaluation.canvas import Canvas, Scale
from avloc.evaluation.detection import Detections
from avloc.evaluation.field import View
from avloc.evaluation.kernels import Kernel
from avloc.evaluation.metrics import auc, auroc, average_precision, grouped, success, summary
from avloc.evaluation.protocols import HALF
from avloc.evaluation.truth import Truth

LEVELS = 1000


@dataclass(frozen=True)
class OwnScore:
    """One item: "ciou" under the median rule, "true_size", "iou" at the absolute threshold,
    "pixel_ap" and "confidence" (the map's greatest value where the method gives none)."""

    values: dict[str, float]
    visible: bool
    area: float
    group: str


@dataclass(frozen=True)
class OwnProtocol:
    """See the module.

    Attributes:
        absolute: the threshold, of cosines.
        pairs: also demand all objects of a picture (IIoU).
    """

    name: str = "avloc"
    source: str = "avloc"
    scale: Scale = "cosine"
    kernel: Kernel = "opencv-linear"
    absolute: float = 0.5
    pairs: bool = False
    note: str = "Median rule, true-size rule, one absolute threshold, and no threshold."

    def score(
        self,
        canvas: Canvas,
        truth: Truth,
        group: str = "",
        confidence: float | None = None,
    ) -> OwnScore:
        """Score one heatmap."""
        view = canvas.view(self.kernel, self.scale)
        values = {
            "ciou": truth.ciou(best(view, HALF)),
            "true_size": truth.ciou(best(view, truth.pixels)),
            "iou": truth.ciou(view.above(self.absolute, strict=False)),
            "pixel_ap": pixel_ap(view, truth.inside),
            "confidence": float(view.high) if confidence is None else float(confidence),
        }
        return OwnScore(
            {name: 0.0 if np.isnan(value) else value for name, value in values.items()},
            truth.boxes > 0,
            truth.area,
            group,
        )

    def summarise(self, scores: Sequence[OwnScore]) -> dict[str, float]:
        """Numbers over a list, fractions in 0..1."""
        table = {name: np.array([one.values[name] for one in scores]) for name in scores[0].values}
        visible = np.array([one.visible for one in scores])
        found = dict(summary(table["ciou"][visible]))
        for name in ("true_size", "iou"):
            found[f"{name}_mean"] = float(table[name][visible].mean())
            found[f"{name}_success"] = success(table[name][visible])
            found[f"{name}_auc"] = auc(table[name][visible])
        found["pixel_ap"] = float(table["pixel_ap"][visible].mean())
        found["ap"] = self.detections(scores).ap()
        if self.pairs:
            groups = [one.group for one in scores if one.visible]
            found["iiou_true_size"] = success(grouped(table["true_size"][visible], groups))
        if not visible.all():
            found["confidence_visible"] = float(table["confidence"][visible].mean())
            found["confidence_negative"] = float(table["confidence"][~visible].mean())
            once = np.ones((1, len(scores)))
            found["confidence_auroc"] = float(auroc(table["confidence"], visible, once)[0])
        return found

    def detections(self, scores: Sequence[OwnScore]) -> Detections:
        """The items as detections, right by IoU at the absolute threshold."""
        return Detections(
            np.array([one.visible for one in scores]),
            np.array([one.values["iou"] for one in scores]),
            np.array([one.values["confidence"] for one in scores]),
            np.array([one.area for one in scores]),
        )


def best(view: View, count: int) -> np.ndarray:
    """Exactly `count` greatest pixels; among equal ones those that come first in rows."""
    if not count:
        return np.zeros(view.shape, bool)
    k = view.size - count
    mask = view.above_rank(k, strict=True)
    missing = count - int(np.count_nonzero(mask))
    equal = (view.above_rank(k, strict=False) ^ mask).ravel().nonzero()[0][:missing]
    mask.reshape(-1)[equal] = True
    return mask


def pixel_ap(view: View, inside: np.ndarray) -> float:
    """Average precision of pixels, over `LEVELS` equal steps between least and greatest value."""
    span = float(view.high) - float(view.low)
    if not span:
        return float(inside.mean())
    level = (view.values.ravel() - np.float32(view.low)) * np.float32((LEVELS - 1) / span)
    level = np.clip(level, 0, LEVELS - 1).astype(np.int64)
    called = np.bincount(level, minlength=LEVELS)
    hits = np.bincount(level[inside.ravel()], minlength=LEVELS)
    return float(average_precision(called, hits))


OWN = OwnProtocol()
