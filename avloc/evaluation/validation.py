"""How a method does on mixtures (does it listen?), video moments and synthetic scenes.

A method is a function of a frame (H, W, 3), a wave (n,), its rate and a time in seconds or None
(all of the wave is evidence); it returns a map (h, w).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from avloc.data.mixtures import Mixture
from avloc.data.synthetic import Scene
from avloc.data.wild import Moment
from avloc.evaluation.scores import GRID, best_pixels, box_mask, median_rule, true_size
from avloc.features.wavefile import read_wave
from avloc.resize import resize

Method = Callable[[np.ndarray, np.ndarray, int, float | None], np.ndarray]
RATE = 32_000


@dataclass(frozen=True)
class Listening:
    """On mixtures, an entry for each: whether the map's top tenth lies mostly in the right photo,
    and cIoU of the right object under the true-size rule."""

    right: np.ndarray
    true_size: np.ndarray


@dataclass(frozen=True)
class Finding:
    """On video moments, an entry for each: cIoU under the true-size and the median rule."""

    true_size: np.ndarray
    median: np.ndarray


def on_mixtures(method: Method, items: Sequence[Mixture]) -> Listening:
    """Score `method` on validation mixtures."""
    right, sized = [], []
    for item in items:
        values = method(item.picture(), read_wave(item.sound.path, RATE), RATE, None)
        values = resize(values, (GRID, 2 * GRID))
        top = best_pixels(values, values.size // 10)
        half = top[:, item.side * GRID : (item.side + 1) * GRID]
        right.append(half.sum() > top.sum() / 2)
        sized.append(true_size(values, box_mask(item.boxes(), values.shape)))
    return Listening(np.array(right), np.array(sized))


def on_moments(method: Method, items: Sequence[Moment]) -> Finding:
    """Score `method` on annotated video moments; all of the sound is evidence."""
    from PIL import Image

    sized, halved = [], []
    for item in items:
        with Image.open(item.frame) as image:
            frame = np.asarray(image.convert("RGB"))
        values = resize(method(frame, read_wave(item.sound, RATE), RATE, None), (GRID, GRID))
        truth = box_mask(item.boxes)
        sized.append(true_size(values, truth))
        halved.append(median_rule(values, truth))
    return Finding(np.array(sized), np.array(halved))


def unseen_scenes(count: int = 200, first: int = 1_000_000) -> list[tuple[Scene, float]]:
    """Scenes of 2 or 3 objects with a moment of each at which exactly one, in view, sounds."""
    found: list[tuple[Scene, float]] = []
    seed = first
    while len(found) < count:
        scene = Scene.random(seed, objects=2 + seed % 2)
        times = np.random.default_rng(seed).permutation(np.arange(0.5, scene.seconds - 0.5, 0.25))
        for time in times:
            sounding = [state for state in scene.truth(float(time)) if state.sounds]
            if len(sounding) == 1 and sounding[0].visible > 0.5:
                found.append((scene, float(time)))
                break
        seed += 1
    return found


def on_scenes(method: Method, items: Sequence[tuple[Scene, float]]) -> np.ndarray:
    """Whether the peak of the map lies inside the object that sounds, for each scene."""
    hits = []
    for scene, time in items:
        values = method(scene.frame(time), scene.wave(RATE), RATE, time)
        row, column = np.unravel_index(int(np.argmax(values)), values.shape)
        x, y = (column + 0.5) / values.shape[1], (row + 0.5) / values.shape[0]
        boxes = [state.box for state in scene.truth(time) if state.sounds]
        hits.append(any(x0 <= x <= x1 and y0 <= y <= y1 for x0, y0, x1, y1 in boxes))
    return np.array(hits)
