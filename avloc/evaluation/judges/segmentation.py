"""The judge for AVSBench's protocols."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from avloc.data.benchmarks.types import Item
from avloc.evaluation.canvas import Canvas
from avloc.evaluation.intervals import FEW, Statistic, recounted
from avloc.evaluation.judges.base import Case, Judge, Sheet
from avloc.evaluation.references import DRAWN, Drawn, Reference, half_mask
from avloc.evaluation.segmentation import Frame, SegmentationProtocol

Entry = tuple[Frame, str]


class SegmentationJudge(Judge):
    """See the module."""

    protocol: SegmentationProtocol
    headline = ("miou", "f_score")

    def wants(self, item: Item) -> bool:
        return True

    def judge(self, sheet: Sheet, case: Case) -> Entry:
        return self.protocol.score(sheet.heat, case.pixels), case.unit

    def reference(self, name: Reference, case: Case) -> Entry:
        if name in DRAWN:
            return self.judge(Sheet(Drawn(name, case.number).canvas), case)
        inside = case.pixels.inside
        mask = np.ones_like(inside) if name == "whole" else half_mask(inside)
        # A logit far from 0 on either side, in the protocol's own terms: surely in, surely out.
        sure = np.where(mask, np.float32(100), np.float32(-100)).astype(np.float32)
        return self.judge(Sheet(Canvas(sure)), case)

    def summarise(self, entries: Sequence[Entry]) -> dict[str, float]:
        return self.protocol.summarise([frame for frame, _ in entries])

    def values(self, entries: Sequence[Entry]) -> list[dict[str, float]]:
        return [{"iou": float(frame.iou)} for frame, _ in entries]

    def statistics(self, entries: Sequence[Entry]) -> list[Statistic]:
        frames, units = [frame for frame, _ in entries], [unit for _, unit in entries]
        # The mean of the means of batches, of which the last may be short.
        count, size = len(frames), self.protocol.batch or len(frames)
        batch = np.arange(count) // size
        share = 1 / np.bincount(batch)[batch]
        iou = np.array([frame.iou for frame in frames], float)

        def miou(times: np.ndarray) -> dict[str, np.ndarray]:
            return {"miou": times @ (share * iou) / (times @ share)}

        f_score = recounted(self.protocol.recount(frames), units, FEW)
        return [recounted(miou, units), f_score]
