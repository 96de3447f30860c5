"""How the grid of a sound becomes its embedding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from avloc.registry import Registry

POOLINGS: Registry[Callable[[Tensor], Tensor]] = Registry("pooling")
"""By name: a grid (b, c, f, t) -> an embedding (b, c), or one of each step of time (b, t, c)."""

POOLINGS.add("max", lambda grid: grid.amax((2, 3)))
POOLINGS.add("mean", lambda grid: grid.mean((2, 3)))
POOLINGS.add("steps", lambda grid: grid.mean(2).mT)


class Pooled(nn.Module):
    """A trunk over a spectrogram, and the pooling of its features.

    (b, 1, f, t) -> (b, channels), or with `how` ``steps`` (b, t', channels).

    Args:
        trunk: of a sound.
        how: a name in `POOLINGS`.
    """

    def __init__(self, trunk: Any, how: str = "max") -> None:
        super().__init__()
        self.trunk = trunk
        self.channels: int = trunk.channels
        self.how = how

    def forward(self, spectrograms: Tensor) -> Tensor:
        return POOLINGS[self.how](self.trunk(spectrograms))
