"""What people drew, as the pixels that maps are compared on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

GRID = 224  # pixels a side that every published protocol compares on


class Counts(NamedTuple):
    """A prediction beside a truth, in pixels: all of it, those of it that are not 0 in the truth,
    and twice the sum of the truth over it."""

    called: float
    inside: float
    halves: float


@dataclass(frozen=True, eq=False)
class Truth:
    """Where the source is: 1 inside, 0 outside, and 1/2 where annotators disagree.

    Half a pixel adds a half to intersection and union and is not a false positive.

    Attributes:
        inside: Pixels that are not 0, (h, w) bool.
        half: Pixels that are 1/2, (h, w) bool; None where there are none.
        boxes: How many boxes it was made of; 0 says that nothing visible sounds.
    """

    inside: np.ndarray
    half: np.ndarray | None = None
    boxes: int = 1

    @cached_property
    def pixels(self) -> int:
        """How many pixels are not 0."""
        return int(np.count_nonzero(self.inside))

    @cached_property
    def area(self) -> float:
        """The sum of the pixels."""
        return self.pixels - (0 if self.half is None else 0.5 * int(np.count_nonzero(self.half)))

    @cached_property
    def halves(self) -> np.ndarray:
        """Twice the truth, (h, w) uint8."""
        twice = self.inside.view(np.uint8) << 1
        return twice if self.half is None else twice - self.half

    @property
    def weight(self) -> np.ndarray:
        """All pixels, (h, w) float32."""
        return np.float32(0.5) * self.halves

    def overlap(self, found: Counts) -> tuple[float, float]:
        """Numerator and denominator of cIoU.

        cIoU (Senocak et al. 2018, sec. 5.1) is intersection over truth plus false positives.
        """
        return found.halves / 2, self.area + (found.called - found.inside)

    def counts(self, predicted: np.ndarray) -> Counts:
        """The counts of the mask `predicted` (h, w) bool."""
        hits = self.halves[predicted]
        return Counts(len(hits), int(np.count_nonzero(hits)), int(hits.sum()))

    def ciou(self, predicted: np.ndarray | Counts) -> float:
        """cIoU with a mask; not a number where both are empty, as everywhere in the field."""
        found = predicted if isinstance(predicted, Counts) else self.counts(predicted)
        hit, whole = self.overlap(found)
        return hit / whole if whole else float("nan")


def rasterise(
    boxes: np.ndarray,
    scale: tuple[float, float] = (1.0, 1.0),
    votes: bool = False,
    grid: int = GRID,
) -> Truth:
    """The truth of `boxes` (n, 4), x0 y0 x1 y1 in units of which the picture is `scale` wide, high.

    Corners are rounded towards zero and the far ones left out, as in every original. The union of
    the boxes counts; with `votes` each box is one annotator's, and a pixel in one box is 1/2, in
    two or more 1 (Flickr-SoundNet).
    """
    boxes = np.asarray(boxes, np.float64).reshape(-1, 4)
    whole = np.array([*scale, *scale])
    # First times and then over: 224 * 137 / 256 has to be the float that the originals get.
    pixels = (grid * np.minimum(np.maximum(boxes, 0), whole) / whole).astype(int)
    if not votes:
        inside = np.zeros((grid, grid), bool)
        for x0, y0, x1, y1 in pixels.tolist():
            inside[y0:y1, x0:x1] = True
        return Truth(inside, None, len(boxes))
    layers = np.zeros((grid, grid), np.uint8)
    for x0, y0, x1, y1 in pixels.tolist():
        layers[y0:y1, x0:x1] += 1
    return Truth(layers > 0, layers == 1, len(boxes))
