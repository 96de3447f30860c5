"""Perceptual hashes of pictures: equal bits for what looks equal (DCT signs, "pHash").

Copies of 300 photos (JPEG of quality 20, squashed to 224x224, or shrunk to 64x48) differed in at
most 12 of 143 bits; copies cropped by 2 % a side in 14 on average, so not all of them are found. Of
1.9 million pairs of different photo files, 5 differed in 12 bits or fewer, and the next in 18.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.fft import dctn

from avloc.data.benchmarks.masks import UNREADABLE
from avloc.errors import DataError
from avloc.media.reader import VideoReader

SIDE = 48  # pixels a side that a picture is shrunk to
WAVES = 12  # lowest frequencies a side whose signs are kept
BITS = WAVES * WAVES - 1  # all but the mean
NEAR = 12  # bits in which two copies of one picture may differ
PLAIN = 4.0  # standard deviation of grey, of 255, below which a picture shows nothing
STEP = 1.0  # seconds between frames of a clip that are compared
JITTER = 5e-3  # seconds by which frames may come early, as containers round
CHUNK = 2048  # pictures compared at a time


def read_hash(path: Path) -> np.ndarray | None:
    """The hash of a picture file; None where it is plain.

    Raises:
        DataError: it cannot be read.
    """
    try:
        with Image.open(path) as file:
            file.draft("L", (SIDE, SIDE))
            return picture_hash(file)
    except UNREADABLE as error:
        raise DataError(f"{path}: cannot be read ({error})") from error


def clip_hashes(path: Path) -> np.ndarray:
    """The hashes (n, `BITS`) of a clip's frames at 0, 1, 2, ... seconds that are not plain.

    Raises:
        MediaError: it cannot be read.
    """
    hashes = []
    with VideoReader(path) as reader:
        due = 0.0
        for shown in reader:
            if shown.time < due - JITTER:
                continue
            due += STEP
            found = picture_hash(Image.fromarray(reader.rgb(shown.picture)))
            if found is not None:
                hashes.append(found)
    return np.array(hashes, bool).reshape(-1, BITS)


def picture_hash(picture: Image.Image) -> np.ndarray | None:
    """`BITS` booleans; None for a plain picture, since all of those would look the same."""
    grey = picture.convert("L").resize((SIDE, SIDE), Image.Resampling.BOX)
    pixels = np.asarray(grey, np.float64)
    if pixels.std() < PLAIN:
        return None
    waves = dctn(pixels, norm="ortho")[:WAVES, :WAVES].ravel()[1:]
    return waves > np.median(waves)


def near(one: np.ndarray, other: np.ndarray, limit: int = NEAR) -> Iterator[tuple[int, int, int]]:
    """Pairs of two sets of hashes that differ in at most `limit` bits.

    Args:
        one: (n, bits) booleans.
        other: (m, bits) booleans.
        limit: how many bits may differ.

    Yields:
        Index in `one`, index in `other`, bits that differ.
    """
    # Bits as +1 and -1 make the number of equal ones a matrix product.
    right = np.where(other, np.float32(1), np.float32(-1)).T
    for start in range(0, len(one), CHUNK):
        left = np.where(one[start : start + CHUNK], np.float32(1), np.float32(-1))
        for begin in range(0, len(other), CHUNK):
            differ = (one.shape[1] - left @ right[:, begin : begin + CHUNK]) / 2
            for i, j in np.argwhere(differ <= limit):
                yield start + int(i), begin + int(j), round(float(differ[i, j]))
