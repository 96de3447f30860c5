"""Training pictures put together from photos, so that a thing must be found *in* a picture.

A composite is a whole photo, a mosaic of several, or a background with photos or cut-out objects
pasted on it. Its truth is a stack of coverages: how much of each grid cell belongs to a box of
each concept, and where that is not known.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.random import Generator

from avloc.data.degrading import degraded
from avloc.data.pictures import Pictures
from avloc.data.wild import Photo

CELL = 16  # pixels of the canvas under one cell of the grid


@dataclass(eq=False)
class Composite:
    """A picture (H, W, 3) uint8 under construction and what is where.

    Attributes:
        canvas: the picture.
        rows: how many concepts there are.
        truth: (k, h, w) float32 in 0..1, share of a cell inside boxes of each concept.
        unsure: (k, h, w) bool, where a concept may be without being labelled.
        things: (h, w) float32, share of a cell inside any box.
    """

    canvas: np.ndarray
    rows: int
    truth: np.ndarray = field(init=False)
    unsure: np.ndarray = field(init=False)
    things: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        h, w = self.canvas.shape[0] // CELL, self.canvas.shape[1] // CELL
        self.truth = np.zeros((self.rows, h, w), np.float32)
        self.unsure = np.zeros((self.rows, h, w), bool)
        self.things = np.zeros((h, w), np.float32)

    def cover(self, box: np.ndarray) -> np.ndarray:
        """The share (h, w) of every cell that lies inside `box`, pixels of the canvas."""
        h, w = self.things.shape
        rows = np.clip(
            np.minimum(box[3] / CELL, np.arange(h) + 1) - np.maximum(box[1] / CELL, np.arange(h)),
            0,
            1,
        )
        columns = np.clip(
            np.minimum(box[2] / CELL, np.arange(w) + 1) - np.maximum(box[0] / CELL, np.arange(w)),
            0,
            1,
        )
        return np.outer(rows, columns).astype(np.float32)

    def clear(self, box: np.ndarray) -> None:
        """Forget what lies under `box`: something is pasted over it."""
        kept = 1 - self.cover(box)
        self.truth *= kept
        self.things *= kept
        self.unsure &= kept > 0.5

    def add(self, box: np.ndarray, concepts: tuple[int, ...]) -> None:
        """An object at `box` (pixels of the canvas)."""
        cover = self.cover(box)
        self.things = np.maximum(self.things, cover)
        for k in concepts:
            self.truth[k] = np.maximum(self.truth[k], cover)

    def doubt(self, box: np.ndarray, concepts: tuple[int, ...]) -> None:
        """Inside `box` these concepts may be, unlabelled, where no truth says so."""
        inside = self.cover(box) > 0
        for k in concepts:
            self.unsure[k] |= inside & (self.truth[k] == 0)


class Composer:
    """Makes composites of `photos`; every call depends on its random generator alone.

    A share `poor` of them looks like frames of a poor video (`degrading`).
    """

    def __init__(
        self, photos: list[Photo], pictures: Pictures, rows: int, person: int, poor: float = 0.0
    ) -> None:
        self.pictures = pictures
        self.rows = rows
        self.person = person
        self.poor = poor
        self.all = photos
        groups: dict[tuple[int, ...], list[Photo]] = {}
        for photo in photos:
            if photo.source != "coco" and photo.concepts:
                groups.setdefault(photo.concepts, []).append(photo)
        self.groups = list(groups.values())
        self.boxed = [p for p in photos if p.source == "coco" and len(p.boxes)]
        self.plain = [p for p in photos if not p.concepts] or photos

    def pick(self, rng: Generator) -> Photo:
        """A photo: fully boxed ones often, the others evenly over what they show."""
        if self.boxed and rng.random() < 0.3:
            return self.boxed[rng.integers(len(self.boxed))]
        group = self.groups[rng.integers(len(self.groups))]
        return group[rng.integers(len(group))]

    def __call__(self, rng: Generator, size: tuple[int, int]) -> Composite:
        """A composite of `size` = (height, width), multiples of 32."""
        made = Composite(np.full((*size, 3), rng.integers(30, 226), np.uint8), self.rows)
        height, width = size
        kind = rng.random()
        if kind < 0.25:
            self.paste(made, self.pick(rng), (0, 0, width, height), rng, whole=True)
        elif kind < 0.65:
            for box in tiles(rng, height, width):
                self.paste(made, self.pick(rng), box, rng, whole=True)
        else:
            pool = self.plain if rng.random() < 0.6 else self.all
            background = pool[rng.integers(len(pool))]
            self.paste(made, background, (0, 0, width, height), rng, whole=True)
            for _ in range(rng.integers(1, 4)):
                side = rng.uniform(0.25, 0.7) * min(height, width)
                ratio = np.exp(rng.uniform(-0.35, 0.35))
                w, h = min(side * ratio, width), min(side / ratio, height)
                x, y = rng.uniform(0, width - w), rng.uniform(0, height - h)
                box = (int(x), int(y), int(x + w), int(y + h))
                self.paste(made, self.pick(rng), box, rng, whole=False)
        made.canvas = jitter(made.canvas, rng)
        if self.poor and rng.random() < self.poor:
            made.canvas = degraded(made.canvas, rng)
        return made

    def paste(
        self,
        made: Composite,
        photo: Photo,
        box: tuple[int, int, int, int],
        rng: Generator,
        whole: bool,
    ) -> None:
        """Fill `box` (pixels) of the canvas with a crop of `photo` and note what it shows."""
        boxes, kinds = self.pictures.boxes(photo)
        x0, y0, x1, y1 = box
        crop = np.array([0.0, 0.0, 1.0, 1.0])
        # Crops around specks would be nothing but blur.
        objects = [i for i, kind in enumerate(kinds) if kind and area(boxes[i]) > 0.01]
        if objects and not whole:
            crop = around(boxes[objects[rng.integers(len(objects))]], rng, 0.05, 0.35)
        elif objects and rng.random() < 0.5:
            crop = around(boxes[objects[rng.integers(len(objects))]], rng, 0.3, 1.5)
        flip = bool(rng.random() < 0.5)
        made.canvas[y0:y1, x0:x1] = self.pictures.crop(photo, crop, (y1 - y0, x1 - x0), flip)
        target = np.array(box, np.float64)
        made.clear(target)
        for place, kind in zip(boxes, kinds, strict=True):
            seen = within(place, crop, flip)
            if seen is not None:
                size = np.array([x1 - x0, y1 - y0, x1 - x0, y1 - y0])
                made.add(target[[0, 1, 0, 1]] + seen * size, kind)
        if not photo.complete:
            doubts = photo.concepts if not len(boxes) else ()
            if self.person not in photo.concepts and self.pictures.may_show_people(photo):
                doubts = (*doubts, self.person)
            made.doubt(target, doubts)


def tiles(rng: Generator, height: int, width: int) -> list[tuple[int, int, int, int]]:
    """Two side by side, two stacked, or four, with the seams anywhere near the middle."""
    x, y = (int(rng.uniform(0.35, 0.65) * side) // CELL * CELL for side in (width, height))
    kind = rng.random()
    if kind < 0.5:
        return [(0, 0, x, height), (x, 0, width, height)]
    if kind < 0.7:
        return [(0, 0, width, y), (0, y, width, height)]
    return [(0, 0, x, y), (x, 0, width, y), (0, y, x, height), (x, y, width, height)]


def area(box: np.ndarray) -> float:
    """The share of the picture inside `box`."""
    return float(np.prod(box[2:] - box[:2]))


def around(box: np.ndarray, rng: Generator, least: float, most: float) -> np.ndarray:
    """A crop in 0..1 with `box` in it and a margin of `least` to `most` times its size."""
    size = np.maximum(box[2:] - box[:2], 0.15)
    low = box[:2] - size * rng.uniform(least, most, 2)
    high = box[2:] + size * rng.uniform(least, most, 2)
    return np.concatenate([np.clip(low, 0, 0.9), np.clip(high, 0.1, 1)])


def within(box: np.ndarray, crop: np.ndarray, flip: bool) -> np.ndarray | None:
    """`box` in fractions of `crop`; None where less than a third of it is left."""
    size = crop[2:] - crop[:2]
    moved = np.concatenate([(box[:2] - crop[:2]) / size, (box[2:] - crop[:2]) / size])
    if flip:
        moved = np.array([1 - moved[2], moved[1], 1 - moved[0], moved[3]])
    clipped = np.clip(moved, 0, 1)
    full = max(float(np.prod(moved[2:] - moved[:2])), 1e-9)
    left = float(np.prod(clipped[2:] - clipped[:2]))
    return clipped if left > full / 3 else None


def jitter(canvas: np.ndarray, rng: Generator) -> np.ndarray:
    """Brightness, contrast and colour cast, gently; sometimes grey."""
    gain = rng.uniform(0.75, 1.25) * rng.uniform(0.92, 1.08, 3)
    shift = rng.uniform(-20, 20)
    table = np.clip(np.arange(256)[:, None] * gain + shift, 0, 255).astype(np.uint8)
    mapped = np.stack([table[:, c][canvas[..., c]] for c in range(3)], axis=-1)
    if rng.random() < 0.05:
        mapped[:] = mapped.mean(-1, keepdims=True).astype(np.uint8)
    return mapped
