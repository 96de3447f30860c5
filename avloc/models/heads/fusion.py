"""Heads that join the features of cell and sound and read a value from them with 1x1 layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from avloc.models.heads.head import HEADS, Head, by_chunks
from avloc.options import Options, Some


@dataclass(frozen=True)
class FusionConfig(Options):
    """Options of the heads that fuse.

    Attributes:
        channels: of cells and sounds.
        hidden: units that they are joined in.
        chunk: sounds that meet all pictures at a time, to bound memory.
    """

    channels: Some = 512
    hidden: Some = 128
    chunk: Some = 16


class Fusion(Head):
    """Base of them: what cell and sound become by themselves, and how they join.

    A cell's value for a sound is the last layer's of `join`, the mean over the sound's steps.
    """

    Config = FusionConfig
    config: FusionConfig

    def __init__(self, config: Any = None) -> None:
        super().__init__(config)
        plan = self.config
        self.of_cells = nn.Linear(plan.channels, plan.hidden)
        self.of_sounds = nn.Linear(plan.channels, plan.hidden)
        self.last = nn.Linear(plan.hidden, 1)

    def see(self, cells: Tensor) -> Tensor:
        """(..., c) -> (..., k), of which each cell is taken alone."""
        return self.of_cells(cells)

    def hear(self, sounds: Tensor) -> Tensor:
        """(..., c) -> (..., k)."""
        return self.of_sounds(sounds)

    def join(self, seen: Tensor, heard: Tensor) -> Tensor:
        """What `see` and `hear` gave, broadcast to each other -> (..., hidden)."""
        raise NotImplementedError

    def correlate(self, cells: Tensor, sounds: Tensor, heard: Tensor, matching: bool) -> Tensor:
        seen = self.see(cells.movedim(1, -1))[:, None, None]  # (b, 1, 1, h, w, k)
        known = self.hear(sounds)[..., None, None, :]  # (s, t, 1, 1, k)
        if matching:
            return self._values(seen, known[:, None], heard[:, None])

        def some(known: Tensor, heard: Tensor) -> Tensor:
            return self._values(seen, known[None], heard[None])

        return by_chunks(some, known, heard, self.config.chunk)

    def _values(self, seen: Tensor, known: Tensor, heard: Tensor) -> Tensor:
        values = self.last(self.join(seen, known))[..., 0]  # (b, s, t, h, w)
        return (values * heard[..., None, None]).sum(2)


@HEADS.register("sum")
class Sum(Fusion):
    """w . relu(W (v + a) + u): one space, added."""

    def __init__(self, config: Any = None) -> None:
        super().__init__(config)
        del self.of_sounds

    def hear(self, sounds: Tensor) -> Tensor:
        return functional.linear(sounds, self.of_cells.weight)

    def join(self, seen: Tensor, heard: Tensor) -> Tensor:
        return functional.relu(seen + heard)


@HEADS.register("concat")
class Concat(Fusion):
    """w . relu(W [v, a] + u): features side by side, as in Look, Listen and Learn.

    Arandjelovic and Zisserman 2017 (arXiv 1705.08168), section 2.2. W is kept in two halves, so
    that each is multiplied once.
    """

    def join(self, seen: Tensor, heard: Tensor) -> Tensor:
        return functional.relu(seen + heard)


@HEADS.register("film")
class FiLM(Fusion):
    """w . relu((1 + g(a)) W v + s(a)): the sound scales and shifts what is seen.

    Perez et al. 2018 (arXiv 1709.07871), eq. 1 and 2.
    """

    def __init__(self, config: Any = None) -> None:
        super().__init__(config)
        self.of_sounds = nn.Linear(self.config.channels, 2 * self.config.hidden)

    def join(self, seen: Tensor, heard: Tensor) -> Tensor:
        scale, shift = heard.chunk(2, -1)
        return functional.relu((1 + scale) * seen + shift)


@HEADS.register("gated")
class Gated(Fusion):
    """w . (z tanh(W v) + (1 - z) tanh(U a)), z = sigmoid(Z [v, a]).

    The gated multimodal unit of Arevalo et al. 2017 (arXiv 1702.01992), section 3.1.
    """

    def __init__(self, config: Any = None) -> None:
        super().__init__(config)
        plan = self.config
        self.of_cells = nn.Linear(plan.channels, 2 * plan.hidden)
        self.of_sounds = nn.Linear(plan.channels, 2 * plan.hidden)

    def join(self, seen: Tensor, heard: Tensor) -> Tensor:
        cell, cell_gate = seen.chunk(2, -1)
        sound, sound_gate = heard.chunk(2, -1)
        return torch.lerp(sound.tanh(), cell.tanh(), (cell_gate + sound_gate).sigmoid())
