"""From the words of a command line to the files it means."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from avloc.errors import AvlocError, MediaError

# fmt: off
VIDEO_SUFFIXES = frozenset((
    ".3gp", ".asf", ".avi", ".flv", ".gif", ".m2ts", ".m4v", ".mkv", ".mov",
    ".mp4", ".mpeg", ".mpg", ".mts", ".ogv", ".ts", ".webm", ".wmv",
))
# fmt: on
"""What counts as a video when a folder is searched; a file that is named is always tried."""

MARK = ".avloc."
"""Every default output carries it, so that no folder feeds a result back as an input."""


@dataclass(frozen=True)
class Source:
    """One input file.

    Attributes:
        path: as the user would name it.
        below: its folder under the one that was searched; kept under ``--out``.
        found: whether a search found it, and not the user named it.
    """

    path: Path
    below: Path = Path()
    found: bool = False


@dataclass(frozen=True)
class Missing:
    """A word that means no file, and why."""

    name: str
    error: AvlocError


def gather(words: Iterable[str], listing: Iterable[str]) -> tuple[list[Source], list[Missing]]:
    """The files that `words` mean: files, folders (recursive), globs, ``-`` for `listing`.

    Each file comes once, in the order given; folders and globs in the order of names.
    """
    sources: dict[str, Source] = {}
    missing: list[Missing] = []
    for word in _expand(words, listing):
        try:
            found = _meaning(word)
        except AvlocError as error:
            missing.append(Missing(word, error))
            continue
        for source in found:
            sources.setdefault(os.path.realpath(source.path), source)
    return list(sources.values()), missing


def _expand(words: Iterable[str], listing: Iterable[str]) -> Iterable[str]:
    for word in words:
        if word == "-":
            lines = (line.strip("\r\n") for line in listing)
            yield from (line for line in lines if line.strip())
        else:
            yield word


def _meaning(word: str) -> list[Source]:
    path = Path(word)
    if path.is_dir():
        found = _search(path)
        if not found:
            raise MediaError(f"{word}: no video in this folder; name a file or another folder")
        return found
    if path.exists():
        return [Source(path)]
    if glob.has_magic(word):
        base = _fixed_part(word)
        names = sorted(glob.glob(word, recursive=True))
        files = [Path(name) for name in names if Path(name).is_file() and MARK not in name]
        if files:
            return [Source(file, file.parent.relative_to(base), True) for file in files]
        raise MediaError(f"{word}: nothing matches; check the pattern")
    raise MediaError(f"{word}: no such file; check the path")


def _search(folder: Path) -> list[Source]:
    """Videos under `folder`, hidden files and results of avloc left out."""
    found: list[Source] = []
    for top, folders, names in os.walk(folder, onerror=_refuse):
        folders[:] = sorted(name for name in folders if name[0] != ".")
        for name in sorted(names):
            is_video = Path(name).suffix.lower() in VIDEO_SUFFIXES
            if is_video and name[0] != "." and MARK not in name:
                found.append(Source(Path(top, name), Path(top).relative_to(folder), True))
    return found


def _refuse(error: OSError) -> None:
    reason = error.strerror or str(error)
    raise MediaError(f"{error.filename}: the folder cannot be read ({reason})") from error


def _fixed_part(pattern: str) -> Path:
    """The folders of a pattern before the first one with a wildcard."""
    fixed = []
    for part in Path(pattern).parts[:-1]:
        if glob.has_magic(part):
            break
        fixed.append(part)
    return Path(*fixed)
