"""The network of most published methods: two encoders, a common space, their cosine."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from avloc.errors import UsageError
from avloc.features.pictures import PICTURES
from avloc.features.sounds import SOUNDS
from avloc.models.flow_attention import FlowAttention
from avloc.models.predictive_coding import PredictiveCoding
from avloc.models.trunks import CHANNELS, TRUNKS, Loudest, VGGish
from avloc.models.two_stream import correlate

STILL = 0.5
"""Optical flow of a place that does not move, where flow is stored as grey values in 0..1."""


@dataclass(frozen=True)
class DualConfig:
    """What a `DualEncoder` is built from and fed with; stored in the header of its weights.

    Attributes:
        picture: how frames become its input, a name in `features.pictures.PICTURES`.
        waves: how waves become its input, a name in `features.sounds.SOUNDS`.
        image: the trunk that sees, a name in `trunks.TRUNKS`.
        sound: the trunk that hears, a name in `trunks.TRUNKS`, or ``vggish``.
        stride: pixels between the cells of a trunk's grid.
        projections: pairs of linear layers, from each trunk to a common space; the map is the mean
            of their cosines. With none, the features themselves are compared.
        flow: whether optical flow tells what of the picture counts.
        cycles: of predictive coding between picture and sound; 0 does without.
        temperature: what the original divides its cosines by; maps here are cosines.
    """

    picture: str
    waves: str
    image: str = "resnet18"
    sound: str = "resnet18"
    stride: int = 32
    projections: int = 0
    flow: bool = False
    cycles: int = 0
    temperature: float = 1.0

    def __post_init__(self) -> None:
        # Configurations stand in files: what is built from them must not come as a surprise.
        for registry, name in (
            (PICTURES, self.picture),
            (SOUNDS, self.waves),
            (TRUNKS, self.image),
        ):
            registry[name]
        if self.sound != "vggish":
            TRUNKS[self.sound]
        for word, most in (("stride", 32), ("projections", 16), ("cycles", 16)):
            value = getattr(self, word)
            if not isinstance(value, int) or not 0 <= value <= most:
                raise UsageError(f"{word} {value!r} is out of range; give 0 to {most}")
        if not 0 < self.temperature < math.inf:
            raise UsageError(f"temperature {self.temperature!r} is out of range; give more than 0")


class DualEncoder(nn.Module):
    """An image trunk and a sound trunk, and what their methods put between them."""

    def __init__(self, config: DualConfig) -> None:
        super().__init__()
        self.config = config
        self.image = TRUNKS[config.image](3, config.stride)
        self.sound: nn.Module
        if config.sound == "vggish":
            self.sound = VGGish()
        else:
            self.sound = Loudest(TRUNKS[config.sound](1, config.stride))
        pairs = range(config.projections)
        self.image_projections = nn.ModuleList(nn.Conv2d(CHANNELS, CHANNELS, 1) for _ in pairs)
        self.sound_projections = nn.ModuleList(nn.Linear(CHANNELS, CHANNELS) for _ in pairs)
        if config.flow:
            self.flow = TRUNKS[config.image](2, config.stride)
            self.attention = FlowAttention(CHANNELS)
        if config.cycles:
            self.coding = PredictiveCoding(VGGish.plain, config.cycles)

    def see(self, frames: Tensor, flow: Tensor | None = None) -> Tensor:
        """What `correlate` needs of pictures.

        Args:
            frames: (b, 3, H, W), normalised as the picture preset says.
            flow: (b, 2, H, W) in 0..1, where the network takes any; None: nothing moves.

        Returns:
            (b, c, h, w); unit embeddings, except before predictive coding.
        """
        cells = self.image(frames)
        if self.config.flow:
            if flow is None:
                flow = torch.full_like(frames[:, :2], STILL)
            cells = cells + self.attention(cells, self.flow(flow))
        if self.config.cycles:
            return cells
        return _unit(cells, self.image_projections)

    def hear(self, spectrograms: Tensor) -> Tensor:
        """What `correlate` needs of sounds, as the sound preset makes them: (b, c)."""
        if self.config.sound != "vggish":
            return _unit(self.sound(spectrograms), self.sound_projections)
        plain, top = self.sound(spectrograms)
        top = _unit(top, self.sound_projections)
        return torch.cat([functional.normalize(plain), top], 1) if self.config.cycles else top

    def correlate(self, seen: Tensor, heard: Tensor) -> Tensor:
        """Cosines of every cell with one sound each: `see`'s and `hear`'s -> (b, h, w)."""
        if self.config.cycles:
            plain, heard = heard[:, : VGGish.plain], heard[:, VGGish.plain :]
            seen = functional.normalize(self.coding(seen, plain))
        return correlate(seen, heard)


def _unit(features: Tensor, projections: nn.ModuleList) -> Tensor:
    """Unit embeddings; of several spaces side by side, so that one product is their mean cosine."""
    if not len(projections):
        return functional.normalize(features)
    units = [functional.normalize(projection(features)) for projection in projections]
    return torch.cat(units, 1) / len(units) ** 0.5 if len(units) > 1 else units[0]
