"""Judges for the protocols that cut one map (`protocols.PROTOCOLS`)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from avloc.data.benchmarks.types import Item
from avloc.evaluation import scoring
from avloc.evaluation.detection import Ranked
from avloc.evaluation.intervals import FEW, Statistic, averages, recounted
from avloc.evaluation.judges.base import Case, Judge, Sheet, shares
from avloc.evaluation.metrics import areas, grouped
from avloc.evaluation.protocols import HALF, PIXELS, Protocol
from avloc.evaluation.references import (
    DRAWN,
    Masks,
    Reference,
    best_half,
    best_size,
    canvases,
    turn,
)
from avloc.evaluation.truth import GRID, Truth


class MapJudge(Judge):
    """See the module. `pairs`: whether several items of the list are of one picture."""

    protocol: Protocol

    def __init__(self, protocol: Protocol, masks: Masks, pairs: bool) -> None:
        super().__init__(protocol)
        self.limited = protocol.cut.half is not None and protocol.cut.least is None
        self._ranks = protocol.detection and protocol.negatives
        headline = ["ciou", "auc"]
        headline += ["ciou_adap"] * protocol.adaptive
        headline += ["iiou"] * (protocol.pairs and pairs)
        headline += ["ap", "max_f1"] * self._ranks
        self.headline = tuple(headline)
        self._views = {
            name: [protocol.views(canvas)[""] for canvas in canvases(name)] for name in DRAWN
        }
        self._sorted = {
            name: [np.sort(view.values, axis=None) for view in views] * protocol.adaptive
            for name, views in self._views.items()
        }
        self._masks = {
            name: [masks.add(protocol.predict(view)) for view in views]
            for name, views in self._views.items()
        }
        if self.limited:
            # One disc for all of these, with the pixels on its edge, which ">" would leave out.
            view = self._views["centre"][0]
            self._masks["centre"] = [masks.add(view.above(view.rank(HALF), strict=False))]
        self._masks["whole"] = [masks.add(np.ones((GRID, GRID), bool))]
        self._sure = {
            name: [scoring.score(protocol, canvas, _NOTHING).values for canvas in canvases(name)]
            for name in DRAWN
        }

    def wants(self, item: Item) -> bool:
        return item.sounds or self.protocol.negatives

    def judge(self, sheet: Sheet, case: Case) -> scoring.Score:
        objects = sheet.objects if self.protocol.fusion else None
        return scoring.score(self.protocol, sheet.heat, case.truth, objects, case.unit)

    def reference(self, name: Reference, case: Case) -> scoring.Score:
        truth, values = case.truth, {}
        if name == "half_oracle":
            values["ciou"], adaptive = best_half(truth), best_size(truth)
            confidence = values["ciou"]  # so that what succeeds comes first
        else:
            which = turn(case.number, self._masks[name])
            values["ciou"] = adaptive = float(case.fixed[self._masks[name][which]])
            confidence = 1.0
            if name in DRAWN:
                confidence = self._sure[name][which].get("confidence", 1.0)
                if self.protocol.adaptive:
                    adaptive = self._at_true_size(name, which, truth)
        if self.protocol.adaptive:
            values["ciou_adap"] = adaptive
        if self.protocol.detection:
            values["confidence"] = confidence
        return scoring.Score(values, truth.boxes > 0, truth.area, case.unit)

    def _at_true_size(self, name: Reference, which: int, truth: Truth) -> float:
        """As `protocols.true_size`, which would sort the same map for every item."""
        at = self._sorted[name][which][PIXELS - (truth.pixels or HALF)]
        return truth.ciou(self._views[name][which].values > at)

    def summarise(self, entries: Sequence[scoring.Score]) -> dict[str, float]:
        return scoring.summarise(self.protocol, entries)

    def values(self, entries: Sequence[scoring.Score]) -> list[dict[str, float]]:
        return [entry.values for entry in entries]

    def statistics(self, entries: Sequence[scoring.Score]) -> list[Statistic]:
        visible = [entry for entry in entries if entry.visible]
        units = [entry.group for entry in visible]
        there = entries[0].values
        found = []
        for before in ("", "objects_", "ogl_"):
            for after in ("", "_adap"):
                if f"{before}ciou{after}" in there:
                    ciou = np.array([entry.values[f"{before}ciou{after}"] for entry in visible])
                    found += self._means(ciou, units, before, after)
            if self._ranks and before != "objects_" and f"{before}ciou" in there:
                found.append(_ranking(entries, before))
        return found

    def _means(
        self, ciou: np.ndarray, units: Sequence[str], before: str, after: str
    ) -> list[Statistic]:
        found = [averages(shares(ciou, before, after), units)]
        if self.protocol.pairs:
            least = grouped(ciou, units)
            columns = {"iiou": (least >= 0.5) * 1.0, "iauc": areas(least)}
            named = {f"{before}{key}{after}": values for key, values in columns.items()}
            found.append(averages(named, list(dict.fromkeys(units))))
        return found


def _ranking(entries: Sequence[scoring.Score], before: str) -> Statistic:
    ranked = Ranked([scoring.detections(entries, before)])

    def of(times: np.ndarray) -> dict[str, np.ndarray]:
        return {before + name: values for name, values in ranked.resampled(times).items()}

    return recounted(of, [entry.group for entry in entries], FEW)


_NOTHING = Truth(np.zeros((GRID, GRID), bool), boxes=0)
