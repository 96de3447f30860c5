"""The index files of the photos, recordings and video moments that the bundled model uses."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from avloc.data.concepts import Concepts
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


def read_index(root: Path, name: str) -> list[dict[str, Any]]:
    """The rows of one index file under `root`."""
    path = root / name
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(f"{path}: no such index; pass the data folder with --data") from None
    except ValueError as error:
        raise DataError(f"{path}: not JSON ({error})") from error
    if not isinstance(rows, list):
        raise DataError(f"{path}: expected a list of rows")
    return rows


def _allowed(licence: str, free: set[str], licences: Licences) -> bool:
    if licences == "free":
        return licence in free
    return "unknown" not in licence and "NoDerivs" not in licence


def _boxes(rows: list[list[float]]) -> np.ndarray:
    return np.clip(np.array(rows, np.float64).reshape(-1, 4), 0, 1)


def photos(
    root: Path, concepts: Concepts, licences: Licences | None, held_out: bool = False
) -> list[Photo]:
    """The photos for training under `licences`, or the held-out COCO photos (any licence)."""
    rows = read_index(root, "images.json")
    coco = [row["file"] for row in rows if row["source"] == "coco2017"]
    reserved = set(coco[::HELD_OUT])
    found = []
    for row in rows:
        if (row["file"] in reserved) != held_out:
            continue
        if licences and not _allowed(row["licence"], FREE_PHOTOS, licences):
            continue
        found.append(_photo(root, row, concepts))
    return found


def _photo(root: Path, row: dict[str, Any], concepts: Concepts) -> Photo:
    path = root / row["file"]
    if row["source"] == "coco2017":
        names = tuple(thing["label"] for thing in row["objects"])
        kinds = tuple(concepts.photos.get(("coco", name), ()) for name in names)
        boxes = _boxes([thing["box"] for thing in row["objects"]])
        present = tuple(sorted({k for kind in kinds for k in kind}))
        return Photo(path, "coco", boxes, kinds, present, True, names)
    if "imagenet_index" in row:
        kind, source = concepts.of_imagenet(row["imagenet_index"]), "imagenet"
    else:
        source = "imagehear" if row["source"] == "ImageHear" else "caltech101"
        kind = concepts.photos.get((source, row["label"]), ())
    boxes = _boxes(row["boxes"])
    return Photo(path, source, boxes, (kind,) * len(boxes), kind, False, (row["label"],))


def source_recording(row: dict[str, Any]) -> str:
    """UrbanSound8K cuts several clips from one recording: the number that begins the name."""
    return Path(row["file"]).name.split("-")[0]


def recordings(
    root: Path, concepts: Concepts, licences: Licences | None, held_out: bool = False
) -> list[Recording]:
    """The recordings for training under `licences`, or the held-out ones."""
    rows = read_index(root, "sounds.json")
    urban = {source_recording(row) for row in rows if row["source"] == "UrbanSound8K"}
    reserved = set(sorted(urban, key=int)[::HELD_OUT])
    found = []
    for row in rows:
        kept = row["source"] == "ESC-10" and row["fold"] == HELD_OUT
        kept |= row["source"] == "UrbanSound8K" and source_recording(row) in reserved
        if kept != held_out:
            continue
        if licences and not _allowed(row["licence"], FREE_SOUNDS, licences):
            continue
        kind = concepts.recordings.get(row["label"], ())
        found.append(Recording(root / row["file"], row["source"], row["label"], kind))
    return found


def moments(root: Path) -> list[Moment]:
    """The annotated video moments."""
    return [
        Moment(
            row["id"],
            root / row["frame"],
            root / row["sound"],
            _boxes(row["boxes"]),
            row["scored"],
            row["label"],
        )
        for row in read_index(root, "wild_dev.json")
    ]
