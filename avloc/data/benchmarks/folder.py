"""Any folder with a small JSON: the way to bring truth of one's own.

A list of rows; only `id` and `boxes` (or `mask`) are needed:

    [{"id": "dog_1", "frame": "frames/dog_1.jpg", "sound": "sounds/dog_1.flac", "label": "dog",
      "boxes": [[0.1, 0.2, 0.5, 0.9]], "visible": true}]

Files are relative to the JSON. `boxes` are x0 y0 x1 y1 in fractions of the picture, or in pixels
where `scale: [width, height]` says so. `"visible": false`: no source is in the picture. More keys:
`mask`, `group`, `votes` (who drew each box), `kind`, `clip`, `time` (seconds from the start of the
sound to the frame) or `clip_time` and `sound_start` (of frame and sound in the clip), and `scored`:
rows with `"scored": false` are left out unless they are negatives.
"""

from __future__ import annotations

from os.path import isfile
from pathlib import Path

import numpy as np

from avloc.data.benchmarks.checking import benchmark, box_list
from avloc.data.benchmarks.sources import find_list
from avloc.data.benchmarks.types import Benchmark, Item, Problem
from avloc.data.index import Row, index_rows
from avloc.errors import DataError

FILES = ("benchmark.json", "wild_dev.json")
MEDIA = ("frame", "sound", "clip")
GREATEST = 1e9  # of any number of pixels, seconds or voters


def read_folder(path: Path, unscored: bool = False) -> Benchmark:
    """A folder's own list.

    Args:
        path: the JSON, or a folder with a `benchmark.json` (or `wild_dev.json`).
        unscored: read rows with `"scored": false` too.
    """
    path = find_list(path, *FILES)
    items, problems = [], []
    for row in index_rows(path.parent, path.name):
        item, told = _item(row)
        if not unscored and row.values.get("scored") is False and item.sounds:
            continue
        items.append(item)
        problems += [Problem(item.id, what) for what in told]
    return benchmark(path.stem, items, [path], problems)


def _item(row: Row) -> tuple[Item, list[str]]:
    name = row.get("id", str)
    boxes, told = box_list(row.values.get("boxes", []))
    mask = row.root / row.get("mask", str) if "mask" in row else None
    if mask is not None and not isfile(mask):
        told.append(f"no mask {mask}")
        mask = None
    marked = bool(len(boxes)) or mask is not None
    media = {key: row.get(key, str) for key in MEDIA if key in row}
    for key, file in media.items():
        if not isfile(row.root / file):
            told.append(f"no {key} {row.root / file}")
    item = Item(
        name,
        boxes,
        _scale(row),
        votes=_votes(row, len(boxes), told),
        label=row.text("label"),
        group=row.text("group"),
        sounds=row.get("visible", bool) if "visible" in row else marked,
        mask=mask,
        media=media,
        time=_time(row),
        clip_time=_seconds(row, "clip_time") if "clip_time" in row else None,
        kind=row.text("kind"),
    )
    return item, told


def _scale(row: Row) -> tuple[float, float]:
    if "scale" not in row:
        return (1.0, 1.0)
    values = row.get("scale", list)
    if len(values) != 2 or not all(_is_number(value) and value > 0 for value in values):
        raise DataError(f"{row.where}: 'scale': expected [width, height], got {values!r:.60}")
    return (float(values[0]), float(values[1]))


def _votes(row: Row, count: int, told: list[str]) -> np.ndarray | None:
    if "votes" not in row:
        return None
    votes = row.get("votes", list)
    if len(votes) != count or not all(_is_number(v) and v == int(v) for v in votes):
        told.append("votes are not a whole number for each box; they are not used")
        return None
    return np.array(votes, int)


def _time(row: Row) -> float | None:
    if "time" in row:
        return _seconds(row, "time")
    if "clip_time" in row and "sound_start" in row:
        return _seconds(row, "clip_time") - _seconds(row, "sound_start")
    return None


def _seconds(row: Row, key: str) -> float:
    value = row.values[key]
    if not _is_number(value):
        raise DataError(f"{row.where}: {key!r}: expected seconds, got {value!r:.60}")
    return float(value)


def _is_number(value: object) -> bool:
    """Whether it is one that can be, rather than NaN, infinity or beyond all measure."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) < GREATEST
