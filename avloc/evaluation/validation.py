"""How a method does on photos, mixtures (does it listen?), video moments and synthetic scenes.

A method is a function of a frame (H, W, 3), a wave (n,), its rate and a time in seconds or None
(all of the wave is evidence); it returns a map (h, w).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from avloc.data.mixtures import Mixture, Single
from avloc.data.synthetic import Scene
from avloc.data.wild import Moment
from avloc.evaluation.scores import GRID, best_pixels, box_mask, greatest, median_rule, true_size
from avloc.features.wavefile import read_wave
from avloc.resize import resize

Method = Callable[[np.ndarray, np.ndarray, int, float | None], np.ndarray]
RATE = 32_000
TURN = 2.0  # seconds that a thing sounds before the other one does
SOON = 0.5  # seconds after a turn by which the map should have followed
LATE = 0.3  # seconds before the end of a turn, when it should long be right


@dataclass(frozen=True)
class Listening:
    """On mixtures, an entry for each: whether the map's top tenth lies mostly in the right photo,
    and cIoU of the right object under the true-size rule."""

    right: np.ndarray
    true_size: np.ndarray


@dataclass(frozen=True)
class Finding:
    """On photos or video moments, an entry for each: cIoU under the true-size and median rules."""

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


def on_photos(method: Method, items: Sequence[Single]) -> Finding:
    """Score `method` on held-out photos, each with a sound of something in it."""
    sized, halved = [], []
    for item in items:
        values = method(item.picture(), read_wave(item.sound.path, RATE), RATE, None)
        values = resize(values, (GRID, GRID))
        truth = box_mask(item.boxes())
        sized.append(true_size(values, truth))
        halved.append(median_rule(values, truth))
    return Finding(np.array(sized), np.array(halved))


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


@dataclass(frozen=True)
class Following:
    """On scenes where two things sound in turn, an entry for each.

    `told`: the map lies on the thing that sounds, late in the one turn and late in the next.
    `soon`: it also does so `SOON` seconds after the turn.
    """

    told: np.ndarray
    soon: np.ndarray


def turning_scenes(count: int = 40, first: int = 0) -> list[Scene]:
    """Scenes in which one thing sounds for `TURN` seconds and then another."""
    return [Scene.turns(first + k, seconds=2 * TURN, each=TURN) for k in range(count)]


def on_turns(method: Method, items: Sequence[Scene]) -> Following:
    """Whether the map of `method` follows the sound from one thing to the other."""
    told, soon = [], []
    for scene in items:
        wave = scene.wave(RATE)
        times = [TURN - LATE, TURN + SOON, 2 * TURN - LATE]
        before, between, after = (_on_source(method, scene, wave, time) for time in times)
        told.append(before and after)
        soon.append(before and between and after)
    return Following(np.array(told), np.array(soon))


def _on_source(method: Method, scene: Scene, wave: np.ndarray, time: float) -> bool:
    """Whether the map is greater somewhere in what sounds than anywhere in what does not."""
    values = method(scene.frame(time), wave, RATE, time)
    tops = [(greatest(values, np.array(s.box)), s.sounds) for s in scene.truth(time)]
    return max(tops)[1]
