"""Boxes for photos that have a label and no box, guessed by the untrained network."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from avloc.data.pictures import Pictures
from avloc.data.wild import Photo
from avloc.features.image import normalise
from avloc.models.two_stream import TwoStream

SIDE = 320  # pixels of the square that photos are looked at in
LEAST = 0.35  # of the way from the least to the greatest score: what belongs to the object
MARGIN = 0.04  # of the picture: class evidence ends before the object does


@torch.inference_mode()
def guess_boxes(
    network: TwoStream,
    photos: list[Photo],
    pictures: Pictures,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> None:
    """Put a box for every labelled photo without one into ``pictures.guessed``."""
    wanted = [photo for photo in photos if photo.concepts and not len(photo.boxes)]
    full = np.array([0.0, 0.0, 1.0, 1.0])
    for done in range(0, len(wanted), 16):
        group = wanted[done : done + 16]
        frames = np.stack([pictures.crop(photo, full, (SIDE, SIDE), False) for photo in group])
        tensor = normalise(torch.from_numpy(np.ascontiguousarray(frames.transpose(0, 3, 1, 2))))
        scores = network.image_head(*network.image.pyramid(tensor))
        axes = torch.zeros(len(group), scores.shape[1])
        for i, photo in enumerate(group):
            axes[i, list(photo.concepts)] = 1
        maps = torch.einsum("bchw,bc->bhw", scores, axes).numpy()
        for photo, grid in zip(group, maps, strict=True):
            pictures.guessed[photo.path] = extent(grid)
        progress(done + len(group), len(wanted))


def extent(grid: np.ndarray) -> np.ndarray:
    """The box (4,) around the cells of a map (h, w) that belong to its object."""
    low, high = float(grid.min()), float(grid.max())
    inside = grid >= low + LEAST * (high - low)
    rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    height, width = grid.shape
    box = [columns[0] / width, rows[0] / height, (columns[-1] + 1) / width, (rows[-1] + 1) / height]
    return np.clip(np.array(box) + [-MARGIN, -MARGIN, MARGIN, MARGIN], 0, 1)
