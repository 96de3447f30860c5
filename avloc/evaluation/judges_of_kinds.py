"""Judges for the protocols that do not cut one map of one item at one place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from avloc.data.benchmarks.types import Item
from avloc.evaluation import dense, duet, own, search, segmentation
from avloc.evaluation import negatives as foreign
from avloc.evaluation.canvas import Canvas
from avloc.evaluation.judges import Case, Means, Sheet, half_mask, shares
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


@dataclass(frozen=True, eq=False)
class Searched:
    """One item: cIoU under each threshold (t,), and what detection needs to know of it."""

    ciou: np.ndarray
    unit: str
    visible: bool
    area: float
    confidence: float | None


class SearchJudge:
    """ACL's protocol, the best of several thresholds."""

    limited = False

    def __init__(
        self, protocol: search.SearchProtocol, masks: Masks, silent: bool, confident: bool
    ) -> None:
        self.name = protocol.name
        self._silent = silent
        self.headline: tuple[str, ...] = (
            "ciou",
            "auc",
            *(("ap", "max_f1") if silent and confident else ()),
        )
        self.protocol = protocol
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

    def describe(self) -> dict[str, Any]:
        return asdict(self.protocol)

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
        if self._silent and all(entry.confidence is not None for entry in entries):
            sets = self.protocol.detections(
                [entry.ciou for entry in entries],
                np.array([entry.visible for entry in entries]),
                np.array([entry.confidence for entry in entries], float),
                np.array([entry.area for entry in entries]),
            )
            found["ap"] = max(one.ap() for one in sets)
            found["max_f1"] = max(max(one.f1()) for one in sets)
        return found

    def _best(self, entries: Sequence[Searched]) -> np.ndarray:
        found = self.protocol.summarise([entry.ciou for entry in entries if entry.visible])
        column = self.protocol.thresholds.index(found["threshold"])
        return np.array([entry.ciou[column] for entry in entries])

    def values(self, entries: Sequence[Searched]) -> list[dict[str, float]]:
        return [{"ciou": float(value)} for value in self._best(entries)]

    def means(self, entries: Sequence[Searched]) -> Means:
        visible = [entry for entry in entries if entry.visible]
        return shares(self._best(visible), [entry.unit for entry in visible], "", "")


def _searched(ciou: np.ndarray, case: Case, confidence: float | None) -> Searched:
    return Searched(ciou, case.unit, case.truth.boxes > 0, case.truth.area, confidence)


class SegmentationJudge:
    """AVSBench's protocols."""

    headline: tuple[str, ...] = ("miou", "f_score")
    limited = False

    def __init__(self, protocol: segmentation.SegmentationProtocol) -> None:
        self.name = protocol.name
        self.protocol = protocol

    def describe(self) -> dict[str, Any]:
        return asdict(self.protocol)

    def wants(self, item: Item) -> bool:
        return True

    def judge(self, sheet: Sheet, case: Case) -> tuple[segmentation.Frame, str]:
        frame = self.protocol.score(sheet.heat, case.pixels)
        return frame, case.unit

    def reference(self, name: Reference, case: Case) -> tuple[segmentation.Frame, str]:
        if name in DRAWN:
            which = turn(case.number, canvases(name))
            return self.judge(Sheet(canvases(name)[which]), case)
        inside = case.pixels.inside
        mask = np.ones_like(inside) if name == "whole" else half_mask(inside)
        # A logit far from 0 on either side, in the protocol's own terms: surely in, surely out.
        sure = np.where(mask, np.float32(100), np.float32(-100)).astype(np.float32)
        return self.judge(Sheet(Canvas(sure)), case)

    def summarise(self, entries: Sequence[tuple[segmentation.Frame, str]]) -> dict[str, float]:
        return self.protocol.summarise([frame for frame, _ in entries])

    def values(self, entries: Sequence[tuple[segmentation.Frame, str]]) -> list[dict[str, float]]:
        return [{"iou": float(frame.iou)} for frame, _ in entries]

    def means(self, entries: Sequence[tuple[segmentation.Frame, str]]) -> Means:
        # The mean of the means of batches, of which the last may be short.
        count, size = len(entries), self.protocol.batch or len(entries)
        batch = np.arange(count) // size
        share = count / (len(set(batch.tolist())) * np.bincount(batch)[batch])
        iou = np.array([frame.iou for frame, _ in entries], float) * share
        return {"miou": (iou, [group for _, group in entries])}


