"""The judge for avloc's own protocol."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from avloc.data.benchmarks.types import Item
from avloc.evaluation.detection import Ranked
from avloc.evaluation.intervals import FEW, Statistic, averages, recounted
from avloc.evaluation.judges.base import Case, Judge, Sheet, shares
from avloc.evaluation.metrics import auroc, grouped
from avloc.evaluation.own import OwnProtocol, OwnScore
from avloc.evaluation.protocols import HALF, PIXELS
from avloc.evaluation.references import (
    DRAWN,
    Masks,
    Ranking,
    Reference,
    best_half,
    canvases,
    turn,
)
from avloc.evaluation.truth import GRID


class OwnJudge(Judge):
    """See the module. `silent`: whether the list has items without a visible source."""

    protocol: OwnProtocol
    limited = True

    def __init__(self, protocol: OwnProtocol, masks: Masks, silent: bool) -> None:
        super().__init__(protocol)
        headline = ["ciou", "auc", "true_size_mean", "iou_mean", "pixel_ap", "ap"]
        headline += ["iiou_true_size"] * protocol.pairs + ["confidence_auroc"] * silent
        self.headline = tuple(headline)
        views = {
            name: [canvas.view(protocol.kernel, protocol.scale) for canvas in canvases(name)]
            for name in DRAWN
        }
        self._rankings = {
            name: [Ranking(view.values) for view in found] for name, found in views.items()
        }
        self._sure = {name: [float(view.high) for view in found] for name, found in views.items()}
        self._halves = {
            name: [masks.add(view.above(view.rank(HALF), strict=False)) for view in found]
            for name, found in views.items()
        }
        self._above = {
            name: [masks.add(view.above(protocol.absolute, strict=False)) for view in found]
            for name, found in views.items()
        }
        self._everything = masks.add(np.ones((GRID, GRID), bool))

    def wants(self, item: Item) -> bool:
        return True

    def judge(self, sheet: Sheet, case: Case) -> OwnScore:
        return self.protocol.score(sheet.heat, case.truth, case.unit, sheet.confidence)

    def reference(self, name: Reference, case: Case) -> OwnScore:
        truth, visible = case.truth, case.truth.boxes > 0
        if name in DRAWN:
            which = turn(case.number, self._rankings[name])
            ranking = self._rankings[name][which]
            values = {
                "ciou": case.fixed[self._halves[name][which]],
                "true_size": truth.ciou(ranking.first(truth.pixels)),
                "iou": case.fixed[self._above[name][which]],
                "pixel_ap": ranking.ap(truth.inside),
                "confidence": self._sure[name][which],
            }
        elif name == "whole":
            score = case.fixed[self._everything]
            values = dict.fromkeys(("ciou", "true_size", "iou"), score)
            values |= {"pixel_ap": truth.pixels / PIXELS, "confidence": 1.0}
        else:
            best = best_half(truth)
            ideal = float(truth.area > 0)
            values = {"ciou": best, "true_size": ideal, "iou": best, "pixel_ap": ideal}
            values["confidence"] = best  # so that what succeeds comes first
        # An undefined cIoU is none at all, as in the protocol itself.
        values = {key: 0.0 if value != value else float(value) for key, value in values.items()}
        return OwnScore(values, visible, truth.area, case.unit)

    def values(self, entries: Sequence[OwnScore]) -> list[dict[str, float]]:
        return [entry.values for entry in entries]

    def statistics(self, entries: Sequence[OwnScore]) -> list[Statistic]:
        visible = [entry for entry in entries if entry.visible]
        units = [entry.group for entry in visible]

        def column(name: str) -> np.ndarray:
            return np.array([entry.values[name] for entry in visible])

        columns = {**shares(column("ciou")), "pixel_ap": column("pixel_ap")}
        for name in ("true_size", "iou"):
            whole = shares(column(name))
            columns[f"{name}_mean"] = whole["mean_ciou"]
            columns[f"{name}_success"] = whole["ciou"]
            columns[f"{name}_auc"] = whole["auc"]
        found = [averages(columns, units), self._ranking(entries)]
        if self.protocol.pairs:
            least = grouped(column("true_size"), units)
            pairs = {"iiou_true_size": (least >= 0.5) * 1.0}
            found.append(averages(pairs, list(dict.fromkeys(units))))
        return found

    def _ranking(self, entries: Sequence[OwnScore]) -> Statistic:
        detections = self.protocol.detections(entries)
        ranked = Ranked([detections])

        def of(times: np.ndarray) -> dict[str, np.ndarray]:
            found = {"ap": ranked.resampled(times)["ap"]}
            if not detections.visible.all():
                found["confidence_auroc"] = auroc(detections.confidence, detections.visible, times)
            return found

        return recounted(of, [entry.group for entry in entries], FEW)
