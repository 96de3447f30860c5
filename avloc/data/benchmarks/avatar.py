"""Video lists like AVATAR's (Choi et al. 2025, arXiv 2507.04667): boxes in many frames a video.

A JSON file with a list of frames, or a folder of JSON files with a frame or a list of frames each:

    {"video_id": "VIDEO_000030", "frame_number": 50, "fps": 25, "width": 640, "height": 360,
     "annotations": [{"bbox": [x, y, width, height], "audio_visual_category": "dog barking",
                      "scenario": "Single-sound"}]}

Without `width` and `height` boxes are fractions. `time` in seconds may stand instead of `fps`. What
is `Off-screen` has no box; a frame with nothing else is a negative.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

from avloc.data.benchmarks.checking import benchmark, box_list
from avloc.data.benchmarks.sources import digest, find
from avloc.data.benchmarks.types import Benchmark, Item, Problem
from avloc.data.index import Row
from avloc.errors import DataError
from avloc.files import read_json

FOLDERS = ("metadata", "avatar")
OFF_SCREEN = "off-screen"
SMALLEST = 1e-6  # of what has to be more than nothing


def read_avatar(path: Path) -> Benchmark:
    """An item a frame, `VIDEO@FRAME`, with the scenario as `kind`.

    Args:
        path: a JSON file, or a folder of them (or one with a folder `metadata` of them).
    """
    files = [path] if path.is_file() else _files(path)
    if not files:
        raise DataError(f"{path}: no JSON file there; name a list of frames or their folder")
    items, problems = [], []
    for file in files:
        for row in _frames(file):
            item, told = _item(row)
            items.append(item)
            problems += [Problem(item.id, what) for what in told]
    source = path if path.is_file() else _folder(path)
    return benchmark("avatar", items, [source], problems, [digest(source, files)])


def _folder(path: Path) -> Path:
    return path if any(path.glob("*.json")) else find(path, *FOLDERS) or path


def _files(path: Path) -> list[Path]:
    return sorted(_folder(path).rglob("*.json"))


def _frames(file: Path) -> Iterator[Row]:
    values = read_json(file)
    for number, frame in enumerate(values if isinstance(values, list) else [values], start=1):
        yield Row.of(file.parent, f"{file}: frame {number}", frame)


def _item(row: Row) -> tuple[Item, list[str]]:
    video = row.get("video_id", str)
    frame = row.get("frame_number", int)
    told: list[str] = []
    shapes, labels, kinds = [], [], []
    for part in row.parts("annotations"):
        kind = part.text("scenario")
        kinds.append(kind)
        labels.append(part.text("audio_visual_category"))
        if kind.lower() == OFF_SCREEN:
            if part.values.get("bbox"):
                told.append(f"{kind} with a box, which is left out: {part.values['bbox']!r:.60}")
        else:
            shapes.append(part.values.get("bbox"))
    boxes, unread = box_list(shapes, size=True)
    scale = (_number(row, "width", told) or 1.0, _number(row, "height", told) or 1.0)
    media = {"clip": video, "sound": video}
    item = Item(
        f"{video}@{frame}",
        boxes,
        scale,
        label=_joined(labels),
        sounds=bool(shapes),
        media=media,
        time=_time(row, frame, told),
        kind=_joined(kinds),
    )
    return item, told + unread


def _time(row: Row, frame: int, told: list[str]) -> float | None:
    fps = _number(row, "fps", told)
    return frame / fps if fps else _number(row, "time", told, least=0.0)


def _number(row: Row, key: str, told: list[str], least: float = SMALLEST) -> float | None:
    value = row.values.get(key)
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool) and least <= value < math.inf:
        return float(value)
    told.append(f"{key} is no number that can be: {value!r:.60}; it is not used")
    return None


def _joined(names: list[str]) -> str:
    return ", ".join(sorted({name for name in names if name}))
