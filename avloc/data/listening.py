"""Training sounds: windows of recordings, mixed and made noisy, and made-up class probabilities."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.random import Generator

from avloc.data.concepts import Concepts
from avloc.data.wild import Recording
from avloc.features.wavefile import read_wave


class Recordings:
    """Waves by path, read once and kept as 16-bit integers."""

    def __init__(self, rate: int, seconds: float) -> None:
        self.rate = rate
        self.length = round(rate * seconds)
        self._waves: dict[Path, np.ndarray] = {}

    def wave(self, path: Path) -> np.ndarray:
        """The whole recording (n,) float32 at `rate`."""
        if path not in self._waves:
            # Resampling overshoots full scale, and integers wrap around there.
            wave = np.clip(read_wave(path, self.rate), -1, 1)
            self._waves[path] = (wave * 32767).astype(np.int16)
        return self._waves[path].astype(np.float32) / 32767

    def window(self, path: Path, rng: Generator) -> np.ndarray:
        """A window where something is heard: the loudest of three tries; short waves are tiled."""
        wave = self.wave(path)
        if len(wave) <= self.length:
            return np.resize(wave, self.length)
        starts = rng.integers(0, len(wave) - self.length, 3)
        tries = [wave[start : start + self.length] for start in starts]
        return tries[int(np.argmax([np.square(part).sum() for part in tries]))]


def augmented(wave: np.ndarray, rng: Generator, background: np.ndarray | None = None) -> np.ndarray:
    """Another loudness, some noise, perhaps another sound 5 to 25 dB below."""
    wave = wave / max(float(np.abs(wave).max()), 1e-4) * rng.uniform(0.05, 0.9)
    power = max(float(np.mean(np.square(wave))), 1e-10)
    if background is not None:
        under = max(float(np.mean(np.square(background))), 1e-10)
        below = 10 ** (-rng.uniform(5, 25) / 10)
        wave = wave + background * np.sqrt(power / under * below)
    if rng.random() < 0.5:
        noise = rng.standard_normal(len(wave)).astype(np.float32)
        wave = wave + noise * np.sqrt(power * 10 ** (-rng.uniform(15, 45) / 10))
    return np.clip(wave, -1, 1).astype(np.float32)


def made_up(concepts: Concepts, concept: int, rng: Generator) -> np.ndarray:
    """Class probabilities (tags,) as the sound network could give for a concept.

    No recording stands behind them: they teach the image side the classes that the training
    sounds lack. One class leads, its relatives follow, a few others are faintly there.
    """
    tags = concepts.sound.shape[1]
    probability = np.zeros(tags, np.float32)
    relatives = np.flatnonzero(concepts.sound[concept])
    if not len(relatives):
        return probability
    followers = relatives[rng.random(len(relatives)) < 0.3]
    probability[followers] = rng.uniform(0, 0.5, len(followers))
    probability[rng.choice(relatives)] = rng.uniform(0.3, 0.95)
    others = rng.integers(0, tags, 4)
    probability[others] = np.maximum(probability[others], rng.uniform(0, 0.1, 4))
    return probability


def recordings_by_concept(rows: list[Recording]) -> dict[int, list[Recording]]:
    """The recordings of each concept that has any."""
    found: dict[int, list[Recording]] = {}
    for row in rows:
        for concept in row.concepts:
            found.setdefault(concept, []).append(row)
    return found
