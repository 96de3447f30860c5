"""Shot cuts: a cheap detector on coarse luma, frame by frame."""

from __future__ import annotations

from collections import deque
from statistics import median

import av
import numpy as np

GRID = (18, 32)
"""Rows and columns of the coarse picture that is compared."""

SAMPLES = 4
"""Luma samples along each side of a cell; more would cost time and change nothing."""

LEAST = 14.0
"""Mean difference, of 255, that a cut has at least."""

SUDDEN = 40.0
"""The same for the first frames, as long as nothing is known of the usual motion."""

RATIO = 3.5
"""How much a cut stands out from the frames just before it: motion and flicker do not."""


class CutDetector:
    """Tells for frames in their order whether a new shot begins with them."""

    def __init__(self) -> None:
        self._last: np.ndarray | None = None
        self._recent: deque[float] = deque(maxlen=8)

    def is_cut(self, picture: av.VideoFrame) -> bool:
        """Whether `picture`, with luma in its first plane, begins a new shot."""
        grid = coarse_luma(picture)
        last, self._last = self._last, grid
        if last is None or last.shape != grid.shape:
            return False
        change = float(np.abs(grid - last).mean())
        # The first differences are all there is to tell motion from a cut.
        least = LEAST if len(self._recent) > 1 else SUDDEN
        cut = change > max(least, RATIO * median(self._recent or [0.0]))
        self._recent.append(change)
        return cut


def coarse_luma(picture: av.VideoFrame) -> np.ndarray:
    """Luma on a coarse grid, (18, 32) float32 in 0..255, fewer cells for tiny pictures."""
    plane = picture.planes[0]
    deep = plane.line_size >= 2 * picture.width and "p10" in picture.format.name
    samples = np.frombuffer(plane, np.uint16 if deep else np.uint8)  # type: ignore[call-overload]
    stride = plane.line_size // samples.itemsize
    luma = samples[: stride * picture.height].reshape(picture.height, stride)[:, : picture.width]
    rows, columns = min(GRID[0], picture.height), min(GRID[1], picture.width)
    down = max(1, picture.height // (rows * SAMPLES))
    across = max(1, picture.width // (columns * SAMPLES))
    thin = luma[::down, ::across]
    high, wide = thin.shape[0] // rows, thin.shape[1] // columns
    cells = thin[: rows * high, : columns * wide].astype(np.float32)
    grid: np.ndarray = cells.reshape(rows, high, columns, wide).sum(axis=3).sum(axis=1)
    return grid / (high * wide * (4 if deep else 1))
