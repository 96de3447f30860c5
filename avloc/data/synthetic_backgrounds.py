"""Backdrops of synthetic scenes: hills, bricks, planks, wallpaper, tiles, grass, soft light.

Each fills a whole canvas (height, width, 3) with float32 in 0..1 from its generator. Lengths
follow the canvas' height, so a backdrop looks the same at every size.
"""

from __future__ import annotations

import colorsys
from collections.abc import Callable

import numpy as np

from avloc.resize import resize

Backdrop = Callable[[int, int, np.random.Generator], np.ndarray]


def cloud(
    height: int, width: int, rng: np.random.Generator, cell: float, octaves: int = 4
) -> np.ndarray:
    """Smooth random values (height, width) of about -1..1; `cell` of the height is its coarsest."""
    total = np.zeros((height, width), np.float32)
    for octave in range(octaves):
        size = max(2.0, cell * height / 2**octave)
        rows, columns = int(height / size) + 2, int(width / size) + 2
        grid = rng.uniform(-1, 1, (rows, columns)).astype(np.float32)
        total += resize(grid, (height, width)) / 2**octave
    return total / np.float32(1.5)


def _colour(rng: np.random.Generator, low: float = 0.3, high: float = 0.85) -> np.ndarray:
    hue, saturation = rng.uniform(), rng.uniform(0.1, 0.55)
    return np.array(colorsys.hsv_to_rgb(hue, saturation, rng.uniform(low, high)), np.float32)


def _mix(first: np.ndarray, second: np.ndarray, share: np.ndarray) -> np.ndarray:
    """From `first` to `second` (3,) as `share` (h, w) goes from 0 to 1."""
    return first + np.clip(share, 0, 1)[..., None] * (second - first)


def _rows(height: int) -> np.ndarray:
    return (np.arange(height, dtype=np.float32) / height)[:, None]


