"""LVS: soft regions that count, that do not, and that are left out between them.

Chen et al. 2021, Localizing Visual Sounds the Hard Way (arXiv 2104.02691), section 3.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from avloc.objectives.contrast import weighted_mean
from avloc.objectives.correspondence import Correspondence
from avloc.objectives.objective import OBJECTIVES, Loss, Objective, weighted
from avloc.options import Finite, Options, Positive

SCALED = -99.0
"""What the original multiplies a picture's own entry among the easy negatives with."""


@OBJECTIVES.register("lvs")
class LVS(Objective):
    """Contrast between a picture's region that sounds, its background, and other sounds.

    With S_ij of maps (b, s, h, w) that of picture i and sound j, and
    m+(S) = sigmoid((S - positive) / sharpness):

        P_i  = mean of S_ii under m+(S_ii)            the region that sounds
        N_ij = mean of S_ij under m+(S_ij)            easy negatives, other sounds
        H_i  = mean of S_ii under 1 - m-(S_ii)        hard negatives, the background
        loss = mean_i cross_entropy([P_i, N_i1 .. N_is, H_i] / temperature, 0)

    where m- has the threshold `negative`: cells between the thresholds count neither way. The
    thresholds are cosines. N_ii is no negative; what becomes of it says `mask`.
    """

    @dataclass(frozen=True)
    class Config(Options):
        """Options of `LVS`; the defaults are the published ones.

        Attributes:
            temperature: of the cross-entropy.
            sharpness: of the soft thresholds.
            positive: correlation from which a cell counts as sounding.
            negative: correlation under which a cell counts as background.
            trimap: without it `positive` is both thresholds.
            hard: whether the background is a negative.
            mask: ``scaled`` multiplies N_ii with -99, as the published code does, which removes it
                only where it is positive; ``removed`` always removes it.
        """

        temperature: Positive = 0.07
        sharpness: Positive = 0.03
        positive: Finite = 0.65
        negative: Finite = 0.4
        trimap: bool = True
        hard: bool = True
        mask: Literal["scaled", "removed"] = "scaled"

    config: Config

    def compare(self, pairs: Correspondence) -> Loss:
        return weighted(contrast=(1.0, self.contrast(pairs)))

    def contrast(self, pairs: Correspondence) -> Tensor:
        """The loss as a scalar."""
        logits = self.logits(pairs)
        return functional.cross_entropy(logits, torch.zeros_like(pairs.places))

    def logits(self, pairs: Correspondence) -> Tensor:
        """The region that sounds, other sounds, the background: (b, 1 + s [+ 1])."""
        plan = self.config
        own = pairs.own(pairs.maps)
        easy = weighted_mean(pairs.maps, self._inside(pairs.maps))
        columns = [pairs.own(easy)[:, None], self._masked(easy, pairs)]
        if plan.hard:
            threshold = plan.negative if plan.trimap else plan.positive
            outside = functional.logsigmoid((threshold - own) / plan.sharpness)
            columns.append(weighted_mean(own, outside)[:, None])
        return torch.cat(columns, 1) / plan.temperature

    def _inside(self, maps: Tensor) -> Tensor:
        return functional.logsigmoid((maps - self.config.positive) / self.config.sharpness)

    def _masked(self, easy: Tensor, pairs: Correspondence) -> Tensor:
        if self.config.mask == "removed":
            return easy.masked_fill(pairs.matches(), -torch.inf)
        return torch.where(pairs.matches(), SCALED * easy, easy)
