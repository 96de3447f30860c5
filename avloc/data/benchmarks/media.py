"""Where the frames, sounds and clips of a benchmark lie in somebody's folder.

Lists name a clip, a file, or a path on their authors' own machine, and every repository has a
layout of its own. So files are found by name, wherever they lie: the name in the list (one spelling
for VGGSound's two, `sources.clip_id`), and where several files have it, the one whose folders agree
most with the path in the list.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path, PurePosixPath

from avloc.data.benchmarks.sources import clip_id
from avloc.data.benchmarks.types import Benchmark, Item, Problem
from avloc.errors import DataError

PICTURES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})
SOUNDS = frozenset({".wav", ".flac", ".ogg", ".mp3", ".m4a"})
CLIPS = frozenset({".mp4", ".mkv", ".webm", ".avi", ".mov"})
KINDS = {"frame": PICTURES, "sound": SOUNDS, "mixed_with": SOUNDS, "clip": CLIPS}
FRAME_NAMES = ("image_050", "125", "00000003")
"""The frame that SSLalignment and SSL-TIE take where each clip has a folder of its own frames."""
NO_TRUTH = frozenset({"gt_masks", "masks", "gray_masks"})
"""Folders with masks, which are named like the frames."""


class MediaFolder:
    """The pictures, sounds and clips below a folder, by name.

    Args:
        root: the folder; links are followed.

    Raises:
        DataError: there is no such folder.
    """

    def __init__(self, root: Path) -> None:
        if not root.is_dir():
            raise DataError(f"{root}: no such folder; name the one with frames and sounds")
        self.root = root
        self._files: dict[str, list[Path]] = defaultdict(list)
        for folder, below, names in os.walk(root, followlinks=True):
            below[:] = sorted(name for name in below if name not in NO_TRUTH)
            for name in sorted(names):
                path = Path(folder, name)
                if path.suffix.lower() in PICTURES | SOUNDS | CLIPS:
                    self._files[clip_id(name)].append(path)
                    if path.stem in FRAME_NAMES:
                        self._files[clip_id(path.parent.name)].append(path)

    def find(self, listed: str, suffixes: frozenset[str]) -> Path | None:
        """The file that a list means by `listed`, among those with one of `suffixes`."""
        found = [f for f in self._files.get(clip_id(listed), ()) if f.suffix.lower() in suffixes]
        wanted = PurePosixPath(listed).parts
        return max(found, key=lambda file: _agreement(file.parts, wanted), default=None)

    def named(self, suffixes: frozenset[str], wanted: Collection[str]) -> dict[str, Path]:
        """The first file of each wanted name among those with one of `suffixes`, by name."""
        pairs = ((name, self.find(name, suffixes)) for name in sorted(wanted))
        return {name: file for name, file in pairs if file is not None}


def with_media(benchmark: Benchmark, root: Path) -> Benchmark:
    """The same benchmark with the paths of its files, and a problem for every file that lacks.

    A frame that lacks may be cut from the `clip` and its sound be taken from there: the clip is
    looked for under the frame's name, too, and nothing is a problem that it can stand in for.
    """
    folder = MediaFolder(root)
    items, problems = [], []
    for item in benchmark.items:
        media, missing = _located(item, folder)
        items.append(replace(item, media=media))
        problems += [Problem(item.id, f"no {what} under {root}") for what in missing]
    told = (*benchmark.problems, *problems)
    return replace(benchmark, items=tuple(items), problems=told)


def _located(item: Item, folder: MediaFolder) -> tuple[dict[str, str], list[str]]:
    media, missing = {}, []
    clip = folder.find(item.media.get("clip") or item.media.get("frame", item.id), CLIPS)
    if clip is not None:
        media["clip"] = str(clip)
    for key, listed in item.media.items():
        if key == "clip":
            continue
        found = folder.find(listed, KINDS[key])
        if found is None and key == "mixed_with":
            found = folder.find(listed, CLIPS)
        if found is not None:
            media[key] = str(found)
        elif clip is None or not _stands_in(key, item):
            missing.append(f"{key} {listed}")
    return media, missing


def _stands_in(key: str, item: Item) -> bool:
    """Whether the item's clip has what `key` names: its frame, or a sound of its own."""
    own = clip_id(item.media.get("clip") or item.media.get("frame", item.id))
    return key == "frame" or (key == "sound" and clip_id(item.media["sound"]) == own)


def _agreement(have: tuple[str, ...], wanted: tuple[str, ...]) -> int:
    """How many parts two paths have in common from their ends on, suffixes aside."""
    count = 0
    for ours, theirs in zip(reversed(have), reversed(wanted), strict=False):
        if clip_id(ours) != clip_id(theirs):
            break
        count += 1
    return count
