"""The index files of the photos, recordings and video moments that the bundled model uses."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Literal

import numpy as np

from avloc.data.concepts import Concepts
from avloc.data.index import Row, index_rows
from avloc.errors import DataError

Licences = Literal["free", "noncommercial"]
HELD_OUT = 4  # every fourth photo, fold and source recording stays out of training

FREE_PHOTOS = {
    "CC BY 4.0",
    "Attribution License",
    "Attribution-ShareAlike License",
    "No known copyright restrictions",
}
FREE_SOUNDS = {"CC BY 3.0", "free use, not resold as is"}


@dataclass(frozen=True)
class Photo:
    """A photo: boxes (n, 4) in 0..1 clipped to the picture, and the concepts of each box.

    `concepts` without boxes says what is somewhere in the photo. `complete`: every object of the
    known classes is boxed, so what is not boxed is absent.
    """

    path: Path
    source: str
    boxes: np.ndarray
    box_concepts: tuple[tuple[int, ...], ...]
    concepts: tuple[int, ...]
    complete: bool
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Recording:
    """A sound file, the concepts it is the sound of, and what its label is."""

    path: Path
    source: str
    label: str
    concepts: tuple[int, ...]


@dataclass(frozen=True)
class Moment:
    """A video moment that people boxed: for measuring only."""

    id: str
    frame: Path
    sound: Path
    boxes: np.ndarray
    scored: bool
    label: str


def _allowed(licence: str, free: set[str], licences: Licences) -> bool:
    if licences == "free":
        return licence in free
    return "unknown" not in licence and "NoDerivs" not in licence


def photos(
    root: Path, concepts: Concepts, licences: Licences | None, held_out: bool = False
) -> list[Photo]:
    """The photos for training under `licences`, or the held-out COCO photos (any licence)."""
    rows = index_rows(root, "images.json")
    coco = [row.get("file", str) for row in rows if row.get("source", str) == "coco2017"]
    reserved = set(coco[::HELD_OUT])
    found = []
    for row in rows:
        if (row.get("file", str) in reserved) != held_out:
            continue
        if licences and not _allowed(row.get("licence", str), FREE_PHOTOS, licences):
            continue
        found.append(_photo(row, concepts))
    return found


def _photo(row: Row, concepts: Concepts) -> Photo:
    path, source = row.file("file"), row.get("source", str)
    if source == "coco2017":
        things = row.parts("objects")
        names = tuple(thing.get("label", str) for thing in things)
        kinds = tuple(concepts.photos.get(("coco", name), ()) for name in names)
        boxes = np.array([thing.box("box") for thing in things]).reshape(-1, 4)
        present = tuple(sorted({k for kind in kinds for k in kind}))
        return Photo(path, "coco", boxes, kinds, present, True, names)
    label = row.get("label", str)
    if "imagenet_index" in row:
        kind, source = concepts.of_imagenet(row.get("imagenet_index", int)), "imagenet"
    else:
        source = "imagehear" if source == "ImageHear" else "caltech101"
        kind = concepts.photos.get((source, label), ())
    boxes = row.boxes("boxes")
    return Photo(path, source, boxes, (kind,) * len(boxes), kind, False, (label,))


def source_recording(row: Row) -> int:
    """UrbanSound8K cuts several clips from one recording: the number that begins the name."""
    name = PurePath(row.get("file", str)).name
    number = name.partition("-")[0]
    if not number.isdecimal():
        raise DataError(f"{row.where}: 'file': {name!r} does not begin with a recording's number")
    return int(number)


def recordings(
    root: Path, concepts: Concepts, licences: Licences | None, held_out: bool = False
) -> list[Recording]:
    """The recordings for training under `licences`, or the held-out ones."""
    rows = index_rows(root, "sounds.json")
    urban = {source_recording(row) for row in rows if row.get("source", str) == "UrbanSound8K"}
    reserved = set(sorted(urban)[::HELD_OUT])
    found = []
    for row in rows:
        source, label = row.get("source", str), row.get("label", str)
        kept = source == "ESC-10" and row.get("fold", int) == HELD_OUT
        kept |= source == "UrbanSound8K" and source_recording(row) in reserved
        if kept != held_out:
            continue
        if licences and not _allowed(row.get("licence", str), FREE_SOUNDS, licences):
            continue
        kind = concepts.recordings.get(label, ())
        found.append(Recording(row.file("file"), source, label, kind))
    return found


def moments(root: Path) -> list[Moment]:
    """The annotated video moments."""
    return [
        Moment(
            row.get("id", str),
            row.file("frame"),
            row.file("sound"),
            row.boxes("boxes"),
            row.get("scored", bool),
            row.get("label", str),
        )
        for row in index_rows(root, "wild_dev.json")
    ]
