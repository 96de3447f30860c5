"""The judge for protocols for two sources in one picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np

from avloc.data.benchmarks.types import Item
from avloc.evaluation.answers import box_truth
from avloc.evaluation.canvas import Canvas
from avloc.evaluation.duet import CUT, MOST, DuetProtocol, DuetScore
from avloc.evaluation.intervals import Statistic, averages
from avloc.evaluation.judges.base import Case, Judge, Sheet, shares
from avloc.evaluation.references import DRAWN, Drawn, Reference, canvases, half_mask
from avloc.evaluation.truth import Truth

KEPT = 64  # truths that may be asked for again, by the other maps of a picture


class DuetJudge(Judge):
    """See the module. `items` are those of the list, in its order."""

    protocol: DuetProtocol
    headline = ("ciou_03", "ciou", "auc", "cap", "piap")
    limited = True

    def __init__(self, protocol: DuetProtocol, items: Sequence[Item]) -> None:
        super().__init__(protocol)
        self._pictures: dict[str, list[int]] = {}
        for number, item in enumerate(items):
            if self.wants(item):
                self._pictures.setdefault(item.unit, []).append(number)
        self._truth = lru_cache(KEPT)(lambda number: box_truth(items[number]))
        for name in (*DRAWN, "whole"):
            for canvas in canvases(name):  # cut once, before several threads share them
                CUT.mask(canvas.view(protocol.kernel, protocol.scale).normal(protocol.normal))

    def _truths(self, case: Case) -> Mapping[int, Truth]:
        """Of all sources of a picture, by number; only the own one where there are too many."""
        numbers = self._pictures[case.unit]
        others = numbers if len(numbers) <= MOST else []
        return {case.number: case.truth} | {
            number: self._truth(number) for number in others if number != case.number
        }

    def judge(self, sheet: Sheet, case: Case) -> DuetScore:
        return self.protocol.score(sheet.heat, self._truths(case), case.number, case.unit)

    def reference(self, name: Reference, case: Case) -> DuetScore:
        if name != "half_oracle":
            return self.judge(Sheet(Drawn(name, case.number).canvas), case)
        return self.judge(Sheet(Canvas(half_mask(case.truth.inside).astype(np.float32))), case)

    def values(self, entries: Sequence[DuetScore]) -> list[dict[str, float]]:
        return [{"ciou": entry.ciou, "pixel_ap": entry.ap} for entry in entries]

    def statistics(self, entries: Sequence[DuetScore]) -> list[Statistic]:
        ciou = np.array([entry.ciou for entry in entries])
        columns = {
            **shares(ciou),
            "ciou_03": (ciou >= 0.3) * 1.0,
            "cap": np.array([entry.ap for entry in entries]),
            "piap": self.protocol.matched(entries),
        }
        del columns["mean_ciou"]
        return [averages(columns, [entry.group for entry in entries])]
