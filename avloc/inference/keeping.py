"""Many small heatmaps kept for long, packed so that they do not hold on to freed memory."""

from __future__ import annotations

import numpy as np

from avloc.types import Heatmap, Tag

BLOCK = 1 << 20
"""Bytes a block holds: large enough to be given back to the system apart from the heap."""


class Album:
    """Takes heatmaps in order and keeps copies of them in blocks.

    A heatmap alone takes a few kilobytes; thousands of them scattered between short-lived arrays
    would keep the heap from shrinking, and a long video would need more memory than a short one.
    """

    def __init__(self) -> None:
        self._blocks: list[np.ndarray] = []
        self._places: list[tuple[int, int]] = []
        self._rest: list[tuple[float, float, tuple[Tag, ...]]] = []

    def add(self, heatmap: Heatmap) -> None:
        """Keep a copy."""
        values = heatmap.values
        place = self._places[-1][1] + 1 if self._places else 0
        last = self._blocks[-1] if self._blocks else None
        if last is None or place == len(last) or last.shape[1:] != values.shape:
            count = max(16, BLOCK // max(1, 4 * values.size))
            self._blocks.append(np.empty((count, *values.shape), np.float32))
            place = 0
        self._blocks[-1][place] = values
        self._places.append((len(self._blocks) - 1, place))
        self._rest.append((heatmap.time, heatmap.confidence, heatmap.tags))

    def heatmaps(self) -> tuple[Heatmap, ...]:
        """All of them, in their order."""
        # Views are made at the end: even their few bytes each would pin the heap in between.
        return tuple(
            Heatmap(self._blocks[block][place], *rest)
            for (block, place), rest in zip(self._places, self._rest, strict=True)
        )
