"""At which sizes a picture is looked at: the map is the mean over them.

Small views show a large thing whole, large views show small things at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor
from torch.nn import functional

from avloc.features.image import input_size

QUALITIES: Mapping[str, tuple[float, ...]] = {"default": (1.0,), "high": (1.44, 0.78)}
"""Sides of the views, largest first, in units of the root of the network's ``area``."""


def view_size(height: int, width: int, area: int, quality: str) -> tuple[int, int]:
    """The (height, width) of the largest view of a picture."""
    return input_size(height, width, round(area * QUALITIES[quality][0] ** 2))


def views(frames: Tensor, area: int, quality: str) -> list[Tensor]:
    """Frames (b, 3, H, W) uint8 at every size at which they are looked at, the largest first.

    Args:
        frames: the largest views.
        area: pixels of the network's input, about.
        quality: a key of `QUALITIES`.
    """
    found = [frames]
    for side in QUALITIES[quality][1:]:
        size = input_size(frames.shape[2], frames.shape[3], round(area * side**2))
        found.append(functional.interpolate(frames, size, mode="bilinear", antialias=True))
    return found


def mean_map(maps: Sequence[Tensor]) -> Tensor:
    """The mean of the maps (b, h, w) of all views, at the size of the first."""
    total = maps[0]
    for values in maps[1:]:
        larger = functional.interpolate(values[:, None], total.shape[1:], mode="bilinear")
        total = total + larger[:, 0]
    return total / len(maps)
