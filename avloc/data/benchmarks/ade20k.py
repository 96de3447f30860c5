"""The sound-prompted part of ADE20K (Hamilton et al. 2024, DenseAV).

`ADE20KSoundPrompted/prompted_segmentation.csv` has a row for each thing: `image_location`, below
`frames` and, with `_seg.png` for `.jpg`, below `annotations`; `vggsound_file`, of which the name is
found below `audio`; and `ade_class_id`. Rows without a sound, and those of class 0, belong to other
prompts (DenseAV `AVDatasets.py`). Pictures and truth are the middle squares of the files.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import numpy as np

from avloc.data.benchmarks.checking import benchmark
from avloc.data.benchmarks.masks import locate
from avloc.data.benchmarks.sources import find_list, rows
from avloc.data.benchmarks.types import Benchmark, Item, Problem
from avloc.errors import DataError

FILE = "prompted_segmentation.csv"
FOLDER = "ADE20KSoundPrompted"
COLUMNS = ("image_location", "vggsound_file", "ade_class_id")
NOTHING = frozenset({"", "nan", "NaN", "NA", "N/A", "null", "None"})
"""Cells that pandas, which the authors read the table with, takes for empty."""


def read_sound_prompted(path: Path) -> Benchmark:
    """An item a picture and class, `PICTURE#CLASS`; those of one picture have a `group` in common.

    Args:
        path: the table or a folder with it.
    """
    path = find_list(path, FILE, f"{FOLDER}/{FILE}")
    head, *lines = rows(path) or [[]]
    lacking = [name for name in COLUMNS if name not in head]
    if lacking:
        raise DataError(f"{path}: no column {lacking[0]!r} in its first line")
    columns = [head.index(name) for name in COLUMNS]
    items, problems = [], []
    for number, line in enumerate(lines, start=2):
        where = f"{path.name}: row {number}"
        if len(line) != len(head):
            problems.append(Problem(where, f"{len(line)} cells under {len(head)} headings"))
            continue
        picture, sound, class_ = (line[column] for column in columns)
        kind = _class(class_)
        if sound in NOTHING or kind == 0:
            continue
        if kind is None:
            problems.append(Problem(where, f"ade_class_id is not a whole number: {class_!r:.60}"))
            continue
        items.append(_item(picture, sound, kind, path.parent, problems))
    return benchmark("ade20k-sound", items, [path], problems)


def _class(text: str) -> int | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return int(number) if number.is_integer() and number >= 0 else None


def _item(picture: str, sound: str, kind: int, folder: Path, problems: list[Problem]) -> Item:
    stem = PurePosixPath(picture).stem
    name = f"{stem}#{kind}"
    listed = f"annotations/{picture.removesuffix('.jpg')}_seg.png"
    mask = locate(listed, folder)
    if mask is None:
        problems.append(Problem(name, f"no mask {listed} under {folder}"))
    media = {"frame": f"frames/{picture}", "sound": f"audio/{PurePosixPath(sound).name}"}
    return Item(
        name,
        np.zeros((0, 4)),
        (1, 1),
        label=str(kind),
        group=stem,
        mask=mask,
        mask_class=kind,
        media=media,
    )
