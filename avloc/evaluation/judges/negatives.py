"""The judge for vssl_eval's protocol: each item under sounds that are not in its picture, too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from avloc.evaluation.canvas import Canvas
from avloc.evaluation.intervals import Statistic
from avloc.evaluation.judges.base import Case, Judge, Sheet
from avloc.evaluation.negatives import KINDS, NegativesProtocol
from avloc.evaluation.references import DRAWN, Drawn, Reference, half_mask
from avloc.evaluation.thresholds import Thresholds
from avloc.evaluation.truth import GRID

Entry = tuple[tuple[str, ...], np.ndarray, str]
"""Names and values, which take a tenth of the memory of a dictionary, and the unit."""


class NegativesJudge(Judge):
    """See the module."""

    protocol: NegativesProtocol
    headline = ("ciou", "auc", "ciou_maxq3", "auc_maxq3", "f_loc", "f_auc")

    def __init__(self, protocol: NegativesProtocol, thresholds: Thresholds) -> None:
        super().__init__(protocol)
        self.thresholds = thresholds

    def describe(self) -> dict[str, Any]:
        return super().describe() | {"thresholds": asdict(self.thresholds)}

    def judge(self, sheet: Sheet, case: Case) -> Entry:
        found = self.protocol.score(
            sheet.heat, sheet.foreign, case.truth, self.thresholds, sheet.objects
        )
        return tuple(found), np.array(list(found.values())), case.unit

    def reference(self, name: Reference, case: Case) -> Entry:
        """References hear nothing, so that every sound gives the same map; the oracle's negatives
        are empty."""
        if name in DRAWN:
            # A canvas of its own: ranks of a shared one are not for several threads at a time.
            heat = Canvas(Drawn(name, case.number).canvas.values, "cosine")
        else:
            inside = case.truth.inside
            mask = np.ones_like(inside) if name == "whole" else half_mask(inside)
            heat = Canvas(np.where(mask, np.float32(1), np.float32(-1)).astype(np.float32))
        none = Canvas(np.full((GRID, GRID), -1, np.float32))
        other = none if name == "half_oracle" else heat
        return self.judge(Sheet(heat, None, dict.fromkeys(KINDS, other)), case)

    def summarise(self, entries: Sequence[Entry]) -> dict[str, float]:
        return self.protocol.summarise(*_apart(entries))

    def values(self, entries: Sequence[Entry]) -> list[dict[str, float]]:
        return [{"ciou": values["ciou_median"], **values} for values in _apart(entries)[0]]

    def statistics(self, entries: Sequence[Entry]) -> list[Statistic]:
        return self.protocol.statistics(*_apart(entries))


def _apart(entries: Sequence[Entry]) -> tuple[list[dict[str, float]], list[str]]:
    """The numbers of each item, and its unit."""
    numbers = [dict(zip(names, values.tolist(), strict=True)) for names, values, _ in entries]
    return numbers, [unit for *_, unit in entries]
