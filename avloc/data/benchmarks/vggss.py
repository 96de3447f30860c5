"""VGG-SS (Chen et al. 2021, arXiv 2104.02691): one frame of 5,158 VGGSound clips, boxed.

`vggss.json` is a list of `{"file": "VIDEO_000032", "class": NAME, "bbox": [[x0, y0, x1, y1]]}` in
fractions of the frame. The frame is the 125th at 25 frames a second.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from avloc.data.benchmarks.checking import benchmark, box_list
from avloc.data.benchmarks.sources import clip_id, find_list, rows
from avloc.data.benchmarks.types import Benchmark, Item, Problem
from avloc.data.index import index_rows

FILES = ("vggss.json", "vggss_test_5158.json")
HEARD, UNHEARD = "vggss_heard_test.csv", "vggss_unheard_test.csv"
MIDDLE = 5.0  # seconds: frame 125 of a clip of 10 s


def read_vggss(path: Path, ids: Path | None = None, name: str = "vggss") -> Benchmark:
    """VGG-SS, whole or the part that a list names.

    Args:
        path: `vggss.json` or a folder with it.
        ids: a list of clips, one a line (what follows a comma is not read).
        name: what to call it.
    """
    path = find_list(path, *FILES)
    items, problems = annotated(path)
    if ids is None:
        return benchmark(name, items, [path], problems)
    kept, missing = chosen(items, [row[0] for row in rows(ids)])
    told = [problem for problem in problems if clip_id(problem.id) in {i.id for i in kept}]
    return benchmark(name, kept, [path, ids], told + missing)


def read_heard(path: Path) -> Benchmark:
    """The clips of VGG-SS whose class is among the 110 that open-set training hears."""
    return read_vggss(_folder(path), find_list(path, HEARD), "vggss-heard")


def read_unheard(path: Path) -> Benchmark:
    """The clips of VGG-SS whose class is among the other 110."""
    return read_vggss(_folder(path), find_list(path, UNHEARD), "vggss-unheard")


def annotated(path: Path) -> tuple[list[Item], list[Problem]]:
    """The items of `vggss.json`, unchecked, and boxes that could not be read."""
    items, problems = [], []
    for row in index_rows(path.parent, path.name):
        name = row.get("file", str)
        boxes, told = box_list(row.values.get("bbox"))
        problems += [Problem(name, what) for what in told]
        media = {"frame": name, "sound": name}
        items.append(
            Item(
                name,
                boxes,
                (1, 1),
                label=row.text("class"),
                media=media,
                time=MIDDLE,
            )
        )
    return items, problems


def chosen(items: Iterable[Item], names: Iterable[str]) -> tuple[list[Item], list[Problem]]:
    """The items that a list names, in its order, and its names that nobody annotated."""
    known = {clip_id(item.id): item for item in items}
    kept, problems = [], []
    for name in names:
        item = known.get(clip_id(name))
        if item is None:
            problems.append(Problem(name, "in the list, but without annotation"))
        else:
            kept.append(item)
    return kept, problems


def _folder(path: Path) -> Path:
    """Where the annotation lies when `path` may be the list beside it."""
    return path.parent if path.is_file() else path
