"""How a heatmap is drawn: every choice a user can make about the picture, in one value."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from avloc.errors import UsageError
from avloc.media.colormap import COLORMAPS
from avloc.types import Heatmap


@dataclass(frozen=True)
class Style:
    """What is drawn, and how strongly.

    Attributes:
        colormap: a name in `avloc.media.colormap.COLORMAPS`.
        alpha: opacity of the strongest cell, 0..1.
        contour: outline the predicted region, its strongest parts.
        box: draw the boxes of the predicted region.
        peak: mark the strongest points.
        side_by_side: the source at the left, the overlay at the right.
        strip: a strip under the picture with the confidence over time.
        legend: a small colour bar.
        tags: name what sounds in the upper left corner.
        rule: the mask rule of contour and boxes, see `Heatmap.mask`.
        sources: how many parts, boxes and peaks at most.

    Raises:
        UsageError: an unknown colour map or rule, or a number out of range.
    """

    colormap: str = "turbo"
    alpha: float = 0.55
    contour: bool = True
    box: bool = False
    peak: bool = False
    side_by_side: bool = False
    strip: bool = False
    legend: bool = False
    tags: bool = True
    rule: str = "half-max"
    sources: int = 3

    def __post_init__(self) -> None:
        COLORMAPS[self.colormap]
        Heatmap(np.zeros((1, 1), np.float32), 0.0, 0.0).mask(self.rule)
        if not 0.0 <= self.alpha <= 1.0:
            raise UsageError(f"alpha {self.alpha} is out of range; give a number from 0 to 1")
        if self.sources < 1:
            raise UsageError(f"sources {self.sources} is out of range; give 1 or more")
