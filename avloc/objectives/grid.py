"""What is known of places of a picture, on the grid of its map."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional


def on_grid(places: Tensor, maps: Tensor) -> Tensor:
    """Means of places (b, H, W) over the cells of maps (..., h, w) -> (b, h, w)."""
    height, width = maps.shape[-2:]
    return functional.adaptive_avg_pool2d(places.to(maps)[:, None], (height, width))[:, 0]
