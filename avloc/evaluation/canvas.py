"""A heatmap as its method gives it, enlarged by whatever kernel a protocol wants."""

from __future__ import annotations

from typing import Literal

import numpy as np

from avloc.evaluation.field import Field, View
from avloc.evaluation.kernels import Kernel, enlarge
from avloc.evaluation.normals import TEMPERATURE
from avloc.evaluation.truth import GRID

Scale = Literal["cosine", "logit"]


class Canvas:
    """A heatmap (h, w) float32 on the grid of the truth by any kernel, in either scale, each once.

    Args:
        values: The map as its method gives it.
        scale: What `values` are; None: whatever a protocol's original receives.
    """

    def __init__(self, values: np.ndarray, scale: Scale | None = None) -> None:
        self.values = np.ascontiguousarray(values, np.float32)
        self._scale = scale
        self._views: dict[tuple[Scale | None, Kernel], View] = {}

    def view(self, kernel: Kernel, scale: Scale | None = None) -> View:
        """The map on the grid, as a method that gives `scale` would have given it."""
        scale = scale if self._scale is not None and scale != self._scale else None
        if (scale, kernel) not in self._views:
            values = self.values
            if scale == "logit":
                values = values / np.float32(TEMPERATURE)
            elif scale == "cosine":
                values = values * np.float32(TEMPERATURE)
            self._views[scale, kernel] = View(Field(enlarge(values, kernel, (GRID, GRID))))
        return self._views[scale, kernel]
