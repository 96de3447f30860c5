"""Resizing heatmaps: separable kernels as explicit weight matrices, so every rule can be read."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

import numpy as np

Kernel = Literal["linear", "nearest"]


@lru_cache(maxsize=64)
def axis_weights(n_in: int, n_out: int, kernel: Kernel = "linear") -> np.ndarray:
    """The matrix (n_out, n_in) that resamples one axis, half-pixel centres, replicated border.

    Sample i of the output reads the input at ``(i + 0.5) * n_in / n_out - 0.5``, which is the
    convention of OpenCV's ``INTER_LINEAR`` and of torch with ``align_corners=False``.
    """
    position = (np.arange(n_out) + 0.5) * (n_in / n_out) - 0.5
    weights = np.zeros((n_out, n_in), np.float32)
    rows = np.arange(n_out)
    if kernel == "nearest":
        weights[rows, np.clip(np.floor(position + 0.5).astype(int), 0, n_in - 1)] = 1.0
    else:
        low = np.floor(position).astype(int)
        share = (position - low).astype(np.float32)
        np.add.at(weights, (rows, np.clip(low, 0, n_in - 1)), 1.0 - share)
        np.add.at(weights, (rows, np.clip(low + 1, 0, n_in - 1)), share)
    weights.setflags(write=False)
    return weights


def resize(values: np.ndarray, size: tuple[int, int], kernel: Kernel = "linear") -> np.ndarray:
    """`values` (h, w) resampled to `size` = (height, width) as float32."""
    down = axis_weights(values.shape[0], size[0], kernel)
    across = axis_weights(values.shape[1], size[1], kernel)
    return down @ values.astype(np.float32, copy=False) @ across.T