class ForeignJudge:
    """vssl_eval's protocol: each item under sounds that are not in its picture, too."""

    headline: tuple[str, ...] = ("ciou", "auc", "ciou_maxq3", "auc_maxq3", "f_loc", "f_auc")
    limited = False

    def __init__(self, protocol: foreign.NegativesProtocol, thresholds: foreign.Thresholds) -> None:
        self.name = protocol.name
        self.protocol = protocol
        self.thresholds = thresholds

    def describe(self) -> dict[str, Any]:
        return asdict(self.protocol) | {"thresholds": asdict(self.thresholds)}

    def wants(self, item: Item) -> bool:
        return item.sounds

    def judge(self, sheet: Sheet, case: Case) -> tuple[dict[str, float], str]:
        values = self.protocol.score(
            sheet.heat, sheet.foreign, case.truth, self.thresholds, sheet.objects
        )
        return values, case.unit

    def reference(self, name: Reference, case: Case) -> tuple[dict[str, float], str]:
        """References hear nothing, so that every sound gives the same map; the oracle's negatives
        are empty."""
        if name in DRAWN:
            heat = canvases(name)[turn(case.number, canvases(name))]
        else:
            inside = case.truth.inside
            mask = np.ones_like(inside) if name == "whole" else half_mask(inside)
            heat = Canvas(np.where(mask, np.float32(1), np.float32(-1)).astype(np.float32))
        none = Canvas(np.full((GRID, GRID), -1, np.float32))
        other = none if name == "half_oracle" else heat
        return self.judge(Sheet(heat, None, dict.fromkeys(foreign.KINDS, other)), case)

    def summarise(self, entries: Sequence[tuple[dict[str, float], str]]) -> dict[str, float]:
        return self.protocol.summarise(
            [values for values, _ in entries], [group for _, group in entries]
        )

    def values(self, entries: Sequence[tuple[dict[str, float], str]]) -> list[dict[str, float]]:
        return [{"ciou": values["ciou_median"], **values} for values, _ in entries]

    def means(self, entries: Sequence[tuple[dict[str, float], str]]) -> Means:
        units = [group for _, group in entries]
        found: Means = {}
        for name in entries[0][0]:
            column = np.array([values[name] for values, _ in entries])
            if name.startswith(("pia_", "ciou_max", "ciou_05")):
                found[name] = np.nan_to_num(column), units
        return found


class OwnJudge:
    """avloc's own protocol."""

    limited = True

    def __init__(self, protocol: own.OwnProtocol, masks: Masks, pairs: bool, silent: bool) -> None:
        self.name = protocol.name
        self.protocol = protocol
        headline = ["ciou", "auc", "true_size_mean", "iou_mean", "pixel_ap", "ap"]
        headline += ["iiou_true_size"] * pairs + ["confidence_auroc"] * silent
        self.headline = tuple(headline)
        self._pairs = pairs
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

    def describe(self) -> dict[str, Any]:
        return asdict(self.protocol)

    def wants(self, item: Item) -> bool:
        return True

    def judge(self, sheet: Sheet, case: Case) -> own.OwnScore:
        return self.protocol.score(sheet.heat, case.truth, self._group(case), sheet.confidence)

    def _group(self, case: Case) -> str:
        return case.unit if self._pairs else ""

    def reference(self, name: Reference, case: Case) -> own.OwnScore:
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
        return own.OwnScore(values, visible, truth.area, self._group(case))

    def summarise(self, entries: Sequence[own.OwnScore]) -> dict[str, float]:
        return self.protocol.summarise(entries)

    def values(self, entries: Sequence[own.OwnScore]) -> list[dict[str, float]]:
        return [entry.values for entry in entries]

    def means(self, entries: Sequence[own.OwnScore]) -> Means:
        visible = [entry for entry in entries if entry.visible]
        units = [entry.group or str(number) for number, entry in enumerate(visible)]

        def column(name: str) -> np.ndarray:
            return np.array([entry.values[name] for entry in visible])

        found = shares(column("ciou"), units, "", "")
        for name in ("true_size", "iou"):
            whole = shares(column(name), units, "", "")
            found |= {
                f"{name}_mean": whole["mean_ciou"],
                f"{name}_success": whole["ciou"],
                f"{name}_auc": whole["auc"],
            }
        found["pixel_ap"] = column("pixel_ap"), units
        return found


