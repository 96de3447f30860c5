"""Synthetic scenes as training pictures with sounds of their own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from avloc.data.composites import Composite
from avloc.data.concepts import Concepts
from avloc.data.synthetic import Scene
from avloc.data.synthetic_classes import CLASSES
from avloc.features.windows import window_at

SECONDS = 4.0
MOMENTS = 2  # pictures taken of a scene: painting its backdrop and its sound costs most
LAST_SEED = 1_000_000  # seeds from here on are for measuring


@dataclass(frozen=True)
class Sounding:
    """A moment of a scene.

    Attributes:
        picture: the frame; things are in rows of their own, after those of the concepts.
        wave: (n,) float32, the sound around the moment.
        where: (h, w) float32, share of each cell that belongs to what sounds.
        rows: the rows of the classes that sound.
        relatives: the concepts that make such a sound in real life.
    """

    picture: Composite
    wave: np.ndarray
    where: np.ndarray
    rows: tuple[int, ...]
    relatives: tuple[int, ...]


class SyntheticSource:
    """Moments of random scenes."""

    def __init__(self, concepts: Concepts, tags: list[str], rate: int, seconds: float) -> None:
        self.concepts = len(concepts)
        self.names = list(CLASSES)
        self.rate = rate
        self.seconds = seconds
        # Looser names of a class (an alarm clock's "Beep") belong to other things as well.
        self.relatives = {
            name: tuple(np.flatnonzero(concepts.sound[:, tags.index(kind.audioset[0])]).tolist())
            for name, kind in CLASSES.items()
        }

    @property
    def rows(self) -> int:
        """Rows of truth that a composite needs: the concepts and the synthetic classes."""
        return self.concepts + len(self.names)

    def __call__(self, rng: Generator, size: tuple[int, int], count: int) -> list[Sounding]:
        """`count` moments, pictures of `size` = (height, width)."""
        found: list[Sounding] = []
        while len(found) < count:
            scene = Scene.random(
                int(rng.integers(LAST_SEED)),
                objects=int(rng.integers(2, 4)),
                seconds=SECONDS,
                height=size[0],
                width=size[1],
            )
            times = np.arange(0.3, SECONDS - 0.3, 0.1)
            audible = [t for t in times if any(state.sounds for state in scene.truth(t))]
            wave = scene.wave(self.rate)
            for time in rng.permutation(audible)[: min(MOMENTS, count - len(found))]:
                found.append(self._moment(scene, wave, float(time)))
        return found

    def _moment(self, scene: Scene, wave: np.ndarray, time: float) -> Sounding:
        picture = Composite(scene.frame(time), self.rows)
        scale = np.array([scene.width, scene.height] * 2)
        where = np.zeros_like(picture.things)
        heard: set[str] = set()
        for state in scene.truth(time):
            box = np.array(state.box) * scale
            picture.add(box, (self.concepts + self.names.index(state.name),))
            for relative in self.relatives[state.name]:
                picture.unsure[relative] |= picture.cover(box) > 0
            if state.sounds:
                where = np.maximum(where, picture.cover(box))
                heard.add(state.name)
        return Sounding(
            picture,
            window_at(wave, self.rate, time, self.seconds),
            where,
            tuple(self.concepts + self.names.index(name) for name in sorted(heard)),
            tuple(sorted({k for name in heard for k in self.relatives[name]})),
        )
