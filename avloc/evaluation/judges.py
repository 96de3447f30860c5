"""One way to ask every kind of protocol: about an item, about what stands beside it, about all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from avloc.data.benchmarks.types import Item
from avloc.evaluation import negatives as foreign
from avloc.evaluation import protocols, scoring
from avloc.evaluation.answers import pixel_truth
from avloc.evaluation.canvas import Canvas, Scale
from avloc.evaluation.maps import ItemMaps
from avloc.evaluation.metrics import STEPS
from avloc.evaluation.protocols import HALF, PIXELS
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

Means = dict[str, tuple[np.ndarray, list[str]]]
"""Metrics that are means: what each entry adds, (n,), and the unit it belongs to."""


@dataclass(frozen=True, eq=False)
class Sheet:
    """The maps of one item, ready to be enlarged."""

    heat: Canvas
    objects: Canvas | None = None
    foreign: Mapping[str, Canvas] = field(default_factory=dict)
    confidence: float | None = None

    @classmethod
    def of(cls, maps: ItemMaps, scale: Scale | None) -> Sheet:
        """`scale` says what the heatmaps are; None: whatever an original receives."""
        others = {kind: getattr(maps, kind) for kind in foreign.KINDS}
        return cls(
            Canvas(maps.values, scale),
            None if maps.objectness is None else Canvas(maps.objectness),
            {kind: Canvas(values, scale) for kind, values in others.items() if values is not None},
            maps.confidence,
        )


@dataclass(frozen=True, eq=False)
class Case:
    """An item with its truth: the `number`-th of the list; `fixed` scores fixed masks."""

    number: int
    item: Item
    truth: Truth
    fixed: np.ndarray

    @property
    def unit(self) -> str:
        """What goes together: the objects of a picture, the frames of a video, else the item."""
        return self.item.group or self.item.id

    @cached_property
    def pixels(self) -> Truth:
        """The truth by its mask, where there is one."""
        return pixel_truth(self.item)


class Judge(Protocol):
    """A protocol of any kind.

    Attributes:
        name: of the protocol.
        headline: the metrics to show first.
        limited: no map exceeds the best half picture.
    """

    name: str
    headline: tuple[str, ...]
    limited: bool

    def describe(self) -> dict[str, Any]:
        """The protocol as JSON values."""

    def wants(self, item: Item) -> bool:
        """Whether it scores such items."""

    def judge(self, sheet: Sheet, case: Case) -> Any:
        """What is kept of one item's maps."""

    def reference(self, name: Reference, case: Case) -> Any:
        """The same of a reference."""

    def summarise(self, entries: Sequence[Any]) -> dict[str, float]:
        """The numbers of a list, from what was kept, in its order."""

    def values(self, entries: Sequence[Any]) -> list[dict[str, float]]:
        """The numbers of each item."""

    def means(self, entries: Sequence[Any]) -> Means:
        """What metrics are means of, so that intervals can be told."""


class MapJudge:
    """Protocols that cut one map (`protocols.PROTOCOLS`)."""

    def __init__(self, protocol: protocols.Protocol, masks: Masks, pairs: bool) -> None:
        self.name = protocol.name
        self.protocol = protocol
        self.limited = protocol.cut.half is not None and protocol.cut.least is None
        headline = ["ciou", "auc"]
        headline += ["ciou_adap"] * protocol.adaptive
        headline += ["iiou"] * (protocol.pairs and pairs)
        headline += ["ap", "max_f1"] * (protocol.detection and protocol.negatives)
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

    def describe(self) -> dict[str, Any]:
        return asdict(self.protocol)

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
        area = int(np.count_nonzero(truth.inside)) or HALF
        at = self._sorted[name][which][PIXELS - area]
        return truth.ciou(self._views[name][which].values > at)

    def summarise(self, entries: Sequence[scoring.Score]) -> dict[str, float]:
        return scoring.summarise(self.protocol, entries)

    def values(self, entries: Sequence[scoring.Score]) -> list[dict[str, float]]:
        return [entry.values for entry in entries]

    def means(self, entries: Sequence[scoring.Score]) -> Means:
        found: Means = {}
        visible = [entry for entry in entries if entry.visible]
        units = [entry.group for entry in visible]
        for name in entries[0].values:
            before, _, rule = name.partition("ciou")
            if name == f"{before}ciou{rule}" and rule in ("", "_adap"):
                ciou = np.array([entry.values[name] for entry in visible])
                found |= shares(ciou, units, before, rule)
                if self.protocol.pairs:
                    least = dict.fromkeys(units, np.inf)
                    for unit, value in zip(units, ciou, strict=True):
                        least[unit] = min(least[unit], value)
                    values = np.array(list(least.values()))
                    found[f"{before}iiou{rule}"] = (values >= 0.5) * 1.0, list(least)
                    found[f"{before}iauc{rule}"] = areas(values), list(least)
        return found


def shares(ciou: np.ndarray, units: list[str], before: str, after: str) -> Means:
    """The means that cIoU (n,) is summarised by."""
    found: Means = {
        f"{before}ciou{after}": ((ciou >= 0.5) * 1.0, units),
        f"{before}auc{after}": (areas(ciou), units),
    }
    if not after:
        found[f"{before}mean_ciou"] = ciou, units
    return found


def areas(ciou: np.ndarray) -> np.ndarray:
    """What each item adds to the area under the success curve, (n,): their mean is the area."""
    reached = ciou[:, None] >= np.array(STEPS)
    return np.trapezoid(reached.astype(float), STEPS, axis=1)


def half_mask(inside: np.ndarray) -> np.ndarray:
    """Exactly half of the pixels (h, w) bool, as many of `inside` as fit."""
    order = np.argsort(~inside, axis=None, kind="stable")
    mask = np.zeros(inside.size, bool)
    mask[order[:HALF]] = True
    return mask.reshape(inside.shape)


_NOTHING = Truth(np.zeros((GRID, GRID), bool), boxes=0)
