"""Heatmaps under sounds that are not in the picture: silence, noise, sounds of other classes.

As in vssl_eval (Juanola et al., arXiv 2410.01020): one threshold for all maps of a method, and pIA
is the share of pixels above it where nothing should be. Nothing is normalised. Some names of the
original promise other things than it computes; they are explained at `NegativesProtocol`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np

from avloc.evaluation.canvas import Canvas
from avloc.evaluation.field import View
from avloc.evaluation.intervals import Statistic, averages
from avloc.evaluation.kernels import Kernel
from avloc.evaluation.metrics import STEPS, areas, auc, grouped, harmonic, success
from avloc.evaluation.protocols import HALF, PIXELS, Fusion
from avloc.evaluation.thresholds import Thresholds
from avloc.evaluation.truth import Truth

KINDS = ("silence", "noise", "offscreen")
PAIRS = tuple(combinations(("pos", *KINDS), 2))
UNIVERSAL = ("05", "max", "max10", "maxq3")


@dataclass(frozen=True)
class NegativesProtocol:
    """Scores maps of items together with their maps under three kinds of negative sounds.

    Numbers of `summarise`, all but "highest" and "lowest" in 0..1; those of mixtures with
    objectness begin with "ogl_":
        ciou_T, auc_T: mean (!) cIoU and its area above threshold T (05, max, max10, maxq3).
        pia_K, pia_K_T: pixels above one half or T under negative K; pia_K_ciou, pia_K_ciouadap:
            above the item's own median or true-size threshold. aoc_...: area of pIA at most t.
        iou_A_B...: how much the masks of two kinds of sound coincide; both empty count as equal.
        ciou, auc: what is printed as cIoU. Mixes five thresholds (median and the four T).
        iiou, iauc: of the last of them, maxq3. ciou_adap and so on: as SSLalignment.
        f_loc, f_auc: harmonic means of ciou_maxq3 and 1 - pIA, of auc_maxq3 and aoc.
    """

    name: str
    source: str
    kernel: Kernel
    elsewhere: Kernel | None
    negative_kernel: Kernel
    fusion: Fusion
    note: str = ""

    def on(self, benchmark: str, thresholds: Thresholds) -> NegativesProtocol:
        """The protocol as its original runs it on a list, for the method of some thresholds."""
        if thresholds.kernel is not None:
            return replace(self, kernel=thresholds.kernel, elsewhere=None)
        if self.elsewhere is None or benchmark.startswith("vggss"):
            return self
        return replace(self, kernel=self.elsewhere, elsewhere=None)

    def score(
        self,
        heat: Canvas,
        negatives: Mapping[str, Canvas],
        truth: Truth,
        thresholds: Thresholds,
        objects: Canvas | None = None,
    ) -> dict[str, float]:
        """Everything about one item; `negatives` by `KINDS`."""
        fields = {"pos": heat.view(self.kernel, "cosine")} | {
            kind: negatives[kind].view(self.negative_kernel, "cosine") for kind in KINDS
        }
        found = _view(fields, truth, thresholds)
        for kind, canvas in {"pos": heat, **negatives}.items():
            found[f"highest_{kind}"] = float(canvas.values.max())
            found[f"lowest_{kind}"] = float(canvas.values.min())
        if objects is not None:
            mixed = {
                kind: self.fusion.mix(field, objects.view(self.kernel))
                for kind, field in fields.items()
            }
            for name, value in _view(mixed, truth, thresholds).items():
                found[f"ogl_{name}"] = value
        return found

    def summarise(
        self, scores: Sequence[Mapping[str, float]], groups: Sequence[str]
    ) -> dict[str, float]:
        """The numbers over a list, or over several runs of it one after another."""
        table = _table(scores)
        found: dict[str, float] = {}
        for before in _views(table):
            means = {name: float(column.mean()) for name, column in _columns(table, before).items()}
            means |= {name: float(value) for name, value in _harmonic(means).items()}
            means |= _grouped(table, before, groups)
            found |= {before + name: value for name, value in means.items()}
        for kind in ("pos", *KINDS):
            for end in ("highest", "lowest"):
                found[f"{end}_{kind}"] = float(table[f"{end}_{kind}"].mean())
                found[f"{end}_median_{kind}"] = float(np.median(table[f"{end}_{kind}"]))
        return found

    def statistics(
        self, scores: Sequence[Mapping[str, float]], groups: Sequence[str]
    ) -> list[Statistic]:
        """The same for lists in which groups stand any number of times."""
        table = _table(scores)
        return [_statistic(_columns(table, before), before, groups) for before in _views(table)]


def _statistic(columns: Mapping[str, np.ndarray], before: str, groups: Sequence[str]) -> Statistic:
    means = averages(columns, groups)

    def of(times: np.ndarray) -> dict[str, np.ndarray]:
        found = means.of(times)
        return {before + name: value for name, value in {**found, **_harmonic(found)}.items()}

    return replace(means, of=of)


def _view(fields: Mapping[str, View], truth: Truth, thresholds: Thresholds) -> dict[str, float]:
    """What is asked of the maps of one item, and of its mixtures with objectness."""
    positive = fields["pos"]
    area = truth.pixels or HALF
    own = {"ciou": positive.rank(HALF), "ciouadap": positive.rank(PIXELS - area)}
    found = {
        "ciou_median": truth.ciou(positive.values > own["ciou"]),
        "ciou_adap": truth.ciou(positive.values > own["ciouadap"]),
    }
    for name in (*UNIVERSAL, *own):
        masks = {
            kind: field.values > own[name] if name in own else thresholds.above(field.values, name)
            for kind, field in fields.items()
        }
        after = "" if name == "05" else f"_{name}"
        if name in UNIVERSAL:
            found[f"ciou_{name}"] = truth.ciou(masks["pos"])
        for kind in KINDS:
            found[f"pia_{kind}{after}"] = float(np.count_nonzero(masks[kind]) / PIXELS)
        for a, b in PAIRS:
            found[f"iou_{a}_{b}{after}"] = _iou(masks[a], masks[b])
    return found


def _iou(a: np.ndarray, b: np.ndarray) -> float:
    either = np.count_nonzero(a | b)
    return float(np.count_nonzero(a & b) / either) if either else float("nan")


def _table(scores: Sequence[Mapping[str, float]]) -> dict[str, np.ndarray]:
    return {name: np.array([one[name] for one in scores]) for name in scores[0]}


def _views(table: Mapping[str, np.ndarray]) -> list[str]:
    """What names begin with: those of maps, and where there are some those of mixtures."""
    return ["", *(["ogl_"] if "ogl_ciou_median" in table else [])]


def _columns(table: Mapping[str, np.ndarray], before: str) -> dict[str, np.ndarray]:
    """What is averaged over items, (n,) by the name of the mean."""
    universal = {t: table[f"{before}ciou_{t}"] for t in UNIVERSAL}
    mixed = np.stack([table[f"{before}ciou_median"], *universal.values()], axis=1)
    adaptive = table[f"{before}ciou_adap"]
    found = {
        "ciou": np.mean(mixed >= 0.5, axis=1),
        "auc": np.mean(areas(mixed), axis=1),
        "ciou_adap": (adaptive >= 0.5) * 1.0,
        "auc_adap": areas(adaptive),
    }
    for t, values in universal.items():
        values = values if before else np.nan_to_num(values)
        found |= {f"ciou_{t}": values, f"auc_{t}": areas(values)}
    for name, values in table.items():
        own = name.removeprefix(before)
        if name == f"{before}{own}" and own.startswith("pia_"):
            below = values[:, None] <= np.array(STEPS)
            found[own] = values
            found["aoc_" + own.removeprefix("pia_")] = np.trapezoid(below * 1.0, STEPS, axis=1)
        elif name == f"{before}{own}" and own.startswith("iou_"):
            found[own] = np.nan_to_num(values, nan=1.0)
    return found


def _harmonic(means: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The numbers that weigh where the source is against where nothing is."""
    quiet = {kind: 1 - means[f"pia_{kind}_maxq3"] for kind in KINDS}
    areas = {kind: means[f"aoc_{kind}_maxq3"] for kind in KINDS}
    found = {"f_loc": harmonic(means["ciou_maxq3"], sum(quiet.values()) / len(KINDS))}
    found["f_auc"] = harmonic(means["auc_maxq3"], sum(areas.values()) / len(KINDS))
    for kind in KINDS:
        found[f"f_{kind}"] = harmonic(means["ciou_maxq3"], quiet[kind])
        found[f"f_auc_{kind}"] = harmonic(means["auc_maxq3"], areas[kind])
    return found


def _grouped(
    table: Mapping[str, np.ndarray], before: str, groups: Sequence[str]
) -> dict[str, float]:
    found: dict[str, float] = {}
    for after in ("_maxq3", "_adap"):
        values = table[f"{before}ciou{after}"]
        least = grouped(values, groups)
        # One undefined cIoU (nothing predicted, no truth) poisons these in the original.
        defined = not np.isnan(values).any()
        name = after.removeprefix("_maxq3")
        found[f"iiou{name}"] = success(least) if defined else float("nan")
        found[f"iauc{name}"] = auc(least) if defined else float("nan")
    return found


NEGATIVES = NegativesProtocol(
    name="negatives",
    source="xavijuanola/vssl_eval eval.py",
    kernel="opencv-linear",
    elsewhere="torch-bilinear-corners",
    negative_kernel="opencv-linear",
    fusion=Fusion(0.4, normal="none", after="none"),
)
