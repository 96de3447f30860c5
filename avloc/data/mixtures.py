"""Validation items of photos and sounds that are held out of training.

Mixtures ask whether a model listens: two photos side by side, and the sound of one of them; the
same picture comes with the sound of its left and of its right half. Single photos with a sound of
something in them ask how well it marks what it finds.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from avloc.data.concepts import Concepts
from avloc.data.wild import Photo, Recording, photos, recordings
from avloc.errors import DataError

SIDE = 320  # pixels of each photo
LEAST_AREA = 0.03  # of its photo that an object must cover

VEHICLES = ("car", "truck", "bus")
SEEN_WITH = {
    "dog bark": ("dog",),
    "baby cry": ("person",),
    "sneeze": ("person",),
    "children playing": ("person",),
    "clock tick": ("clock",),
    "car horn": VEHICLES,
    "engine idling": (*VEHICLES, "motorcycle"),
    "siren": VEHICLES,
}


@dataclass(frozen=True)
class Mixture:
    """Two photos, which of them sounds (0 left, 1 right), and its sound."""

    photos: tuple[Photo, Photo]
    side: int
    sound: Recording

    def picture(self) -> np.ndarray:
        """(SIDE, 2 SIDE, 3) uint8."""
        halves = []
        for photo in self.photos:
            with Image.open(photo.path) as image:
                whole = image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BICUBIC)
            halves.append(np.asarray(whole))
        return np.concatenate(halves, axis=1)

    def boxes(self) -> np.ndarray:
        """The boxes (n, 4) of what sounds, in 0..1 of the whole picture."""
        kept = sounding(self.photos[self.side], self.sound.label)
        return kept * [0.5, 1, 0.5, 1] + [0.5 * self.side, 0, 0.5 * self.side, 0]


@dataclass(frozen=True)
class Single:
    """A photo and the sound of something in it."""

    photo: Photo
    sound: Recording

    def picture(self) -> np.ndarray:
        """(H, W, 3) uint8."""
        with Image.open(self.photo.path) as image:
            return np.asarray(image.convert("RGB"))

    def boxes(self) -> np.ndarray:
        """The boxes (n, 4) of what sounds, in 0..1."""
        return sounding(self.photo, self.sound.label)


def sounding(photo: Photo, label: str) -> np.ndarray:
    """The boxes of a photo's objects that make the sound."""
    return photo.boxes[[name in SEEN_WITH[label] for name in photo.labels]]


def covered(boxes: np.ndarray) -> float:
    """The share of a picture inside any of `boxes` (n, 4)."""
    grid = np.zeros((100, 100), bool)
    for x0, y0, x1, y1 in np.rint(boxes * 100).astype(int):
        grid[y0:y1, x0:x1] = True
    return float(grid.mean())


def _pool(root: Path, concepts: Concepts) -> dict[str, tuple[list[Photo], list[Recording]]]:
    """For each sound the photos of what makes it and its recordings, all held out."""
    held_photos = photos(root, concepts, None, held_out=True)
    held_sounds = recordings(root, concepts, None, held_out=True)
    pool: dict[str, tuple[list[Photo], list[Recording]]] = {}
    for label in sorted(SEEN_WITH):
        seen = [p for p in held_photos if covered(sounding(p, label)) > LEAST_AREA]
        heard = [r for r in held_sounds if r.label == label]
        if seen and heard:
            pool[label] = seen, heard
    return pool


def singles(root: Path, concepts: Concepts, each: int = 40, seed: int = 0) -> list[Single]:
    """At most `each` held-out photos for every sound, with one recording of it each."""
    rng = random.Random(seed)
    return [
        Single(photo, rng.choice(heard))
        for seen, heard in _pool(root, concepts).values()
        for photo in rng.sample(seen, min(each, len(seen)))
    ]


def mixtures(root: Path, concepts: Concepts, count: int = 300, seed: int = 0) -> list[Mixture]:
    """`count` mixtures; neighbours share their picture and have the sounds swapped."""
    pool = _pool(root, concepts)
    if len(pool) < 2:
        raise DataError(f"{root}: mixtures need held-out photos and recordings of two classes")
    rng = random.Random(seed)
    found: list[Mixture] = []
    while len(found) < count:
        labels = rng.sample(sorted(pool), 2)
        pair = (rng.choice(pool[labels[0]][0]), rng.choice(pool[labels[1]][0]))
        sounds = [rng.choice(pool[label][1]) for label in labels]
        if any(len(sounding(pair[1 - i], labels[i])) for i in (0, 1)):
            continue  # both photos show what sounds: no right answer
        found += [Mixture(pair, side, sounds[side]) for side in (0, 1)]
    return found[:count]
