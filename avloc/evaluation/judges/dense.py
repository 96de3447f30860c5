"""The judge for DenseAV's protocol, which pools the pixels of a class."""

from __future__ import annotations

from collections.abc import Sequence

from avloc.data.benchmarks.types import Item
from avloc.evaluation.dense import DenseProtocol, DenseScore
from avloc.evaluation.intervals import FEW, Statistic, recounted
from avloc.evaluation.judges.base import Case, Judge, Sheet
from avloc.evaluation.references import Drawn, Reference, half_mask

Entry = tuple[DenseScore, str]


class DenseJudge(Judge):
    """See the module."""

    protocol: DenseProtocol
    headline = ("map", "miou")

    def wants(self, item: Item) -> bool:
        return True

    def judge(self, sheet: Sheet, case: Case) -> Entry:
        return self.protocol.score(sheet.heat.values, case.pixels, case.item.label), case.unit

    def reference(self, name: Reference, case: Case) -> Entry:
        half = name == "half_oracle"
        heat = half_mask(case.pixels.inside) if half else Drawn(name, case.number)
        return self.protocol.score(heat, case.pixels, case.item.label), case.unit

    def summarise(self, entries: Sequence[Entry]) -> dict[str, float]:
        return self.protocol.summarise([score for score, _ in entries])

    def values(self, entries: Sequence[Entry]) -> list[dict[str, float]]:
        return [{} for _ in entries]

    def statistics(self, entries: Sequence[Entry]) -> list[Statistic]:
        scores, units = [score for score, _ in entries], [unit for _, unit in entries]
        return [recounted(self.protocol.recount(scores), units, FEW)]
