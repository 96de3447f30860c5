"""The truth of an item on the grid that everything is compared on."""

from __future__ import annotations

import numpy as np

from avloc.data.benchmarks.masks import read_class, read_mask
from avloc.data.benchmarks.types import Item
from avloc.evaluation.truth import GRID, Truth, rasterise
from avloc.resize import resize


def box_truth(item: Item) -> Truth:
    """The truth of an item's boxes, or where it has none, of its mask; empty for a negative."""
    if not item.sounds:
        return rasterise(np.zeros((0, 4)))
    if item.mask is not None and not len(item.boxes):
        return pixel_truth(item)
    return rasterise(item.boxes, item.scale, votes=item.votes is not None)


def pixel_truth(item: Item) -> Truth:
    """The truth of an item's mask, by nearest pixels, or where it has none, of its boxes."""
    if item.mask is None:
        return rasterise(item.boxes, item.scale, votes=item.votes is not None)
    if item.mask_class is not None:
        mask = read_class(item.mask, item.mask_class, GRID)
        return Truth(mask, boxes=int(mask.any()))
    mask = read_mask(item.mask)
    if mask.shape != (GRID, GRID):
        mask = resize(mask.astype(np.float32), (GRID, GRID), "nearest") > 0.5
    return Truth(mask, boxes=int(mask.any()))
