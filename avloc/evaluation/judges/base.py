"""One way to ask every kind of protocol: about an item, about what stands beside it, about all."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from avloc.data.benchmarks.types import Item
from avloc.evaluation.answers import pixel_truth
from avloc.evaluation.canvas import Canvas, Scale
from avloc.evaluation.intervals import Statistic
from avloc.evaluation.maps import ItemMaps
from avloc.evaluation.metrics import areas
from avloc.evaluation.negatives import KINDS
from avloc.evaluation.protocols import Fusion
from avloc.evaluation.references import Reference
from avloc.evaluation.truth import Truth


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
        others = {kind: getattr(maps, kind) for kind in KINDS}
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
        return self.item.unit

    @cached_property
    def pixels(self) -> Truth:
        """The truth by its mask, where there is one."""
        return pixel_truth(self.item)


class Judge(ABC):
    """A protocol of any kind. What it keeps of an item is its own business (an entry).

    Attributes:
        name: of the protocol.
        headline: the metrics to show first, all of which have an interval.
        limited: no map exceeds the best half picture.
    """

    headline: tuple[str, ...]
    limited = False

    def __init__(self, protocol: Any) -> None:
        self.protocol = protocol
        self.name: str = protocol.name

    @property
    def fusion(self) -> Fusion | None:
        """How objectness is mixed in, where maps bring some; None: not at all."""
        return getattr(self.protocol, "fusion", None)

    def describe(self) -> dict[str, Any]:
        """The protocol as JSON values."""
        return asdict(self.protocol)

    def wants(self, item: Item) -> bool:
        """Whether it scores such items."""
        return item.sounds

    @abstractmethod
    def judge(self, sheet: Sheet, case: Case) -> Any:
        """The entry of one item's maps."""

    @abstractmethod
    def reference(self, name: Reference, case: Case) -> Any:
        """The entry of a reference."""

    def summarise(self, entries: Sequence[Any]) -> dict[str, float]:
        """The numbers of a list, from its entries in its order."""
        return dict(self.protocol.summarise(entries))

    @abstractmethod
    def values(self, entries: Sequence[Any]) -> list[dict[str, float]]:
        """The numbers of each item."""

    @abstractmethod
    def statistics(self, entries: Sequence[Any]) -> list[Statistic]:
        """What intervals are drawn for."""


def shares(ciou: np.ndarray, before: str = "", after: str = "") -> dict[str, np.ndarray]:
    """What the numbers that cIoU is summarised by are means of, in the shape of `ciou`."""
    found = {f"{before}ciou{after}": (ciou >= 0.5) * 1.0, f"{before}auc{after}": areas(ciou)}
    return found if after else {**found, f"{before}mean_ciou": ciou}
