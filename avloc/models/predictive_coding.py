"""Picture and sound brought together by predictive coding: the module of SSPL.

Song et al. 2022 (arXiv 2203.13412), section 3.3: three levels of representation predict the level
below them, and at the bottom the sound; what each prediction misses goes back up, for some cycles.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

CHANNELS = 512
LEVELS = 3


class PredictiveCoding(nn.Module):
    """Features of a picture, changed until they explain its sound.

    Grids have sides of 4 k + 2 cells: a level down halves them twice, and only such grids come
    back to their size on the way up.

    Args:
        sound: channels of the sound.
        cycles: how often predictions go down and errors up.
    """

    def __init__(self, sound: int, cycles: int) -> None:
        super().__init__()
        self.cycles = cycles
        wide = CHANNELS
        # From the lowest level: what predicts what is below it, and what carries errors up to it.
        self.hear = nn.Conv2d(wide, sound, 1)
        self.down = nn.ModuleList(nn.Conv2d(wide, wide, 3, padding=1, bias=False) for _ in range(2))
        self.up = nn.ModuleList(
            [
                nn.ConvTranspose2d(sound, wide, 1, bias=False),
                nn.ConvTranspose2d(wide, wide, 3, stride=2, bias=False),
                nn.ConvTranspose2d(wide, wide, 3, padding=1, bias=False),
            ]
        )
        self.out = nn.ConvTranspose2d(wide, wide, 1)
        self.trust = nn.ParameterList(torch.full((1, wide, 1, 1), 0.5) for _ in range(LEVELS))
        self.gain = nn.ParameterList(torch.ones(1, wide, 1, 1) for _ in range(LEVELS))
        # One for each level, of the start and of every cycle.
        rounds = range(1 + cycles)
        self.down_norms = nn.ModuleList(_norm() for _ in rounds for _ in range(LEVELS - 1))
        self.up_norms = nn.ModuleList(_norm() for _ in rounds for _ in range(LEVELS))

    def forward(self, cells: Tensor, sound: Tensor) -> Tensor:
        """Features (b, 512, h, w) of a picture and a sound (b, c) -> features (b, 512, h, w)."""
        predicted = [cells, cells, cells]
        for level in (1, 0):
            below = self._predict(level, predicted)
            predicted[level] = functional.gelu(self.down_norms[level](below))
        states = self._rise(predicted, predicted, sound, 0)
        for cycle in range(1, 1 + self.cycles):
            states[2] = functional.gelu(self._mixed(2, states, predicted))
            for level in (1, 0):
                predicted[level] = self._predict(level, states)
                mixed = self._mixed(level, states, predicted)
                norm = self.down_norms[cycle * (LEVELS - 1) + level]
                states[level] = functional.gelu(norm(mixed))
            states = self._rise(states, predicted, sound, cycle)
        return self.out(states[2])

    def _predict(self, level: int, states: list[Tensor]) -> Tensor:
        """What the level above makes of a level."""
        return functional.max_pool2d(self.down[level](states[level + 1]), 2)

    def _mixed(self, level: int, states: list[Tensor], predicted: list[Tensor]) -> Tensor:
        trust = functional.relu(self.trust[level])
        return (1 - trust) * states[level] + trust * predicted[level]

    def _rise(
        self, states: list[Tensor], predicted: list[Tensor], sound: Tensor, cycle: int
    ) -> list[Tensor]:
        """Every level corrected by what the prediction of the level below it missed."""
        heard = functional.gelu(self.hear(states[0])).mean((2, 3))
        missed = (sound - heard)[:, :, None, None].expand(-1, -1, *states[0].shape[2:])
        risen: list[Tensor] = []
        for level in range(LEVELS):
            if level:
                missed = risen[-1] - predicted[level - 1]
            if level == 2:
                missed = functional.interpolate(
                    missed, scale_factor=2, mode="bilinear", align_corners=True
                )
            gain = functional.relu(self.gain[level])
            norm = self.up_norms[cycle * LEVELS + level]
            risen.append(functional.gelu(norm(states[level] + gain * self.up[level](missed))))
        return risen


def _norm() -> nn.Module:
    return nn.BatchNorm2d(CHANNELS)
