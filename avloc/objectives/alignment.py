"""Alignment: pictures and sounds agree as wholes and cell by cell, and each has several partners.

Senocak et al. 2023, Sound Source Localization is All about Cross-Modal Alignment
(arXiv 2309.10724), section 3; its training code is not public, and what the paper leaves open is
an option here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from avloc.objectives.contrast import by_picture, by_sound, pool, weighted_mean
from avloc.objectives.correspondence import Correspondence
from avloc.objectives.objective import OBJECTIVES, Loss, Objective, weighted
from avloc.options import Amount, Finite, Options, Positive, Some


@OBJECTIVES.register("alignment")
class Alignment(Objective):
    """Two symmetric contrasts over every combination of a picture's and a sound's views.

    A picture of pair i has the views V (itself, augmented, a nearest neighbour), its sound A. For
    v in V and a in A, with S (b, s, h, w) their maps:

        sL_ij = mean of S_ij under sigmoid((S_ij - threshold) / sharpness), or its maximum
        sA_ij = cosine of p(mean embedding of picture i) and q(embedding of sound j)
        loss  = mean over V x A of C(sL) + semantic * C(sA)

    where C(s) is the mean of both cross-entropies of s / temperature, and p and q are linear.

    The batch itself is one combination, each of its views, whatever their names, is another.
    """

    @dataclass(frozen=True)
    class Config(Options):
        """Options of `Alignment`.

        Attributes:
            temperature: of all cross-entropies.
            localized: how a map becomes sL, ``region`` or ``max``.
            threshold, sharpness: of the region, as in LVS.
            semantic: weight of the contrast of wholes.
            projected: whether p and q are learned; else they do nothing.
            channels: of the embeddings, where they are learned.
        """

        temperature: Positive = 0.07
        localized: Literal["region", "max"] = "region"
        threshold: Finite = 0.65
        sharpness: Positive = 0.03
        semantic: Amount = 1.0
        projected: bool = True
        channels: Some = 512

    config: Config
    needs = ("cells", "sounds")
    combines = True

    def __init__(self, config: Config | None = None) -> None:
        super().__init__(config)
        plan = self.config
        self.picture: nn.Module = nn.Identity()
        self.sound: nn.Module = nn.Identity()
        if plan.projected:
            self.picture = nn.Linear(plan.channels, plan.channels)
            self.sound = nn.Linear(plan.channels, plan.channels)

    def compare(self, pairs: Correspondence) -> Loss:
        combinations = [pairs, *pairs.views.values()]
        local = [self._contrast(self._localized(one.maps), one) for one in combinations]
        whole = [self._contrast(self._semantic(one), one) for one in combinations]
        return weighted(
            local=(1.0, torch.stack(local).mean()),
            semantic=(self.config.semantic, torch.stack(whole).mean()),
        )

    def _contrast(self, similarity: Tensor, pairs: Correspondence) -> Tensor:
        logits = similarity / self.config.temperature
        return (by_picture(logits, pairs) + by_sound(logits, pairs)) / 2

    def _localized(self, maps: Tensor) -> Tensor:
        plan = self.config
        if plan.localized == "max":
            return pool(maps, "max")
        inside = functional.logsigmoid((maps - plan.threshold) / plan.sharpness)
        return weighted_mean(maps, inside)

    def _semantic(self, pairs: Correspondence) -> Tensor:
        cells, sounds = pairs.embeddings
        pictures = functional.normalize(self.picture(cells.mean((2, 3))))
        return pictures @ functional.normalize(self.sound(sounds)).T
