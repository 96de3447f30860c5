"""Heads that multiply: cosine, scaled dot product, and a dense one with several heads."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from avloc.errors import UsageError
from avloc.models.heads.head import HEADS, Head
from avloc.options import Options, Some


def _products(cells: Tensor, sounds: Tensor, matching: bool) -> Tensor:
    """(b, c, h, w), (s, c) -> (b, s, h, w), or (b, 1, h, w) of what is matching."""
    if matching:
        return torch.einsum("bchw,bc->bhw", cells, sounds)[:, None]
    return torch.einsum("bchw,sc->bshw", cells, sounds)


def _mean(sounds: Tensor, heard: Tensor) -> Tensor:
    """(s, t, c), shares (s, t) -> (s, c): the mean of products is the product with the mean."""
    return torch.einsum("stc,st->sc", sounds, heard)


@HEADS.register("cosine")
class Cosine(Head):
    """The cosine of cell and sound, the mean over its steps; in -1..1."""

    def correlate(self, cells: Tensor, sounds: Tensor, heard: Tensor, matching: bool) -> Tensor:
        sounds = _mean(functional.normalize(sounds, dim=-1), heard)
        return _products(functional.normalize(cells), sounds, matching)


@HEADS.register("dot")
class Dot(Head):
    """The scaled dot product, cells . sounds / sqrt(c) (Vaswani et al. 2017, arXiv 1706.03762)."""

    def correlate(self, cells: Tensor, sounds: Tensor, heard: Tensor, matching: bool) -> Tensor:
        return _products(cells, _mean(sounds, heard), matching) / math.sqrt(cells.shape[1])


@HEADS.register("dense")
class Dense(Head):
    """The best of several heads in each cell and step, the mean over steps.

    Hamilton et al. 2024 (arXiv 2406.05629), section 3.2: channels are split into heads, and each
    product is of one head. Needs the memory of b s k t h w numbers.
    """

    @dataclass(frozen=True)
    class Config(Options):
        """Options of `Dense`.

        Attributes:
            heads: that the channels are split into.
        """

        heads: Some = 2

    config: Config

    def correlate(self, cells: Tensor, sounds: Tensor, heard: Tensor, matching: bool) -> Tensor:
        heads, channels = self.config.heads, cells.shape[1]
        if channels % heads:
            raise UsageError(f"{channels} channels are no whole number for each of {heads} heads")
        cells, sounds = cells.unflatten(1, (heads, -1)), sounds.unflatten(2, (heads, -1))
        if matching:
            best = torch.einsum("bkchw,btkc->bkthw", cells, sounds).amax(1)
            return torch.einsum("bthw,bt->bhw", best, heard)[:, None]
        best = torch.einsum("bkchw,stkc->bskthw", cells, sounds).amax(2)
        return torch.einsum("bsthw,st->bshw", best, heard)
