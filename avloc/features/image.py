"""Frames as the image networks take them."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional


def input_size(height: int, width: int, area: int, multiple: int = 32) -> tuple[int, int]:
    """The (height, width) near `area` pixels that keeps the shape of the picture.

    Sides are multiples of `multiple`, and neither is more than four times the other: a banner is
    squeezed sooner than shrunk to a line.
    """
    ratio = float(np.clip(height / width, 0.25, 4.0))
    rows = max(1, round((area * ratio) ** 0.5 / multiple))
    columns = max(1, round((area / ratio) ** 0.5 / multiple))
    return rows * multiple, columns * multiple


def fit(frame: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A frame (H, W, 3) uint8 -> (3, h, w) uint8, antialiased bilinear, squeezed to `size`."""
    # Pillow gives arrays that nobody may write to, of which torch warns.
    image = torch.from_numpy(np.require(frame, requirements=["C", "W"])).permute(2, 0, 1)[None]
    if tuple(image.shape[2:]) != tuple(size):
        image = functional.interpolate(image, size, mode="bilinear", antialias=True)
    return image[0].contiguous().numpy()


def normalise(frames: Tensor) -> Tensor:
    """uint8 frames (b, 3, h, w) -> float32 in -1..1, channels last (faster on CPUs)."""
    ordered = frames.contiguous(memory_format=torch.channels_last)  # a quarter of the bytes yet
    return ordered.to(torch.float32).mul_(1 / 127.5).sub_(1)
