"""Decoded photos in memory, with the boxes that people drew or that a network guessed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from avloc.data.wild import Photo
from avloc.errors import DataError

SIDE = 384  # pixels that the longer side is kept at


class Pictures:
    """Photos by path, decoded once.

    Attributes:
        guessed: boxes (4,) in 0..1 for photos whose label has no box.
        crowded: labels of photos in which people may be without a box.
    """

    def __init__(self, crowded: frozenset[str] = frozenset()) -> None:
        self.guessed: dict[Path, np.ndarray] = {}
        self.crowded = crowded
        self._images: dict[Path, Image.Image] = {}

    def image(self, photo: Photo) -> Image.Image:
        """The photo as RGB, at most `SIDE` pixels long."""
        if photo.path not in self._images:
            try:
                with Image.open(photo.path) as file:
                    file.draft("RGB", (SIDE, SIDE))
                    image = file.convert("RGB")
            except OSError as error:
                raise DataError(f"{photo.path}: cannot be read ({error})") from error
            image.thumbnail((SIDE, SIDE), Image.Resampling.BILINEAR)
            self._images[photo.path] = image
        return self._images[photo.path]

    def crop(self, photo: Photo, crop: np.ndarray, size: tuple[int, int], flip: bool) -> np.ndarray:
        """The part `crop` (0..1) of a photo resampled to `size` = (height, width)."""
        image = self.image(photo)
        scale = np.array([*image.size, *image.size])
        x0, y0, x1, y1 = (float(v) for v in crop * scale)
        part = image.resize(
            (size[1], size[0]), Image.Resampling.BILINEAR, (x0, y0, x1, y1), reducing_gap=2.0
        )
        pixels = np.asarray(part)
        return pixels[:, ::-1] if flip else pixels

    def boxes(self, photo: Photo) -> tuple[np.ndarray, tuple[tuple[int, ...], ...]]:
        """The boxes (n, 4) of a photo and their concepts; guessed where nobody drew one."""
        if len(photo.boxes) or photo.path not in self.guessed:
            return photo.boxes, photo.box_concepts
        return self.guessed[photo.path][None], (photo.concepts,)

    def may_show_people(self, photo: Photo) -> bool:
        """Whether people may be in a photo that does not say so."""
        return photo.source in ("imagenet", "imagehear") or photo.labels[0] in self.crowded
