"""Sounds that are no picture's, added to a batch: silence and noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from torch import Tensor

from avloc.options import Amount, Options, Rule

Count = Annotated[int, Rule("0 or more", lambda n: n >= 0)]


@dataclass(frozen=True)
class Strangers(Options):
    """How many, and what.

    Juanola et al. 2025 (arXiv 2508.21761) train with silence and white noise as negatives of every
    picture; the sounds of other clips are so already.

    Attributes:
        count: sounds added to each batch, the same ones in every process; 0: none.
        kind: ``silence``, ``noise`` or ``both``, one after the other.
        quietest: decibels below full scale of the softest noise; the loudest has 0.
    """

    count: Count = 0
    kind: Literal["silence", "noise", "both"] = "both"
    quietest: Amount = 40.0

    def waves(self, length: int, chance: torch.Generator) -> Tensor:
        """(count, length) float32 in [-1, 1], drawn by `chance`."""
        noise = torch.randn(self.count, length, generator=chance)
        level = 10 ** (-self.quietest / 20 * torch.rand(self.count, 1, generator=chance))
        # A third of full scale keeps nearly all of a Gaussian's values within it.
        waves = (noise * level / 3).clamp(-1, 1)
        if self.kind == "silence":
            return torch.zeros_like(waves)
        if self.kind == "both":
            waves[::2] = 0
        return waves
