"""Bands of spectrograms blanked out in training.

Park et al. 2019, SpecAugment (arXiv 1904.08779), section 2, as FNAC and SSL-TIE have it. For the
device that the spectrograms are on; only the few random numbers come from the generator's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from avloc.options import Options, Share
from avloc.registry import Registry

FREQUENCY, TIME = 2, 3
"""Axes of a spectrogram (b, c, f, t)."""


@dataclass(frozen=True)
class Masks(Options):
    """How much of a spectrogram is blanked.

    Attributes:
        frequencies, times: fewer cells than this, each axis once.
        chance: of a spectrogram to be touched at all.
        start: where a band begins, ``inside``: so that all of it fits; ``anywhere``: so that it may
            be cut off at the end.
    """

    frequencies: int = 0
    times: int = 0
    chance: Share = 1.0
    start: Literal["inside", "anywhere"] = "inside"

    def __call__(self, specs: Tensor, generator: torch.Generator, fill: float = 0.0) -> Tensor:
        """Spectrograms (b, c, f, t), a copy with bands of `fill`, other ones in each.

        Args:
            generator: draws the bands, on its own device.
            fill: the value that blanks; 0 for powers and for what is centred there.
        """
        if not (self.frequencies or self.times):
            return specs
        count = len(specs)
        touched = self._draw(count, generator, specs) < self.chance
        blank = torch.zeros((count, 1, 1, 1), dtype=torch.bool, device=specs.device)
        for axis, most in ((FREQUENCY, self.frequencies), (TIME, self.times)):
            cells = specs.shape[axis]
            width = (self._draw(count, generator, specs) * min(most, cells)).floor()
            room = cells - width if self.start == "inside" else torch.full_like(width, cells)
            first = (self._draw(count, generator, specs) * room).floor()
            shape = [1, 1, 1, 1]
            shape[axis] = cells
            at = torch.arange(cells, device=specs.device).view(shape)
            first, width = first.view(-1, 1, 1, 1), width.view(-1, 1, 1, 1)
            blank = blank | ((at >= first) & (at < first + width))
        return specs.masked_fill(blank & touched.view(-1, 1, 1, 1), fill)

    @staticmethod
    def _draw(count: int, generator: torch.Generator, specs: Tensor) -> Tensor:
        drawn = torch.rand(count, generator=generator, device=generator.device)
        return drawn.to(specs.device, non_blocking=True)


MASKS: Registry[Masks] = Registry("spectrogram mask")
MASKS.add("none", Masks())
MASKS.add("fnac", Masks(frequencies=10, times=10, start="anywhere"))
MASKS.add("ssltie", Masks(frequencies=35, times=180, chance=0.8))
