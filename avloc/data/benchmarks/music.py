"""MUSIC solos and duets in the boxes of DSOL (Hu et al. 2020, arXiv 2010.05466).

`music_solo.json` has rows `{"file": VIDEO_SEGMENT_FRAME, "class", "bbox"}`, `music_duet.json` has
`class_src1`, `bbox_src1`, `class_src2`, `bbox_src2`. Boxes are x, y, width and height in fractions.
AVGN and what came from it read them as corners, which leaves most of them without area:
`corners=True` repeats that.
"""

from __future__ import annotations

from pathlib import Path

from avloc.data.benchmarks.checking import benchmark, box_list
from avloc.data.benchmarks.sources import find_list
from avloc.data.benchmarks.types import Benchmark, Item, Problem
from avloc.data.index import index_rows

SOLO = ("music_solo.json", "solotest.json")
DUET = ("music_duet.json", "duettest.json")
TAIL = len("_000_00000")


def read_solo(path: Path, corners: bool = False) -> Benchmark:
    """MUSIC solo: one instrument a frame.

    Args:
        path: the list or a folder with it.
        corners: take the four numbers for corners, as AVGN does.
    """
    path = find_list(path, *SOLO)
    items, problems = [], []
    for row in index_rows(path.parent, path.name):
        name = row.get("file", str)
        boxes, told = box_list([row.values.get("bbox")], size=not corners)
        problems += [Problem(name, what) for what in told]
        label = row.text("class")
        items.append(Item(name, boxes, (1, 1), label=label, media=_media(name)))
    return benchmark("music-solo", items, [path], problems)


def read_duet(path: Path, corners: bool = False) -> Benchmark:
    """MUSIC duet: two items a frame, `FILE#1` and `FILE#2`, in one group; the sound is of both."""
    path = find_list(path, *DUET)
    items, problems = [], []
    for row in index_rows(path.parent, path.name):
        name = row.get("file", str)
        for source in (1, 2):
            id_ = f"{name}#{source}"
            boxes, told = box_list([row.values.get(f"bbox_src{source}")], size=not corners)
            problems += [Problem(id_, what) for what in told]
            label = row.text(f"class_src{source}")
            items.append(Item(id_, boxes, (1, 1), label=label, group=name, media=_media(name)))
    return benchmark("music-duet", items, [path], problems)


def _media(name: str) -> dict[str, str]:
    """The frame, and the video whose sound it goes with (AVGN `datasets.py`)."""
    return {"frame": name, "sound": name[:-TAIL] if len(name) > TAIL else name}
