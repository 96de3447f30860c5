"""Heatmaps that anybody can make: what a score has to beat."""

from __future__ import annotations

import numpy as np


def centre(size: tuple[int, int]) -> np.ndarray:
    """Closeness to the middle, which neither sees nor hears; a disc at every threshold."""
    y, x = ((np.arange(n) + 0.5) / n - 0.5 for n in size)
    return -np.hypot(y[:, None], x[None, :]).astype(np.float32)


def whole(size: tuple[int, int]) -> np.ndarray:
    """The same everywhere."""
    return np.zeros(size, np.float32)
