"""The benchmarks by name, and the name of a file that somebody has."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from avloc.data.benchmarks import (
    ade20k,
    avatar,
    avsbench,
    flickr,
    folder,
    is3,
    music,
    negatives,
    vggsound_duet,
    vggss,
    vpo,
)
from avloc.data.benchmarks.sources import find
from avloc.data.benchmarks.types import Benchmark
from avloc.errors import DataError, UsageError
from avloc.files import read_json
from avloc.registry import Registry

Reader = Callable[..., Benchmark]
"""Takes the path of a list or of a folder with it, and options of its own."""

BENCHMARKS: Registry[Reader] = Registry("benchmark")
for _name, _reader in {
    "vggss": vggss.read_vggss,
    "vggss-heard": vggss.read_heard,
    "vggss-unheard": vggss.read_unheard,
    "vggss-extended": negatives.read_vggss_extended,
    "flickr": flickr.read_flickr,
    "flickr-249": flickr.read_flickr_249,
    "flickr-all": flickr.read_flickr_all,
    "flickr-extended": negatives.read_flickr_extended,
    "is3": is3.read_is3,
    "vpo-ss": vpo.read_single,
    "vpo-ms": vpo.read_multi,
    "avsbench-s4": avsbench.read_s4,
    "avsbench-ms3": avsbench.read_ms3,
    "music-solo": music.read_solo,
    "music-duet": music.read_duet,
    "vggsound-duet": vggsound_duet.read_vggsound_duet,
    "ade20k-sound": ade20k.read_sound_prompted,
    "avatar": avatar.read_avatar,
    "folder": folder.read_folder,
}.items():
    BENCHMARKS.add(_name, _reader)

_BY_NAME = {
    **dict.fromkeys(vggss.FILES, "vggss"),
    vggss.HEARD: "vggss-heard",
    vggss.UNHEARD: "vggss-unheard",
    negatives.VGGSS: "vggss-extended",
    negatives.FLICKR: "flickr-extended",
    **dict.fromkeys(flickr.FILES, "flickr"),
    flickr.FOLDER: "flickr",
    **dict.fromkeys(is3.FILES, "is3"),
    **dict.fromkeys(vpo.SINGLE, "vpo-ss"),
    **dict.fromkeys(vpo.MULTI, "vpo-ms"),
    **dict.fromkeys(music.SOLO, "music-solo"),
    **dict.fromkeys(music.DUET, "music-duet"),
    vggsound_duet.FILE: "vggsound-duet",
    ade20k.FILE: "ade20k-sound",
    ade20k.FOLDER: "ade20k-sound",
    **{f"{s}_{kind}": f"avsbench-{s}" for s in ("s4", "ms3") for kind in avsbench.LISTS},
    **dict.fromkeys(folder.FILES, "folder"),
}


def read_benchmark(what: str | Path, data: Path | None = None, **options: Any) -> Benchmark:
    """A benchmark by its name and the folder with its files, or by one of its files alone.

    Args:
        what: a name of `BENCHMARKS`, or the path of a list or folder.
        data: the folder (or list) that goes with a name.
        options: what the reader takes besides.

    Raises:
        UsageError: there is no such benchmark or file, or a name came without its folder.
        DataError: the files are missing or not what the reader expects.
    """
    if isinstance(what, str) and what in BENCHMARKS:
        if data is None:
            raise UsageError(f"{what}: name the folder with its annotation, too (--data DIR)")
        return BENCHMARKS[what](Path(data), **options)
    path = Path(what)
    if not path.exists():
        if isinstance(what, str) and not path.suffix and "/" not in what:
            BENCHMARKS[what]  # tells which names there are
        raise UsageError(f"{what}: no such file, folder or benchmark")
    return BENCHMARKS[recognise(path)](path, **options)


def recognise(path: Path) -> str:
    """Which benchmark a list or folder belongs to, by its name or else by what stands in it.

    Raises:
        DataError: it looks like none.
    """
    if path.name in _BY_NAME:
        return _BY_NAME[path.name]
    if path.is_dir():
        if find(path, *folder.FILES):
            return "folder"
        if any(path.glob("*.xml")):
            return "flickr"
        raise DataError(f"{path}: no {folder.FILES[0]} in it; say which benchmark it holds")
    name = _by_content(path) if path.suffix == ".json" else None
    if name is None:
        raise DataError(
            f"{path}: no list that is known; docs/benchmarks.md describes those that are"
        )
    return name


def _by_content(path: Path) -> str | None:
    values = read_json(path)
    if isinstance(values, dict) and isinstance(values.get("boxes"), dict):
        return "flickr"
    row = values[0] if isinstance(values, list) and values else values
    if not isinstance(row, dict):
        return None
    if "gt_box" in row:
        return _aligned(str(row.get("image")))
    if "bbox" in row and "file" in row:
        boxes = row["bbox"]
        flat = isinstance(boxes, list) and bool(boxes) and not isinstance(boxes[0], list)
        return "music-solo" if flat else "vggss"
    keys = {"bbox_src1": "music-duet", "frame_number": "avatar", "id": "folder"}
    return next((name for key, name in keys.items() if key in row), None)


def _aligned(image: str) -> str:
    """Which of SSLalignment's lists a picture is from, by the folders in its path."""
    folders = {
        "Single-source": "avsbench-s4",
        "Multi-sources": "avsbench-ms3",
        "COCO_AV_MS": "vpo-ms",
        "COCO_AV": "vpo-ss",
    }
    return next((name for part, name in folders.items() if part in image.split("/")), "is3")
