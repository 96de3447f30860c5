"""Training batches: pictures and sounds, each batch a function of the seed and the step alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from torch.utils.data import Dataset

from avloc.data.composites import Composer, Composite
from avloc.data.concepts import Concepts
from avloc.data.listening import Recordings, augmented, made_up, recordings_by_concept
from avloc.data.scenes import SyntheticSource
from avloc.data.wild import Recording
from avloc.errors import DataError

ANYTHING = 0.1  # share of made-up sounds that name nothing: the map should show things in general


@dataclass(frozen=True)
class Batch:
    """What one update sees: b pictures, r waves, m made-up sounds, s = r + m.

    Attributes:
        frames: (b, 3, H, W) uint8.
        waves: (r, n) float32.
        probabilities: (m, tags) float32.
        truth: (s, b, h, w) float32, share of each cell that belongs to what sounds.
        unsure: (s, b, h, w) bool, where that is not known.
    """

    frames: np.ndarray
    waves: np.ndarray
    probabilities: np.ndarray
    truth: np.ndarray
    unsure: np.ndarray


@dataclass(frozen=True)
class Counts:
    """How much of what is in a batch; a share of the pictures are synthetic scenes."""

    pictures: int
    recordings: int
    made_up: int
    synthetic: float


class Batches(Dataset[Batch]):
    """A map-style data set whose items are whole batches.

    Raises:
        DataError: made-up sounds are wanted, and no concept has a sound class.
    """

    def __init__(
        self,
        composer: Composer,
        concepts: Concepts,
        recordings: list[Recording],
        waves: Recordings,
        scenes: SyntheticSource,
        sizes: tuple[tuple[int, int], ...],
        counts: Counts,
        seed: int,
        steps: int,
    ) -> None:
        self.composer = composer
        self.concepts = concepts
        self.recordings = recordings
        self.by_concept = recordings_by_concept(recordings)
        self.waves = waves
        self.scenes = scenes
        self.sizes = sizes
        self.counts = counts
        self.seed = seed
        self.steps = steps
        self._all = np.arange(len(concepts))
        self._voiced = np.flatnonzero(concepts.sound.any(1))
        if counts.made_up and not len(self._voiced):
            raise DataError("the concept table names no sound class, so no sound can be made up")

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, step: int) -> Batch:
        rng = np.random.default_rng((self.seed, step))
        size = self.sizes[rng.integers(len(self.sizes))]
        drawn = int(rng.binomial(self.counts.pictures, self.counts.synthetic))
        pictures = [self.composer(rng, size) for _ in range(self.counts.pictures - drawn)]
        waves: list[np.ndarray] = []
        probabilities: list[np.ndarray] = []
        truth: list[np.ndarray] = []
        unsure: list[np.ndarray] = []
        scenes = self.scenes(rng, size, drawn)
        pictures += [scene.picture for scene in scenes]
        for scene in scenes:
            waves.append(augmented(scene.wave, rng))
            here = next(i for i, one in enumerate(pictures) if one is scene.picture)
            where, doubt = self._where(pictures, scene.rows)
            # A drawn dog's bark may well be a photographed dog's.
            doubt |= self._where(pictures, scene.relatives)[0] > where
            where[here], doubt[here] = scene.where, False
            self._note(truth, unsure, (where, doubt))
        real = pictures[: len(pictures) - drawn]
        present = [np.flatnonzero(one.truth.max((1, 2)) > 0.5) for one in real]
        for _ in range(self.counts.recordings):
            row = self._recording(present, rng)
            waves.append(self._heard(row, rng))
            self._note(truth, unsure, self._where(pictures, row.concepts))
        for _ in range(self.counts.made_up):
            if rng.random() < ANYTHING:
                probabilities.append(self._faint(rng))
                things = np.stack([one.things for one in pictures])
                self._note(truth, unsure, (things, np.zeros(things.shape, bool)))
            else:
                concept = self._concept(present, rng, self._voiced)
                probabilities.append(made_up(self.concepts, concept, rng))
                self._note(truth, unsure, self._where(pictures, (concept,)))
        return Batch(
            np.ascontiguousarray(np.stack([p.canvas for p in pictures]).transpose(0, 3, 1, 2)),
            np.stack(waves),
            np.array(probabilities, np.float32).reshape(-1, self.concepts.sound.shape[1]),
            np.stack(truth),
            np.stack(unsure),
        )

    @staticmethod
    def _note(
        truth: list[np.ndarray], unsure: list[np.ndarray], where: tuple[np.ndarray, np.ndarray]
    ) -> None:
        truth.append(where[0])
        unsure.append(where[1])

    @staticmethod
    def _where(pictures: list[Composite], rows: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
        """Truth and doubt (b, h, w) about any of `rows` in every picture."""
        wanted = list(rows)
        blank = np.zeros_like(pictures[0].things)
        truth = np.stack([np.maximum.reduce([blank, *one.truth[wanted]]) for one in pictures])
        unsure = np.stack([one.unsure[wanted].any(0) for one in pictures])
        return truth, unsure & (truth == 0)

    def _concept(self, present: list[np.ndarray], rng: Generator, among: np.ndarray) -> int:
        """One of the concepts `among`: mostly one that a photographed picture shows."""
        if present:
            shown = np.intersect1d(present[rng.integers(len(present))], among)
            if len(shown) and rng.random() < 0.85:
                return int(rng.choice(shown))
        return int(rng.choice(among))

    def _recording(self, present: list[np.ndarray], rng: Generator) -> Recording:
        """A recording of something shown, as far as there is one."""
        rows = self.by_concept.get(self._concept(present, rng, self._all)) or self.recordings
        return rows[rng.integers(len(rows))]

    def _heard(self, row: Recording, rng: Generator) -> np.ndarray:
        """A window of a recording, sometimes over another one."""
        other = self.recordings[rng.integers(len(self.recordings))]
        under = self.waves.window(other.path, rng) if rng.random() < 0.3 else None
        return augmented(self.waves.window(row.path, rng), rng, under)

    def _faint(self, rng: Generator) -> np.ndarray:
        probability = np.zeros(self.concepts.sound.shape[1], np.float32)
        probability[rng.integers(0, len(probability), 6)] = rng.uniform(0, 0.08, 6)
        return probability
