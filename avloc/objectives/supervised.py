"""Supervised fine-tuning on boxes or masks: cross-entropy of cells, and overlap.

The overlap is the soft Dice loss of Milletari et al. 2016, V-Net (arXiv 1606.04797), section 3.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from avloc.objectives.correspondence import Correspondence
from avloc.objectives.grid import on_grid
from avloc.objectives.objective import OBJECTIVES, Loss, Objective, weighted
from avloc.objectives.presence import presence
from avloc.options import Amount, Finite, Options, Positive


@OBJECTIVES.register("supervised")
class Supervised(Objective):
    """Each cell of a picture's own map says whether it sounds.

    With S (b, h, w) the pictures' maps with their own sounds, G what is true of their cells, a and
    b learned, p = sigmoid(a S + b):

        loss = cells * (cross-entropy where G + cross-entropy where not G)
             + overlap * mean_i (1 - (2 sum p_i G_i + 1) / (sum p_i + sum G_i + 1))

    Extras: ``truth`` (b, H, W) in 0..1, boxes filled or masks, of any size that the map divides;
    an empty one says that nothing visible sounds. ``unsure`` (b, H, W) bool may mark places that
    count neither way.
    """

    @dataclass(frozen=True)
    class Config(Options):
        """Options of `Supervised`.

        Attributes:
            cells: weight of the cross-entropy.
            overlap: weight of the overlap.
            scale, shift: where the learned a and b begin.
        """

        cells: Amount = 1.0
        overlap: Amount = 1.0
        scale: Positive = 10.0
        shift: Finite = -5.0

    config: Config
    needs = ("extras.truth",)
    negatives = False

    def __init__(self, config: Config | None = None) -> None:
        super().__init__(config)
        self.scale = nn.Parameter(torch.tensor(self.config.scale))
        self.shift = nn.Parameter(torch.tensor(self.config.shift))

    def compare(self, pairs: Correspondence) -> Loss:
        logits = self.scale * pairs.own(pairs.maps) + self.shift
        truth = on_grid(pairs.extras["truth"], logits)
        unsure = torch.zeros_like(truth, dtype=torch.bool)
        if "unsure" in pairs.extras:
            unsure = on_grid(pairs.extras["unsure"], logits) > 0.5
        chance, wanted = (x.masked_fill(unsure, 0.0).flatten(1) for x in (logits.sigmoid(), truth))
        shared = (2 * (chance * wanted).sum(1) + 1) / (chance.sum(1) + wanted.sum(1) + 1)
        return weighted(
            cells=(self.config.cells, presence(logits, truth, unsure, pairs.ratio)),
            overlap=(self.config.overlap, (1 - shared).mean()),
        )
