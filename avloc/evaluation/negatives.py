"""Heatmaps under sounds that are not in the picture: silence, noise, sounds of other classes.

As in vssl_eval (Juanola et al., arXiv 2410.01020): one threshold for all maps of a method, and pIA
is the share of pixels above it where nothing should be. Nothing is normalised. Some names of the
original promise other things than it computes; they are explained at `NegativesProtocol`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from avloc.evaluation.canvas import Canvas
from avloc.evaluation.field import View
from avloc.evaluation.kernels import Kernel
from avloc.evaluation.metrics import STEPS, auc, grouped, harmonic, success
from avloc.evaluation.protocols import HALF, PIXELS, Fusion
from avloc.evaluation.truth import Truth

KINDS = ("silence", "noise", "offscreen")
PAIRS = tuple(combinations(("pos", *KINDS), 2))
UNIVERSAL = ("05", "max", "max10", "maxq3")


@dataclass(frozen=True)
class Thresholds:
    """Universal thresholds of one method, made of the greatest values of its negative maps.

    Attributes:
        max: The greatest of them.
        max10: The mean of the ten greatest.
        maxq3: Their third quartile.
        double: Compare these in float64 (what the original does to SSL-TIE by accident).
    """

    max: float
    max10: float
    maxq3: float
    double: bool = False

    @classmethod
    def of(cls, greatest: np.ndarray) -> Thresholds:
        """From the greatest value of each negative map, (n,)."""
        ordered = np.sort(greatest)
        return cls(
            float(ordered[-1]), float(ordered[-10:].mean()), float(np.percentile(ordered, 75))
        )

    def above(self, values: np.ndarray, name: str) -> np.ndarray:
        """The pixels above a threshold: "05" for one half, or "max", "max10", "maxq3"."""
        at = 0.5 if name == "05" else getattr(self, name)
        # A double on the right makes NumPy compare doubles.
        return values > (np.float64(at) if self.double and name != "05" else np.float32(at))


PUBLISHED = {
    "sslalign": Thresholds(0.266, 0.2926, 0.3175),
    "slavc": Thresholds(0.5201, 0.5721, 0.545),
    "ezvsl": Thresholds(0.6041, 0.6645, 0.6382),
    "ssltie": Thresholds(0.2641, 0.2906, 0.3338, double=True),
}
"""Constants of the original's main(), for its copies of the weights."""


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

    def on(self, benchmark: str) -> NegativesProtocol:
        """The protocol as its original runs it on a list."""
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
        table = {name: np.array([one[name] for one in scores]) for name in scores[0]}
        found = _summary(table, groups, "")
        for kind in ("pos", *KINDS):
            for end in ("highest", "lowest"):
                values = table[f"{end}_{kind}"]
                found[f"{end}_{kind}"] = float(values.mean())
                found[f"{end}_median_{kind}"] = float(np.median(values))
        if "ogl_ciou_median" in table:
            found |= _summary(table, groups, "ogl_")
        return found


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


def _summary(
    table: Mapping[str, np.ndarray], groups: Sequence[str], before: str
) -> dict[str, float]:
    def column(name: str) -> np.ndarray:
        return table[before + name]

    found: dict[str, float] = {}
    mixed = np.concatenate([column("ciou_median"), *(column(f"ciou_{t}") for t in UNIVERSAL)])
    found["ciou"], found["auc"] = success(mixed), auc(mixed)
    adaptive = column("ciou_adap")
    found["ciou_adap"], found["auc_adap"] = success(adaptive), auc(adaptive)
    for name, values in (("", column("ciou_maxq3")), ("_adap", adaptive)):
        least = grouped(values, groups)
        # One undefined cIoU (nothing predicted, no truth) poisons these in the original.
        defined = not np.isnan(values).any()
        found[f"iiou{name}"] = success(least) if defined else float("nan")
        found[f"iauc{name}"] = auc(least) if defined else float("nan")
    for t in UNIVERSAL:
        values = np.nan_to_num(column(f"ciou_{t}")) if not before else column(f"ciou_{t}")
        found[f"ciou_{t}"], found[f"auc_{t}"] = float(values.mean()), auc(values)
    for name in table:
        if name.startswith(f"{before}pia_"):
            values = table[name]
            found[name.removeprefix(before)] = float(values.mean())
            curve = [float(np.mean(values <= step)) for step in STEPS]
            found["aoc_" + name.removeprefix(f"{before}pia_")] = float(np.trapezoid(curve, STEPS))
        elif name.startswith(f"{before}iou_"):
            found[name.removeprefix(before)] = float(np.mean(np.nan_to_num(table[name], nan=1.0)))
    quiet = [1 - found[f"pia_{kind}_maxq3"] for kind in KINDS]
    areas = [found[f"aoc_{kind}_maxq3"] for kind in KINDS]
    for kind, share, area in zip(
        ("loc", *KINDS),
        (float(np.mean(quiet)), *quiet),
        (float(np.mean(areas)), *areas),
        strict=True,
    ):
        found[f"f_{kind}"] = harmonic(found["ciou_maxq3"], share)
        name = "f_auc" if kind == "loc" else f"f_auc_{kind}"
        found[name] = harmonic(found["auc_maxq3"], area)
    return {before + name: value for name, value in found.items()}


NEGATIVES = NegativesProtocol(
    name="negatives",
    source="xavijuanola/vssl_eval eval.py",
    kernel="opencv-linear",
    elsewhere="torch-bilinear-corners",
    negative_kernel="opencv-linear",
    fusion=Fusion(0.4, normal="none", after="none"),
)
