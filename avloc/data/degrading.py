"""Pictures made to look like frames of a poor video: soft, dark or pale, noisy, compressed.

Networks that only ever saw sharp photos know such frames less well (Hendrycks and Dietterich,
arXiv 1903.12261).
"""

from __future__ import annotations

from io import BytesIO

import numpy as np
from numpy.random import Generator
from PIL import Image


def degraded(canvas: np.ndarray, rng: Generator) -> np.ndarray:
    """`canvas` (H, W, 3) uint8 with some defects, in the order in which cameras make them."""
    if rng.random() < 0.5:
        canvas = _softened(canvas, rng.uniform(1.5, 4))
    if rng.random() < 0.5:
        canvas = _exposed(canvas, np.exp(rng.uniform(-0.6, 1)), rng.uniform(0.5, 1))
    if rng.random() < 0.3:
        noise = rng.uniform(3, 15) * rng.standard_normal(canvas.shape, np.float32)
        canvas = np.clip(canvas + noise, 0, 255).astype(np.uint8)
    if rng.random() < 0.5:
        canvas = _compressed(canvas, int(rng.integers(10, 50)))
    return canvas


def _softened(canvas: np.ndarray, factor: float) -> np.ndarray:
    """As recorded with `factor` times fewer pixels a side."""
    height, width = canvas.shape[:2]
    small = Image.fromarray(canvas).resize(
        (max(1, round(width / factor)), max(1, round(height / factor))), Image.Resampling.BILINEAR
    )
    return np.asarray(small.resize((width, height), Image.Resampling.BILINEAR))


def _exposed(canvas: np.ndarray, gamma: float, gain: float) -> np.ndarray:
    """Darker or paler: above 1 `gamma` darkens what is not white; `gain` darkens everything."""
    table = 255 * gain * (np.arange(256) / 255) ** gamma
    return table.astype(np.uint8)[canvas]


def _compressed(canvas: np.ndarray, quality: int) -> np.ndarray:
    """With the blocks and rings of a JPEG of this quality, which are those of video too."""
    file = BytesIO()
    Image.fromarray(canvas).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))