def hills(height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """A sky with clouds over three ranges of hills."""
    hue = rng.uniform(0.5, 0.68) if rng.random() < 0.7 else rng.uniform(0.0, 0.12)
    top = np.array(colorsys.hsv_to_rgb(hue, 0.55, rng.uniform(0.5, 0.95)), np.float32)
    haze = np.array((0.93, 0.91, 0.86), np.float32)
    sky = _mix(top, haze, np.broadcast_to(1.6 * _rows(height), (height, width)))
    sky = sky + np.clip(cloud(height, width, rng, 0.35) - 0.1, 0, 0.5)[..., None] * (1 - sky)
    green = rng.uniform(0.15, 0.42)
    grain = cloud(height, width, rng, 0.06, 3)
    line = np.arange(width, dtype=np.float32) / height
    for k in range(3):
        ridge = np.full(width, 0.5 + 0.17 * k, np.float32)
        for w in (1.0, 2.3, 5.0):
            ridge += rng.uniform(0.02, 0.06) / w * np.sin(4 * w * line + 2 * np.pi * rng.uniform())
        near = np.array(colorsys.hsv_to_rgb(green, 0.25 + 0.15 * k, 0.72 - 0.14 * k), np.float32)
        over = np.clip((_rows(height) - ridge[None]) * height, 0, 1)[..., None]
        sky += over * (near * (1 + 0.12 * grain[..., None]) - sky)
    return sky


def bricks(height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """A brick wall, every brick its own shade."""
    tall = rng.uniform(0.055, 0.1) * height
    wide, joint = tall * rng.uniform(2.0, 2.8), max(1.5, 0.1 * tall)
    y = np.arange(height, dtype=np.float32)[:, None]
    row = (y // tall).astype(int)
    x = np.arange(width, dtype=np.float32)[None] + (row % 2) * wide / 2
    column = (x // wide).astype(int)
    edge = np.minimum(np.minimum(x % wide, wide - x % wide), np.minimum(y % tall, tall - y % tall))
    shade = rng.uniform(0.8, 1.15, (row.max() + 1, column.max() + 1)).astype(np.float32)
    hue = rng.choice((0.02, 0.05, 0.09, 0.6))
    clay = np.array(
        colorsys.hsv_to_rgb(hue, rng.uniform(0.2, 0.6), rng.uniform(0.45, 0.75)), np.float32
    )
    mortar = np.full(3, rng.uniform(0.55, 0.85), np.float32)
    wall = clay * (shade[row, column] * (1 + 0.15 * cloud(height, width, rng, 0.05, 3)))[..., None]
    return _mix(mortar, wall, (edge - joint / 2) / 1.5 + 0.5)


def planks(height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """Boards with grain, upright or level."""
    upright = rng.random() < 0.5
    if upright:
        height, width = width, height
    scale = min(height, width)
    board = rng.uniform(0.12, 0.25) * scale
    y = np.arange(height, dtype=np.float32)
    row = (y // board).astype(int)
    shade = rng.uniform(0.82, 1.12, row.max() + 1).astype(np.float32)[row]
    gap = np.clip(np.minimum(y % board, board - y % board) / (0.012 * scale), 0.35, 1)
    rows, columns = height // 2 + 2, max(2, int(width / (0.25 * scale)) + 2)
    fibre = resize(rng.uniform(-1, 1, (rows, columns)).astype(np.float32), (height, width))
    wood = np.array(
        colorsys.hsv_to_rgb(rng.uniform(0.05, 0.12), rng.uniform(0.2, 0.6), rng.uniform(0.5, 0.85)),
        np.float32,
    )
    picture = wood * ((shade * gap)[:, None] * (1 + 0.13 * fibre))[..., None]
    return np.ascontiguousarray(picture.transpose(1, 0, 2)) if upright else picture


def wallpaper(height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """Soft stripes at any angle, or dots."""
    first, second = _colour(rng), _colour(rng)
    second = first + 0.5 * (second - first)
    step = rng.uniform(0.08, 0.25) * height
    y, x = np.mgrid[:height, :width].astype(np.float32)
    angle = rng.choice((0.0, 0.5, 0.25, -0.25)) * np.pi
    u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    if rng.random() < 0.5:
        share = 0.5 + np.sin(2 * np.pi * u / step) * step / 12
    else:
        share = 0.5 + (
            rng.uniform(0.2, 0.35) * step - np.hypot(u % step - step / 2, v % step - step / 2)
        )
    return _mix(first, second, share) * (1 + 0.05 * cloud(height, width, rng, 0.08, 3))[..., None]


def tiles(height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """Square tiles of two colours."""
    first, second = _colour(rng), _colour(rng)
    second = first + 0.4 * (second - first)
    step = rng.uniform(0.12, 0.25) * height
    y = np.arange(height, dtype=np.float32)[:, None]
    x = np.arange(width, dtype=np.float32)[None]
    even = ((x // step + y // step) % 2).astype(np.float32)
    edge = np.minimum(np.minimum(x % step, step - x % step), np.minimum(y % step, step - y % step))
    wall = _mix(first, second, even) * (1 + 0.08 * cloud(height, width, rng, 0.15, 3))[..., None]
    return wall * np.clip(0.7 + 0.3 * edge / (0.012 * height), 0.7, 1)[..., None]


def grass(height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """A meadow, sand or carpet: fine grain that gets coarser towards the viewer."""
    hue = rng.choice((0.27, 0.31, 0.11, 0.08, 0.58))
    ground = np.array(
        colorsys.hsv_to_rgb(hue, rng.uniform(0.2, 0.55), rng.uniform(0.4, 0.75)), np.float32
    )
    fine, coarse = cloud(height, width, rng, 0.02, 2), cloud(height, width, rng, 0.3, 3)
    far = 0.5 + 0.5 * _rows(height)
    return ground * (0.85 + 0.3 * far + 0.2 * fine * far + 0.12 * coarse)[..., None]


def soft_light(height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """Out of focus: a gradient with blurred discs of light."""
    picture = _mix(_colour(rng), _colour(rng), 0.5 + 0.5 * cloud(height, width, rng, 0.7, 2))
    y = np.arange(height, dtype=np.float32)[:, None]
    x = np.arange(width, dtype=np.float32)[None]
    for _ in range(int(rng.integers(6, 16))):
        cx, cy, radius = (
            rng.uniform(0, width),
            rng.uniform(0, height),
            rng.uniform(0.03, 0.15) * height,
        )
        cover = np.clip((radius - np.hypot(x - cx, y - cy)) / (0.25 * radius), 0, 1)[..., None]
        picture += rng.uniform(0.1, 0.35) * cover * (_colour(rng, 0.7, 1.0) - picture)
    return picture


BACKDROPS: tuple[Backdrop, ...] = (hills, bricks, planks, wallpaper, tiles, grass, soft_light)


def backdrop(kind: str, height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """The backdrop named `kind` (height, width, 3), float32 in 0..1, darker towards its corners."""
    paint = {function.__name__: function for function in BACKDROPS}[kind]
    picture = paint(height, width, rng)
    y = (np.arange(height, dtype=np.float32)[:, None] / height - 0.5) ** 2
    x = (np.arange(width, dtype=np.float32)[None] / width - 0.5) ** 2
    return np.clip(picture * (1 - rng.uniform(0.1, 0.6) * (x + y))[..., None], 0, 1)
