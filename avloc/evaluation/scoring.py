"""One heatmap under one protocol, and a whole list of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from avloc.evaluation.canvas import Canvas
from avloc.evaluation.detection import SIZES, Detections
from avloc.evaluation.field import Tally, View
from avloc.evaluation.metrics import auc, grouped, success, summary
from avloc.evaluation.protocols import PIXELS, Edge, Protocol, true_size
from avloc.evaluation.truth import Truth


@dataclass(frozen=True)
class Score:
    """What a protocol says of one heatmap.

    `values` by name, for each view (objects alone with "objects_" before the name, the mixture
    with "ogl_"): "ciou", "ciou_adap", "confidence", "ties" (pixels equal to the value at which the
    prediction ends).
    """

    values: dict[str, float]
    visible: bool = True
    area: float = 0.0
    group: str = ""


def score(
    protocol: Protocol,
    canvas: Canvas,
    truth: Truth,
    objects: Canvas | None = None,
    group: str = "",
) -> Score:
    """Score the heatmap on `canvas`, and with `objects` the objectness and the mixture too."""
    values: dict[str, float] = {}
    for name, view in protocol.views(canvas, objects).items():
        before = f"{name}_" if name else ""
        final = view.normal(protocol.last)
        values[f"{before}ciou"], tally = _cut(final, protocol.cut.edge(final), truth)
        values[f"{before}ties"] = tally.ties
        if protocol.adaptive:
            values[f"{before}ciou_adap"], _ = _cut(view, true_size(view, truth), truth)
        if protocol.detection:
            values[f"{before}confidence"] = float(view.top_mean(PIXELS // 4))
    return Score(values, truth.boxes > 0, truth.area, group)


def _cut(view: View, edge: Edge, truth: Truth) -> tuple[float, Tally]:
    tally = view.tally(edge.at, truth.halves)
    return truth.ciou(tally.above if edge.strict else tally.reached), tally


def summarise(protocol: Protocol, scores: Sequence[Score]) -> dict[str, float]:
    """The protocol's numbers over a list, fractions in 0..1."""
    found: dict[str, float] = {}
    for before in ("", "objects_", "ogl_"):
        if f"{before}ciou" not in scores[0].values:
            continue
        ciou = np.array([item.values[f"{before}ciou"] for item in scores])
        visible = np.array([item.visible for item in scores])
        for name, value in summary(ciou[visible]).items():
            found[before + name] = value
        if protocol.adaptive:
            adaptive = np.array([item.values[f"{before}ciou_adap"] for item in scores])
            found[f"{before}ciou_adap"] = success(adaptive[visible])
            found[f"{before}auc_adap"] = auc(adaptive[visible])
        if protocol.pairs:
            groups = [item.group or str(number) for number, item in enumerate(scores)]
            least = grouped(ciou, groups)
            found[f"{before}iiou"], found[f"{before}iauc"] = success(least), auc(least)
            least = grouped(adaptive, groups)
            found[f"{before}iiou_adap"], found[f"{before}iauc_adap"] = success(least), auc(least)
        if protocol.detection:
            found |= {before + name: value for name, value in _detection(scores, before).items()}
    return found


def _detection(scores: Sequence[Score], before: str) -> dict[str, float]:
    everything = detections(scores, before)
    found: dict[str, float] = {}
    for size in ("", "visible", *SIZES, "huge"):
        part = everything.of_size(size) if size else everything
        after = f"_{size}" if size else ""
        for at, name in ((0.5, ""), (0.75, "_75")):
            found[f"ap{after}{name}"] = part.ap(at)
            found[f"max_f1{after}{name}"] = max(part.f1(at), default=float("nan"))
            found[f"precision{after}{name}"] = part.precision(at)
    found["loc_acc"] = found["precision_visible"]
    return found


def detections(scores: Sequence[Score], before: str = "") -> Detections:
    """The scores of one view as detections."""
    return Detections(
        np.array([item.visible for item in scores]),
        np.array([item.values[f"{before}ciou"] for item in scores]),
        np.array([item.values[f"{before}confidence"] for item in scores]),
        np.array([item.area for item in scores]),
    )
