"""Two sources in one picture (MUSIC-Duet, VGGSound-Duet): a map for each sound.

CAP is the mean pixel AP of maps against the truth of their own source, PIAP the same where maps
and sources of a picture are matched as well as they can be; success is at cIoU 0.3.
"""

from __future__ import annotations

from collections.abc import Sequence
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
    """One map: cIoU and pixel AP against its own truth; what matching needs of it."""

    ciou: float
    ap: float
    group: str
    rough: np.ndarray
    mask: np.ndarray


@dataclass(frozen=True)
class DuetProtocol:
    """See the module."""

    name: str = "duet"
    source: str = "VisualAIKHU/NoPrior_MultiSSL, stoneMo/AVGN"
    scale: Scale = "cosine"
    kernel: Kernel = "opencv-cubic"
    normal: Normal = "range"
    note: str = "Maps are compared with the truth of their own source, but for PIAP."

    def score(self, canvas: Canvas, truth: Truth, group: str) -> DuetScore:
        """Score one heatmap."""
        view = canvas.view(self.kernel, self.scale).normal(self.normal)
        ciou = truth.ciou(CUT.mask(view))
        own = pixel_ap(view, truth.inside)
        return DuetScore(
            0.0 if np.isnan(ciou) else ciou, own, group, canvas.values, np.packbits(truth.inside)
        )

    def summarise(self, scores: Sequence[DuetScore]) -> dict[str, float]:
        """Numbers over a list, fractions in 0..1."""
        ciou = np.array([one.ciou for one in scores])
        pictures: dict[str, list[DuetScore]] = {}
        for one in scores:
            pictures.setdefault(one.group, []).append(one)
        matched = [value for members in pictures.values() for value in self._matched(members)]
        return {
            "ciou_03": success(ciou, 0.3),
            "ciou": success(ciou),
            "auc": auc(ciou),
            "cap": float(np.mean([one.ap for one in scores])),
            "piap": float(np.mean(matched)),
        }

    def _matched(self, members: Sequence[DuetScore]) -> list[float]:
        """Pixel AP of each source of a picture under the best order of the maps."""
        if not 1 < len(members) <= MOST:
            return [one.ap for one in members]
        table = np.empty((len(members), len(members)))
        for row, one in enumerate(members):
            view = Canvas(one.rough).view(self.kernel)
            for column, other in enumerate(members):
                inside = np.unpackbits(other.mask, count=view.size).astype(bool)
                table[row, column] = pixel_ap(view, inside.reshape(view.shape))
        orders = permutations(range(len(members)))
        return max(([table[row, at] for at, row in enumerate(order)] for order in orders), key=sum)


DUET = DuetProtocol()
