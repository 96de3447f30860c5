"""The pictures and sounds of a benchmark's items, made ready for a network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image

from avloc.data.benchmarks.masks import UNREADABLE, middle_square
from avloc.data.benchmarks.types import Item
from avloc.errors import AvlocError, DataError
from avloc.inference.engine import Engine
from avloc.media.reader import VideoReader
from avloc.media.sound import read_wave


@dataclass(frozen=True, eq=False)
class Question:
    """An item as a network takes it.

    Attributes:
        id: of the item.
        prepared: (3, h, w), the picture.
        windows: (k, n) float32, stretches of the sound that are evidence together.
        fault: why there is neither; "" where there are both.
    """

    id: str
    prepared: np.ndarray
    windows: np.ndarray
    fault: str = ""


Sound = Callable[[Item, int], np.ndarray]
"""What an item is heard with at a rate in Hz, (n,) float32."""


def ask(engine: Engine, item: Item, sound: Sound | None = None) -> Question:
    """Read an item's files, and take of them what the method's own evaluation takes.

    `sound` is heard in place of its own.
    """
    try:
        frames = _frames(item, 2 if engine.moving else 1)
        if item.mask_class is not None:
            frames = [middle_square(frame) for frame in frames]
        wave = (sound or own_sound)(item, engine.rate)
    except AvlocError as error:
        return Question(item.id, np.zeros(0), np.zeros(0), str(error))
    return Question(item.id, engine.prepare_item(*frames), engine.excerpts(wave))


def lacks(item: Item) -> str:
    """Which file an item has not got, as a line; "" where it has all it needs."""
    if "clip" in item.media:
        return ""
    return next((f"no {kind}" for kind in ("frame", "sound") if not _is_there(item, kind)), "")


def _is_there(item: Item, kind: str) -> bool:
    return kind in item.media and Path(item.media[kind]).is_file()


def _frames(item: Item, most: int) -> list[np.ndarray]:
    """The frame, and where it comes from a clip, up to `most` from there."""
    if _is_there(item, "frame"):
        path = Path(item.media["frame"])
        try:
            with Image.open(path) as picture:
                return [np.asarray(picture.convert("RGB"))]
        except UNREADABLE as error:
            raise DataError(f"{path}: cannot be read as a picture ({error})") from error
    path = _clip(item, "frame")
    if item.moment is None:
        raise DataError(f"{path}: nobody says which frame of it; put a frame beside it")
    with VideoReader(path, item.moment) as reader:
        # Not `reader.first`, which may be a frame before, that decoding has to begin at.
        return [reader.rgb(shown.picture) for shown in islice(reader, most)]


def own_sound(item: Item, rate: int) -> np.ndarray:
    """The sound that belongs to an item, mixed with another one where the list says so."""
    paths = [Path(item.media["sound"]) if _is_there(item, "sound") else _clip(item, "sound")]
    if "mixed_with" in item.media:
        paths.append(Path(item.media["mixed_with"]))
    waves = [read_wave(path, rate)[0] for path in paths]
    if not all(len(wave) for wave in waves):
        raise DataError(f"{paths[0]}: no sound in it")
    length = max(map(len, waves))
    mixed = np.mean([np.pad(wave, (0, length - len(wave))) for wave in waves], axis=0)
    return mixed.astype(np.float32)


def _clip(item: Item, kind: str) -> Path:
    if "clip" not in item.media:
        raise DataError(f"{item.id}: no {kind}, and no clip to take it from; add the file")
    return Path(item.media["clip"])
