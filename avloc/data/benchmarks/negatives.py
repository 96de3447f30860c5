"""The extended sets of SLAVC (Mo and Morgado 2022, arXiv 2209.09634): frames with a foreign sound.

`*_test_plus_silent.csv` has rows `video,audio,non-sounding` under a header: the frame of `video`
goes with the sound of `audio`, and nothing in the frame is its source.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from avloc.data.benchmarks import flickr, vggss
from avloc.data.benchmarks.checking import benchmark
from avloc.data.benchmarks.sources import digest, find_list, rows
from avloc.data.benchmarks.types import Benchmark, Item, Problem

VGGSS, FLICKR = "vggss_test_plus_silent.csv", "flickr_test_plus_silent.csv"
MARK = "non-sounding"


def read_vggss_extended(path: Path) -> Benchmark:
    """VGG-SS and as many pairs of a frame with a sound that does not belong to it.

    Args:
        path: a folder with `vggss.json` and the list, or the list with `vggss.json` beside it.
    """
    silent = find_list(path, VGGSS)
    boxed = find_list(silent.parent, *vggss.FILES)
    items, problems = vggss.annotated(boxed)
    extra, told = negatives(silent)
    return benchmark("vggss-extended", [*items, *extra], [boxed, silent], problems + told)


def read_flickr_extended(path: Path) -> Benchmark:
    """The 250 test images of Flickr-SoundNet and as many mismatched pairs.

    Args:
        path: a folder with boxes and list, or the list with the boxes beside it.
    """
    silent = find_list(path, FLICKR)
    boxed = flickr.annotation(silent.parent)
    extra, told = negatives(silent)
    items, problems = flickr.annotated(boxed)
    items, missing = vggss.chosen(items, [item.media["frame"] for item in extra])
    ids = {item.id for item in items}
    told = [problem for problem in problems if problem.id in ids] + missing + told
    sums = [digest(boxed, flickr.xml_files(boxed)), digest(silent)]
    return benchmark("flickr-extended", [*items, *extra], [boxed, silent], told, sums)


def negatives(path: Path) -> tuple[list[Item], list[Problem]]:
    """The pairs in a list, named `VIDEO+AUDIO`, and rows that are none."""
    items, problems = [], []
    for number, row in enumerate(rows(path), start=1):
        if number == 1 and row[:2] == ["video", "audio"]:
            continue
        if len(row) != 3 or row[2] != MARK:
            what = f"not VIDEO,AUDIO,{MARK}: {','.join(row)!r:.60}"
            problems.append(Problem(f"{path.name}: row {number}", what))
            continue
        video, audio = row[:2]
        media = {"frame": video, "sound": audio}
        items.append(Item(f"{video}+{audio}", np.zeros((0, 4)), (1, 1), sounds=False, media=media))
    return items, problems
