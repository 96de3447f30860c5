"""Two sources in one picture (MUSIC-Duet, VGGSound-Duet): a map for each sound.

CAP is the mean pixel AP of maps against the truth of their own source, PIAP the same where maps
and sources of a picture are matched as well as they can be; success is at cIoU 0.3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np

from avloc.evaluation.canvas import Canvas, Scale
from avloc.evaluation.kernels import Kernel
from avloc.evaluation.metrics import auc, success
from avloc.evaluation.normals import Normal
from avloc.evaluation.own import pixel_ap
from avloc.evaluation.protocols import Cut
from avloc.evaluation.truth import Truth

CUT = Cut(half="> or one")
MOST = 5  # sources of a picture that are still matched in every order


@dataclass(frozen=True, eq=False)
class DuetScore:
    """One map: its cIoU, and its pixel AP against each source of the picture, by number.

    `number` is that of its own source, `group` the picture.
    """

    ciou: float
    aps: Mapping[int, float]
    number: int
    group: str

    @property
    def ap(self) -> float:
        """Against its own source."""
        return self.aps[self.number]


@dataclass(frozen=True)
class DuetProtocol:
    """See the module."""

    name: str = "duet"
    source: str = "VisualAIKHU/NoPrior_MultiSSL, stoneMo/AVGN"
    scale: Scale = "cosine"
    kernel: Kernel = "opencv-cubic"
    normal: Normal = "range"
    note: str = "Maps are compared with the truth of their own source, but for PIAP."

    def score(
        self, canvas: Canvas, truths: Mapping[int, Truth], number: int, group: str
    ) -> DuetScore:
        """Score the heatmap of source `number`; `truths` are those of the whole picture."""
        view = canvas.view(self.kernel, self.scale).normal(self.normal)
        ciou = truths[number].ciou(CUT.mask(view))
        aps = {source: pixel_ap(view, truth.inside) for source, truth in truths.items()}
        return DuetScore(0.0 if np.isnan(ciou) else ciou, aps, number, group)

    def summarise(self, scores: Sequence[DuetScore]) -> dict[str, float]:
        """Numbers over a list, fractions in 0..1."""
        ciou = np.array([one.ciou for one in scores])
        return {
            "ciou_03": success(ciou, 0.3),
            "ciou": success(ciou),
            "auc": auc(ciou),
            "cap": float(np.mean([one.ap for one in scores])),
            "piap": float(np.mean(self.matched(scores))),
        }

    def matched(self, scores: Sequence[DuetScore]) -> np.ndarray:
        """Pixel AP (n,) of each source under the best order of the maps of its picture."""
        pictures: dict[str, list[int]] = {}
        for place, one in enumerate(scores):
            pictures.setdefault(one.group, []).append(place)
        found = np.array([one.ap for one in scores])
        for places in pictures.values():
            if 1 < len(places) <= MOST:
                found[places] = _best_order([scores[place] for place in places])
        return found


def _best_order(members: Sequence[DuetScore]) -> list[float]:
    numbers = [one.number for one in members]
    orders = permutations(members)
    return max(
        ([one.aps[source] for one, source in zip(order, numbers, strict=True)] for order in orders),
        key=sum,
    )


DUET = DuetProtocol()
