"""Region contrast: a sound must correlate with the cells of its object more than with any other.

The per-cell form of audio-visual correspondence: cells of a batch are the candidates, the cells
inside the object that sounds are the positives (supervised contrastive loss, Khosla et al. 2020,
arXiv 2004.11362, eq. 2), and a calibrated form of the same correlation says of each cell whether
it sounds at all.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional


class RegionLoss(NamedTuple):
    """The two terms: ranking among cells, and yes or no for each cell."""

    contrast: Tensor
    presence: Tensor


class RegionContrast(nn.Module):
    """Compares every cell of a batch with every sound of it.

    Args:
        temperature: of the softmax over cells.
        scale, shift: start of the learned line from cosine to the logit of "this cell sounds".
    """

    def __init__(self, temperature: float = 0.07, scale: float = 12.0, shift: float = -5.0) -> None:
        super().__init__()
        self.temperature = temperature
        self.scale = nn.Parameter(torch.tensor(scale))
        self.shift = nn.Parameter(torch.tensor(shift))

    def forward(self, cells: Tensor, sounds: Tensor, truth: Tensor, unsure: Tensor) -> RegionLoss:
        """Losses, means over sounds.

        Args:
            cells: (b, c, h, w) unit embeddings.
            sounds: (s, c) unit embeddings.
            truth: (s, b, h, w) in 0..1, how much of a cell belongs to what sounds.
            unsure: (s, b, h, w) bool, cells that count neither way.
        """
        cosine = torch.einsum("bchw,sc->sbhw", cells, sounds)
        logits = (cosine / self.temperature).masked_fill(unsure, -1e4)
        logs = functional.log_softmax(logits.flatten(1), dim=1)
        inside = (truth * ~unsure).flatten(1)
        inside = inside * (inside > 0.3)
        total = inside.sum(1)
        heard = total > 0.5
        picked = -(logs * inside).sum(1)[heard] / total[heard]
        contrast = picked.mean() if len(picked) else logs.sum() * 0

        score = self.scale * cosine + self.shift
        each = functional.binary_cross_entropy_with_logits(score, truth, reduction="none")
        each = each.masked_fill(unsure, 0.0)
        # Objects are small: without balance "nothing sounds anywhere" would be nearly right.
        positive = truth * ~unsure
        negative = (1 - truth) * ~unsure
        presence = (each * positive).sum() / positive.sum().clamp(min=1)
        presence = presence + (each * negative).sum() / negative.sum().clamp(min=1)
        return RegionLoss(contrast, presence)
