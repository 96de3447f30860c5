"""Pictures and sounds that belong together, or do not: what a confidence is fitted to."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from avloc.data.concepts import Concepts
from avloc.data.mixtures import LEAST_AREA, SEEN_WITH, covered, sounding
from avloc.data.wild import photos, recordings
from avloc.errors import DataError
from avloc.features.wavefile import read_wave

FAINT = 1e-3  # root mean square of the noise of a nearly silent track: -60 dB of full scale


@dataclass(frozen=True)
class Pair:
    """A picture and a sound.

    Attributes:
        kind: ``matched``, ``mismatched`` (what sounds is not in the picture) or ``silent``.
        photo: path of the picture.
        sound: path of the recording; None for faint noise.
        seed: of the noise.
    """

    kind: str
    photo: Path
    sound: Path | None
    seed: int

    def frame(self) -> np.ndarray:
        """(H, W, 3) uint8."""
        with Image.open(self.photo) as image:
            return np.asarray(image.convert("RGB"))

    def wave(self, rate: int, length: int) -> np.ndarray:
        """(n,) float32 at `rate`; a recording whole, noise of `length` samples."""
        if self.sound is not None:
            return read_wave(self.sound, rate)
        noise = np.random.default_rng(self.seed).standard_normal(length)
        return (FAINT * noise).astype(np.float32)


def held_out_pairs(root: Path, concepts: Concepts, count: int = 200, seed: int = 0) -> list[Pair]:
    """`count` pairs of each kind from held-out photos and recordings, shuffled."""
    rng = random.Random(seed)
    shown = photos(root, concepts, None, held_out=True)
    heard = [r for r in recordings(root, concepts, None, held_out=True) if r.label in SEEN_WITH]
    found: list[Pair] = []
    # Classes evenly: most photos show people, most recordings are dogs.
    labels = sorted({row.label for row in heard})
    rows = {label: [row for row in heard if row.label == label] for label in labels}
    fits = {
        label: [p for p in shown if covered(sounding(p, label)) > LEAST_AREA] for label in labels
    }
    lacks = {label: [p for p in shown if not len(sounding(p, label))] for label in labels}
    labels = [label for label in labels if fits[label] and lacks[label]]
    if not labels:
        raise DataError(f"{root}: no held-out photo shows what a held-out recording is of")
    for number in range(count):
        label = labels[number % len(labels)]
        sound = rng.choice(rows[label]).path
        found.append(Pair("matched", rng.choice(fits[label]).path, sound, number))
        found.append(Pair("mismatched", rng.choice(lacks[label]).path, sound, number))
        found.append(Pair("silent", rng.choice(shown).path, None, number))
    rng.shuffle(found)
    return found
