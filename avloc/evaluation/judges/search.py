"""The judge for ACL's protocol, the best of several thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from avloc.data.benchmarks.types import Item
from avloc.evaluation.detection import Detections, Ranked
from avloc.evaluation.intervals import FEW, Statistic, averages, recounted
from avloc.evaluation.judges.base import Case, Judge, Sheet, shares
from avloc.evaluation.references import DRAWN, Masks, Reference, best_half, canvases, turn
from avloc.evaluation.search import SearchProtocol
from avloc.evaluation.truth import GRID


@dataclass(frozen=True, eq=False)
class Searched:
    """One item: cIoU under each threshold (t,), and what detection needs to know of it."""

    ciou: np.ndarray
    unit: str
    visible: bool
    area: float
    confidence: float | None


class SearchJudge(Judge):
    """See the module.

    Args:
        silent: whether the list has items without a visible source.
        confident: whether maps come with confidences, which such items are ranked by.
    """

    protocol: SearchProtocol

    def __init__(
        self, protocol: SearchProtocol, masks: Masks, silent: bool, confident: bool
    ) -> None:
        super().__init__(protocol)
        self._silent = silent
        self.headline = ("ciou", "auc", *(("ap", "max_f1") if silent and confident else ()))
        everything = masks.add(np.ones((GRID, GRID), bool))
        self._masks = {"whole": [[everything] * len(protocol.thresholds)]}
        for name in DRAWN:
            views = [
                canvas.view(protocol.kernel, protocol.scale).normal(protocol.normal)
                for canvas in canvases(name)
            ]
            self._masks[name] = [
                [masks.add(view.above(at, strict=False)) for at in protocol.thresholds]
                for view in views
            ]

    def wants(self, item: Item) -> bool:
        return item.sounds or self._silent

    def judge(self, sheet: Sheet, case: Case) -> Searched:
        return _searched(self.protocol.score(sheet.heat, case.truth), case, sheet.confidence)

    def reference(self, name: Reference, case: Case) -> Searched:
        if name == "half_oracle":
            best = best_half(case.truth)
            return _searched(np.full(len(self.protocol.thresholds), best), case, best)
        which = turn(case.number, self._masks[name])
        return _searched(case.fixed[self._masks[name][which]], case, 1.0)

    def summarise(self, entries: Sequence[Searched]) -> dict[str, float]:
        """The originals score extended lists apart: AP and F1 are those of the best threshold."""
        found = self.protocol.summarise([entry.ciou for entry in entries if entry.visible])
        if detections := self._detections(entries):
            found["ap"] = max(one.ap() for one in detections)
            found["max_f1"] = max(max(one.f1()) for one in detections)
        return found

    def _detections(self, entries: Sequence[Searched]) -> list[Detections]:
        """The items as detections for each threshold; none where there is nothing to rank by."""
        if not self._silent or any(entry.confidence is None for entry in entries):
            return []
        return self.protocol.detections(
            [entry.ciou for entry in entries],
            np.array([entry.visible for entry in entries]),
            np.array([entry.confidence for entry in entries], float),
            np.array([entry.area for entry in entries]),
        )

    def values(self, entries: Sequence[Searched]) -> list[dict[str, float]]:
        found = self.protocol.summarise([entry.ciou for entry in entries if entry.visible])
        column = self.protocol.thresholds.index(found["threshold"])
        return [{"ciou": float(entry.ciou[column])} for entry in entries]

    def statistics(self, entries: Sequence[Searched]) -> list[Statistic]:
        """Each list searches a threshold of its own."""
        visible = [entry for entry in entries if entry.visible]
        found = [_searching(np.array([e.ciou for e in visible]), [e.unit for e in visible])]
        if detections := self._detections(entries):
            units = [entry.unit for entry in entries]
            found.append(recounted(Ranked(detections).resampled, units, FEW))
        return found


def _searching(table: np.ndarray, units: Sequence[str]) -> Statistic:
    """The numbers under the threshold with the greatest area, from cIoU (n, t)."""
    names = [(name, column) for name in shares(table[:0, 0]) for column in range(table.shape[1])]
    columns = shares(table)
    means = averages({f"{name} {k}": columns[name][:, k] for name, k in names}, units)

    def of(times: np.ndarray) -> dict[str, np.ndarray]:
        found = means.of(times)
        each = {
            name: np.stack([found[f"{name} {k}"] for k in range(table.shape[1])], axis=1)
            for name in columns
        }
        # Areas that are equal must not differ by rounding: the first of them is taken.
        best = np.argmax(np.round(each["auc"], 12), axis=1)
        return {name: values[np.arange(len(best)), best] for name, values in each.items()}

    return Statistic(means.units, of)


def _searched(ciou: np.ndarray, case: Case, confidence: float | None) -> Searched:
    return Searched(ciou, case.unit, case.truth.boxes > 0, case.truth.area, confidence)
