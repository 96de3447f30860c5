"""One thing of a synthetic scene, and its sprite: painted once, laid over every frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from avloc.data.synthetic_backgrounds import cloud
from avloc.data.synthetic_classes import CLASSES
from avloc.data.synthetic_shapes import Sheet
from avloc.data.synthetic_sounds import Voice

SKETCH = 20.0
"""Pixels of a unit in the sketch that measures a drawing before it is painted."""


RIM = 3
"""Empty pixels around a sprite: what reaches further than that from what is solid is air."""


@dataclass(frozen=True)
class Thing:
    """An individual of a class.

    Attributes:
        name: its class.
        look: seed of its drawing.
        degrees, flip: how the drawing is turned and mirrored.
        scale: pixels of a unit of the drawing.
        extent: box (x0, y0, x1, y1) of the turned drawing around its origin, in units, roughly.
        voice: how it sounds, if it ever does.
        level: loudness, a factor on amplitude.
    """

    name: str
    look: int
    degrees: float
    flip: bool
    scale: float
    extent: tuple[float, float, float, float]
    voice: Voice
    level: float

    @classmethod
    def random(
        cls, name: str, area: float, size: tuple[int, int], rng: np.random.Generator
    ) -> Thing:
        """A random individual whose box covers `area` of a picture of `size` = (width, height)."""
        look = int(rng.integers(2**31))
        degrees, flip = float(np.clip(rng.normal(0, 8), -20, 20)), bool(rng.random() < 0.5)
        half = round(1.5 * SKETCH)
        sketch = Sheet((2 * half, 2 * half), SKETCH, (half, half), degrees, flip)
        CLASSES[name].look(sketch, np.random.default_rng(look))
        x0, y0, x1, y1 = (float(edge - half) / SKETCH for edge in solid(sketch.pixels))
        scale = float(np.sqrt(area * size[0] * size[1] / ((x1 - x0) * (y1 - y0))))
        # Nothing fills a small or narrow picture from side to side.
        scale = min(scale, 0.7 * size[0] / (x1 - x0), 0.7 * size[1] / (y1 - y0))
        level = float(10 ** (rng.uniform(-4, 2) / 20))
        voice = Voice.random(rng)
        return cls(name, look, degrees, flip, scale, (x0, y0, x1, y1), voice, level)

    @property
    def half(self) -> tuple[float, float]:
        """Half the width and height of its box in pixels, roughly."""
        x0, y0, x1, y1 = self.extent
        return self.scale * (x1 - x0) / 2, self.scale * (y1 - y0) / 2


def solid(pixels: np.ndarray) -> tuple[int, int, int, int]:
    """The box (x0, y0, x1, y1) in pixels of where a sheet (4, h, w) is more than half opaque."""
    opaque = pixels[3] > 0.5
    columns, rows = np.flatnonzero(opaque.any(0)), np.flatnonzero(opaque.any(1))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


@dataclass(frozen=True)
class Sprite:
    """A painted thing, in integers so that laying it over a frame is quick.

    Attributes:
        layers: (2, h, w, 3) uint16 with an empty rim: colours times alpha, 0..255, and how much
            of what lies below shows through, 0..256, repeated for each colour.
        box: of what is solid, (x0, y0, x1, y1) in pixels from the middle of the thing's path.
        corner: of `layers`, from the same middle.
    """

    layers: np.ndarray
    box: tuple[float, float, float, float]
    corner: tuple[float, float]

    @classmethod
    def of(cls, thing: Thing) -> Sprite:
        """Paint `thing`."""
        x0, y0, _, _ = thing.extent
        rim = 3 + round(2 * thing.scale / SKETCH)
        origin = (rim - x0 * thing.scale, rim - y0 * thing.scale)
        width, height = (round(2 * (half + rim)) for half in thing.half)
        sheet = Sheet((height, width), thing.scale, origin, thing.degrees, thing.flip)
        CLASSES[thing.name].look(sheet, np.random.default_rng(thing.look))
        left, top, right, bottom = solid(sheet.pixels)
        x, y = max(0, left - RIM), max(0, top - RIM)
        pixels = sheet.pixels[:, y : bottom + RIM, x : right + RIM]
        layers = np.empty((2, *pixels.shape[1:], 3), np.uint16)
        wear = 255 * _wear(layers.shape[1], layers.shape[2], np.random.default_rng(thing.look))
        layers[0] = (pixels[:3] * wear).transpose(1, 2, 0)
        layers[1] = np.rint(256 * (1 - pixels[3]))[..., None]
        for edge in (layers[:, :1], layers[:, -1:], layers[:, :, :1], layers[:, :, -1:]):
            edge[0], edge[1] = 0, 256
        cx, cy = thing.half[0] + rim, thing.half[1] + rim
        return cls(layers, (left - cx, top - cy, right - cx, bottom - cy), (x - cx, y - cy))

    def lay(self, picture: np.ndarray, middle: tuple[float, float]) -> None:
        """Lay it over `picture` (h, w, 3) uint8 with its middle at (x, y) in pixels."""
        x, y = middle[0] + self.corner[0], middle[1] + self.corner[1]
        left, top = int(np.floor(x)), int(np.floor(y))
        height, width = self.layers.shape[1:3]
        rows = slice(max(0, top), min(picture.shape[0], top + height))
        columns = slice(max(0, left), min(picture.shape[1], left + width))
        if rows.start >= rows.stop or columns.start >= columns.stop:
            return
        colour, clear = shifted(self.layers, x - left, y - top)[
            :, rows.start - top : rows.stop - top, columns.start - left : columns.stop - left
        ]
        under = picture[rows, columns] * clear
        under >>= 8
        under += colour
        picture[rows, columns] = np.minimum(under, 255)


def shifted(layers: np.ndarray, right: float, down: float) -> np.ndarray:
    """`layers` (n, h, w, c) uint16 up to 256 with an empty rim, moved by part of a pixel."""
    moved = layers
    for axis, share in ((1, round(128 * down)), (2, round(128 * right))):
        if share:
            still, moved = moved, moved * np.uint16(128 - share)
            here, there = (slice(None),) * axis + (slice(1, None),), (slice(None),) * axis
            moved[here] += still[(*there, slice(-1))] * np.uint16(share)
            edge = (*there, slice(1))
            moved[edge] += still[edge] * np.uint16(share)
            moved += 64
            moved >>= 7
    return moved


def _wear(height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """Factors (height, width) on the brightness of a surface that is not quite even."""
    texture = cloud(height, width, rng, rng.uniform(0.08, 0.3), 3)
    return 1 - rng.uniform(0.02, 0.14) * (1 + texture)