class DenseJudge:
    """DenseAV's protocol, which pools the pixels of a class."""

    headline: tuple[str, ...] = ("map", "miou")
    limited = False

    def __init__(self, protocol: dense.DenseProtocol) -> None:
        self.name = protocol.name
        self.protocol = protocol

    def describe(self) -> dict[str, Any]:
        return asdict(self.protocol)

    def wants(self, item: Item) -> bool:
        return True

    def judge(self, sheet: Sheet, case: Case) -> dense.DenseScore:
        return self.protocol.score(sheet.heat.values, case.pixels, case.item.label)

    def reference(self, name: Reference, case: Case) -> dense.DenseScore:
        return self.judge(Sheet(drawn(name, case)), case)

    def summarise(self, entries: Sequence[dense.DenseScore]) -> dict[str, float]:
        return self.protocol.summarise(entries)

    def values(self, entries: Sequence[dense.DenseScore]) -> list[dict[str, float]]:
        return [{} for _ in entries]

    def means(self, entries: Sequence[dense.DenseScore]) -> Means:
        return {}


class DuetJudge:
    """Protocols for two sources in one picture."""

    headline: tuple[str, ...] = ("ciou_03", "ciou", "auc", "cap", "piap")
    limited = True

    def __init__(self, protocol: duet.DuetProtocol) -> None:
        self.name = protocol.name
        self.protocol = protocol

    def describe(self) -> dict[str, Any]:
        return asdict(self.protocol)

    def wants(self, item: Item) -> bool:
        return item.sounds

    def judge(self, sheet: Sheet, case: Case) -> duet.DuetScore:
        return self.protocol.score(sheet.heat, case.truth, case.unit)

    def reference(self, name: Reference, case: Case) -> duet.DuetScore:
        return self.judge(Sheet(drawn(name, case)), case)

    def summarise(self, entries: Sequence[duet.DuetScore]) -> dict[str, float]:
        return self.protocol.summarise(entries)

    def values(self, entries: Sequence[duet.DuetScore]) -> list[dict[str, float]]:
        return [{"ciou": entry.ciou, "pixel_ap": entry.ap} for entry in entries]

    def means(self, entries: Sequence[duet.DuetScore]) -> Means:
        units = [entry.group for entry in entries]
        ciou = np.array([entry.ciou for entry in entries])
        found = shares(ciou, units, "", "")
        del found["mean_ciou"]
        found["ciou_03"] = (ciou >= 0.3) * 1.0, units
        found["cap"] = np.array([entry.ap for entry in entries]), units
        return found


def drawn(name: Reference, case: Case) -> Canvas:
    """A reference as a map that is normalised to its range and cut at its middle."""
    if name in DRAWN:
        return canvases(name)[turn(case.number, canvases(name))]
    inside = case.pixels.inside
    if name == "half_oracle":
        return Canvas(half_mask(inside).astype(np.float32))
    everything = np.ones_like(inside, np.float32)
    everything[0, 0] = 0  # or it would have no range
    return Canvas(everything)
