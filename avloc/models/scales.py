"""At which sizes a picture is looked at: the map is the mean over them.

Small views show a large thing whole, large views show small things at all.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor
from torch.nn import functional

from avloc.features.image import input_size, normalise
from avloc.models.two_stream import TwoStream, correlate

QUALITIES: Mapping[str, tuple[float, ...]] = {"default": (1.0,), "high": (1.44, 0.78)}
"""Sides of the views, largest first, in units of the root of the network's ``area``."""


def view_size(height: int, width: int, area: int, quality: str) -> tuple[int, int]:
    """The (height, width) of the largest view of a picture."""
    return input_size(height, width, round(area * QUALITIES[quality][0] ** 2))


def correlations(network: TwoStream, frames: Tensor, sounds: Tensor, quality: str) -> Tensor:
    """The maps (b, h, w) of frames with one sound each, the mean over all views.

    Args:
        network: in evaluation mode.
        frames: (b, 3, H, W) uint8, the largest views.
        sounds: (b, c) unit embeddings.
        quality: a key of `QUALITIES`.
    """
    smaller = QUALITIES[quality][1:]
    total = correlate(network.see(normalise(frames)), sounds)
    for side in smaller:
        area = round(network.config.area * side**2)
        size = input_size(frames.shape[2], frames.shape[3], area)
        view = functional.interpolate(frames, size, mode="bilinear", antialias=True)
        values = correlate(network.see(normalise(view)), sounds)[:, None]
        total = total + functional.interpolate(values, total.shape[1:], mode="bilinear")[:, 0]
    return total / (1 + len(smaller))
