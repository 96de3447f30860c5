"""AVSBench S4 and MS3 (Zhou et al. 2022, arXiv 2207.05042): five frames a clip of 5 s.

Truth is a mask for each frame: `gt_masks/test/CATEGORY/VIDEO/VIDEO_3.png` for S4 and
`gt_masks/test/VIDEO/VIDEO_3.png` for MS3; `s4_meta_data.csv` and `ms3_meta_data.csv` list the
videos. SSLalignment made boxes of them: `s4_box.json`, `ms3_box.json`. Either will do; with both,
items have both. Frame n is the last of 16 samples of second n, 1/16 s before its end
(AVSBench `preprocess_s4.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np

from avloc.data.benchmarks import alignment
from avloc.data.benchmarks.checking import benchmark
from avloc.data.benchmarks.masks import locate
from avloc.data.benchmarks.sources import find, find_list, rows
from avloc.data.benchmarks.types import Benchmark, Item, Problem
from avloc.errors import DataError

FRAMES = 5
SPLITS = ("train", "val", "test")
LISTS = ("box.json", "seg.json", "meta_data.csv")
_NAME = re.compile(r"(?P<video>.+?)(\.mp4)?_(?P<frame>\d+)")


def read_s4(path: Path, masks: Path | None = None, split: str = "test") -> Benchmark:
    """The single-source set; the five frames of a video have a `group` in common.

    Args:
        path: `s4_box.json`, `s4_seg.json`, `s4_meta_data.csv`, or a folder with one of them.
        masks: the folder that `gt_masks` lies in; by default it is looked for beside the list.
        split: which videos of `s4_meta_data.csv` to read.
    """
    return _read("avsbench-s4", path, "s4", masks, split)


def read_ms3(path: Path, masks: Path | None = None, split: str = "test") -> Benchmark:
    """The multi-source set, whose masks cover all that sounds; arguments as for `read_s4`."""
    return _read("avsbench-ms3", path, "ms3", masks, split)


def _read(name: str, path: Path, short: str, masks: Path | None, split: str) -> Benchmark:
    path = find_list(path, *(f"{short}_{kind}" for kind in LISTS))
    masks = masks or _mask_folder(path.parent, short)
    problems: list[Problem] = []
    if path.suffix == ".csv":
        items = list(_of_table(path, short, split, problems))
    else:
        listed, problems = alignment.annotated(path, masks)
        items = [_in_order(item, problems) for item in listed]
    if masks is not None:
        items = [_with_mask(item, masks, problems) for item in items]
    elif path.suffix == ".csv":
        raise DataError(f"{path}: no folder gt_masks beside it; name it with `masks`")
    return benchmark(name, items, [path], problems)


def _mask_folder(folder: Path, short: str) -> Path | None:
    found = find(folder, "gt_masks", f"{short}_data/gt_masks")
    return found.parent if found else None


def _of_table(path: Path, short: str, split: str, problems: list[Problem]) -> Iterator[Item]:
    """Five items for each video of a split; the first column names it."""
    head, *lines = rows(path)
    columns = {name: number for number, name in enumerate(head)}
    if "split" not in columns:
        raise DataError(f"{path}: no column 'split' in its first line")
    for number, line in enumerate(lines, start=2):
        if len(line) != len(head):
            what = f"{len(line)} cells under {len(head)} headings: {','.join(line)!r:.60}"
            problems.append(Problem(f"{path.name}: row {number}", what))
            continue
        if line[columns["split"]] != split:
            continue
        video = line[0]
        label = line[columns["category"]] if "category" in columns else ""
        below = _joined(split, label, video)
        for frame in range(1, FRAMES + 1):
            # MS3's pictures keep the suffix of their video and lie outside the splits.
            picture = f"{video}/{video}.mp4" if short == "ms3" else f"{below}/{video}"
            media = {
                "frame": f"visual_frames/{picture}_{frame}.png",
                "sound": f"audio_wav/{below}.wav",
            }
            item = Item(f"{video}_{frame}", np.zeros((0, 4)), alignment.SCALE, media=media)
            yield replace(item, label=label, group=video, time=_time(frame))


def _in_order(item: Item, problems: list[Problem]) -> Item:
    """An item of a box list under AVSBench's own name, without the `.mp4` in MS3's pictures."""
    match = _NAME.fullmatch(item.id)
    if match is None:
        problems.append(Problem(item.id, "not named VIDEO_FRAME; nobody knows its video and time"))
        return item
    video, frame = match["video"], int(match["frame"])
    parts = PurePosixPath(item.media["sound"]).parts
    label = parts[-2] if len(parts) > 2 and parts[-3] in SPLITS else ""
    return replace(item, id=f"{video}_{frame}", label=label, group=video, time=_time(frame))


def _with_mask(item: Item, masks: Path, problems: list[Problem]) -> Item:
    if item.mask is not None:
        return item
    parts = PurePosixPath(item.media["sound"]).parts
    split = next((part for part in parts if part in SPLITS), "test")
    listed = f"{_joined('gt_masks', split, item.label, item.group)}/{item.id}.png"
    found = locate(listed, masks)
    if found is None:
        problems.append(Problem(item.id, f"no mask {listed} under {masks}"))
    return replace(item, mask=found)


def _joined(*parts: str) -> str:
    return "/".join(part for part in parts if part)


def _time(frame: int) -> float:
    return frame - 1 / 16
