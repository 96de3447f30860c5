"""Networks from what an engine prepares to their maps: what runs, and what is exported."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from avloc.features import image
from avloc.features.pictures import PICTURES, Picture
from avloc.features.sounds import SOUNDS
from avloc.features.spectrogram import RATE, log_mel
from avloc.models.dual_encoder import DualConfig, DualEncoder
from avloc.models.objectness import objectness
from avloc.models.two_stream import NetworkConfig, TwoStream, correlate

HOP = 0.5
"""Seconds between the windows in which a wave is heard that is longer than one."""


@dataclass(frozen=True)
class Feeding:
    """How what an engine prepares becomes the input of a network.

    Attributes:
        rate: Hz of the waves.
        window: samples that the network hears at once.
        whole_bytes: whether prepared frames are uint8; else float32 in 0..1.
        normalise: prepared frames (b, 3, h, w) -> float32 of that shape; of a network that sees
            motion (b, 5, h, w), optical flow behind the colours.
        spectrogram: waves (b, n) -> what the sound network takes, b first.
    """

    rate: int
    window: int
    whole_bytes: bool
    normalise: Callable[[Tensor], Tensor]
    spectrogram: Callable[[Tensor], Tensor]


def feeding(config: NetworkConfig | DualConfig) -> Feeding:
    """How a network of this configuration is fed."""
    if isinstance(config, NetworkConfig):
        window = round(config.window * RATE)
        return Feeding(RATE, window, True, image.normalise, partial(_windows, window=window))
    sound, picture = SOUNDS[config.waves], PICTURES[config.picture]
    return Feeding(
        sound.rate,
        round(sound.seconds * sound.rate),
        not picture.exact,
        partial(_with_flow, picture=picture) if config.flow else picture.normalise,
        lambda wave: sound.spectrogram(wave, sound.rate),
    )


def _with_flow(frames: Tensor, picture: Picture) -> Tensor:
    """Colours as of any picture, optical flow from grey values to 0..1."""
    flow = frames[:, 3:] / 255 if frames.dtype == torch.uint8 else frames[:, 3:]
    return torch.cat([picture.normalise(frames[:, :3]), flow], 1)


def _windows(wave: Tensor, window: int) -> Tensor:
    """Waves (b, n) -> log-mel of their k windows, `HOP` seconds apart: (b, k, 1, f, t).

    The sound network pools over its whole input, and is only right for the length it was taught.
    """
    windows = wave.unfold(-1, window, round(HOP * RATE))
    return log_mel(windows.flatten(0, 1)).unflatten(0, windows.shape[:2])


class TwoStreamGraph(nn.Module):
    """A `TwoStream`, asked in two steps.

    Args:
        network: in evaluation mode.
    """

    outputs = ("heatmap", "strength")
    """What `look` gives."""

    def __init__(self, network: TwoStream) -> None:
        super().__init__()
        self.network = network

    def hear(self, spectrogram: Tensor) -> Tensor:
        """Probabilities of the sound classes in the middle of windows, their mean: (b, tags)."""
        heard = self.network.middle(self.network.hear(spectrogram.flatten(0, 1)))
        return heard.unflatten(0, spectrogram.shape[:2]).mean(1)

    def look(self, frames: Tensor, heard: Tensor) -> tuple[Tensor, ...]:
        """Maps (b, h, w) of frames with one sound each, and the `strength` of the sounds (b,)."""
        network = self.network
        values = correlate(network.see(frames), network.embed(heard))
        return values, network.strength(heard)

    def objects(self, frames: Tensor) -> Tensor:
        """Where things are, whatever sounds: (b, h', w')."""
        return objectness(self.network.image(frames))


class DualGraph(nn.Module):
    """A `DualEncoder`, asked in two steps.

    Args:
        network: in evaluation mode.
    """

    outputs = ("heatmap",)
    """What `look` gives."""

    def __init__(self, network: DualEncoder) -> None:
        super().__init__()
        self.network = network

    def hear(self, spectrogram: Tensor) -> Tensor:
        """Embeddings of sounds, (b, c)."""
        return self.network.hear(spectrogram)

    def look(self, frames: Tensor, heard: Tensor) -> tuple[Tensor, ...]:
        """Maps (b, h, w) of frames with one sound each."""
        flow = frames[:, 3:] if self.network.config.flow else None
        return (self.network.correlate(self.network.see(frames[:, :3], flow), heard),)

    def objects(self, frames: Tensor) -> Tensor:
        """Where things are, whatever sounds: (b, h', w')."""
        return objectness(self.network.image(frames[:, :3]))


Graph = TwoStreamGraph | DualGraph


def outputs_of(config: NetworkConfig | DualConfig) -> tuple[str, ...]:
    """What the `look` of its graph gives."""
    return (TwoStreamGraph if isinstance(config, NetworkConfig) else DualGraph).outputs


def graph_of(network: Any) -> Graph:
    """The graph around a network of either kind."""
    return TwoStreamGraph(network) if isinstance(network, TwoStream) else DualGraph(network)
