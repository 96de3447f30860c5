"""IS3 (Senocak et al. 2024, arXiv 2407.13676): 3,240 made pictures of two things that both sound.

`synthetic3240_bbox.json` has a row for each of the two: `THING_THING_NUMBER_SOUNDING.jpg`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

from avloc.data.benchmarks import alignment
from avloc.data.benchmarks.checking import benchmark
from avloc.data.benchmarks.sources import find_list
from avloc.data.benchmarks.types import Benchmark, Problem

FILES = ("synthetic3240_bbox.json", "synthetic3240_seg.json")


def read_is3(path: Path, masks: Path | None = None) -> Benchmark:
    """IS3; items of one picture have a `group` in common and the sounding thing as `label`.

    Args:
        path: the list or a folder with it.
        masks: the folder that the masks of `synthetic3240_seg.json` lie under.
    """
    path = find_list(path, *FILES)
    items, problems = alignment.annotated(path, masks)
    items = [replace(item, label=item.id.rpartition("_")[2]) for item in items]
    for group, count in Counter(item.group for item in items).items():
        if count != 2:
            problems.append(Problem(group, f"{count} objects in this picture instead of two"))
    return benchmark("is3", items, [path], problems)
