"""Whether clips of a test list are among those of a training list.

By name, by video (another piece of a video of which training has a piece), and where files are
there by what they show and how they sound: VGGSound holds some videos under several names.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from avloc.data.benchmarks.media import CLIPS, PICTURES, SOUNDS, MediaFolder
from avloc.data.benchmarks.sources import clip_id, rows
from avloc.data.benchmarks.types import Benchmark, Problem
from avloc.data.picture_hash import BITS, clip_hashes, near, read_hash
from avloc.errors import AvlocError, DataError, NoAudioError
from avloc.features.fingerprint import RATE, Index, Prints, fingerprint
from avloc.files import read_json
from avloc.media.sound import read_wave

COMMON, SHARE = 10, 0.1
"""Peak pairs and part of them that two sounds have in common from where on they are one. Of 120
recordings, 93 to 98 % were found again among 1,070 after Vorbis, MP3, noise or a cut to 2.5 s; all
others that were told had one label, and where names tell the recording, one recording."""

T = TypeVar("T")
AT_ONCE = 4096  # training clips whose pictures are compared at a time

NAMES = ("video", "id", "file", "youtube_id", "name")  # first cells of a heading
KEYS = ("id", "file", "video_id", "image", "frame", "path")  # of a row in a JSON list

Progress = Callable[[str, int, int], None]
"""Called with what is read, how many are done and of how many."""


@dataclass(frozen=True)
class Alike:
    """A test clip and a training clip that are one by their content.

    Attributes:
        test: the test clip.
        train: the training clip.
        by: `picture` or `sound`.
        amount: bits of the pictures' hashes that differ, or the share of peak pairs in common.
    """

    test: str
    train: str
    by: str
    amount: float


@dataclass(frozen=True)
class Contamination:
    """What of a test list stands in a training list.

    Attributes:
        tested: clips in the test list.
        trained: clips in the training list.
        ids: test clips that training has, too.
        videos: test clips that training has not, but another piece of the same video.
        alike: pairs with another name and the same content; None where nothing was compared.
        problems: files that could not be compared.
    """

    tested: int
    trained: int
    ids: tuple[str, ...]
    videos: tuple[str, ...]
    alike: tuple[Alike, ...] | None = None
    problems: tuple[Problem, ...] = ()

    @property
    def seen(self) -> tuple[str, ...]:
        """All test clips that training has seen by name or content, in order of name."""
        return tuple(sorted({*self.ids, *(pair.test for pair in self.alike or ())}))

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self) | {"seen": list(self.seen)}


def contamination(
    train: Iterable[str],
    test: Iterable[str],
    train_media: Path | None = None,
    test_media: Path | None = None,
    progress: Progress = lambda what, done, of: None,
) -> Contamination:
    """Compare a training list with a test list.

    Args:
        train: names of the training clips, in any of the field's spellings.
        test: names of the test clips.
        train_media: a folder with pictures and sounds of the training clips.
        test_media: a folder with those of the test clips.
        progress: is told how far reading has come.

    Raises:
        DataError: a folder is missing, or only one of the two was given.
    """
    trained, tested = {clip_id(name) for name in train}, {clip_id(name) for name in test}
    shared = trained & tested
    videos = {video_of(name) for name in trained}
    pieces = {name for name in tested - shared if video_of(name) in videos}
    alike: tuple[Alike, ...] | None = None
    problems: tuple[Problem, ...] = ()
    if train_media is not None and test_media is not None:
        ours = _Contents(train_media, trained, progress)
        theirs = _Contents(test_media, tested, progress)
        alike = (*_alike_pictures(ours, theirs), *_alike_sounds(ours, theirs))
        problems = (*ours.problems, *theirs.problems)
    elif train_media is not None or test_media is not None:
        raise DataError("contents are compared between two folders; name training's and the test's")
    return Contamination(
        len(tested),
        len(trained),
        tuple(sorted(shared)),
        tuple(sorted(pieces)),
        alike,
        problems,
    )


def video_of(name: str) -> str:
    """The video that a clip `VIDEO_000030` is from; other names are their own."""
    video, _, start = name.rpartition("_")
    return video if len(video) == 11 and len(start) == 6 and start.isdecimal() else name


def clips_of(benchmark: Benchmark) -> list[str]:
    """The clips whose frames or sounds a benchmark's list names, each once."""
    names = [
        clip_id(item.media.get(key, item.id))
        for item in benchmark.items
        for key in ("frame", "sound")
    ]
    return list(dict.fromkeys(names))


def read_clips(path: Path) -> list[str]:
    """The clips that a list names: text or CSV (first column), JSON, or JSON lines.

    In JSON, a row is a name or has one under one of `KEYS`.

    Raises:
        DataError: the file is missing, empty or of another form.
    """
    if path.suffix not in (".json", ".jsonl"):
        names = [row[0] for row in rows(path)]
        names = names[1:] if names and names[0].lower() in NAMES else names
    else:
        listed = read_json(path) if path.suffix == ".json" else _json_lines(path)
        listed = listed if isinstance(listed, list) else []
        names = [_name(row, f"{path}: row {n}") for n, row in enumerate(listed, start=1)]
    if not names:
        raise DataError(f"{path}: names no clips")
    return names


def _json_lines(path: Path) -> list[Any]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
        return [json.loads(line) for line in lines if line.strip()]
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: not JSON ({error})") from error


class _Contents:
    """The pictures and sounds of the wanted clips in a folder, read as they are asked for.

    Attributes:
        problems: files that cannot be read, pictures without contrast, silent sounds.
    """

    def __init__(self, root: Path, wanted: set[str], progress: Progress) -> None:
        self._root = root
        self._progress = progress
        folder = MediaFolder(root)
        clips = folder.named(CLIPS, wanted)
        self._pictures = clips | folder.named(PICTURES, wanted)
        self._sounds = clips | folder.named(SOUNDS, wanted)
        self.problems: list[Problem] = []

    def pictures(self) -> Iterator[tuple[str, np.ndarray]]:
        """Each clip with the hashes (n, bits) of its picture, or of frames of it."""
        return self._read("pictures", self._pictures, _hashes)

    def sounds(self) -> Iterator[tuple[str, Prints]]:
        """Each clip with the fingerprint of its sound."""
        return self._read("sounds", self._sounds, _prints)

    def _read(
        self, what: str, files: dict[str, Path], read: Callable[[Path], T]
    ) -> Iterator[tuple[str, T]]:
        for done, (name, path) in enumerate(files.items(), start=1):
            try:
                yield name, read(path)
            except AvlocError as error:
                self.problems.append(Problem(name, str(error)))
            self._progress(f"{what} in {self._root}", done, len(files))


def _hashes(path: Path) -> np.ndarray:
    if path.suffix.lower() in CLIPS:
        found = clip_hashes(path)
    else:
        one = read_hash(path)
        found = np.zeros((0, BITS), bool) if one is None else one[None]
    if not len(found):
        raise DataError(f"{path}: too plain to be compared")
    return found


def _prints(path: Path) -> Prints:
    try:
        wave, _ = read_wave(path, RATE)
    except NoAudioError:
        raise DataError(f"{path}: no sound in it to be compared") from None
    found = fingerprint(wave, RATE)
    if len(found.pairs) < COMMON:
        raise DataError(f"{path}: too quiet or too short to be compared")
    return found


def _alike_pictures(train: _Contents, test: _Contents) -> Iterator[Alike]:
    tested, theirs = _stacked(test.pictures())
    rest = train.pictures()
    while len(theirs) and (some := list(islice(rest, AT_ONCE))):
        trained, ours = _stacked(some)
        nearest: dict[tuple[str, str], int] = {}
        for i, j, bits in near(theirs, ours):
            pair = tested[i], trained[j]
            nearest[pair] = min(bits, nearest.get(pair, bits))
        for (one, other), bits in nearest.items():
            if one != other:
                yield Alike(one, other, "picture", float(bits))


def _stacked(clips: Iterable[tuple[str, np.ndarray]]) -> tuple[list[str], np.ndarray]:
    """The clip that each of many hashes is of, and the hashes (n, bits)."""
    listed = list(clips)
    names = [name for name, hashes in listed for _ in hashes]
    return names, np.concatenate([np.zeros((0, BITS), bool), *(hashes for _, hashes in listed)])


def _alike_sounds(train: _Contents, test: _Contents) -> Iterator[Alike]:
    index = Index.of(test.sounds())
    for name, prints in train.sounds():
        for match in index.search(prints, COMMON, SHARE):
            if match.name != name:
                yield Alike(match.name, name, "sound", match.share)


def _name(row: object, where: str) -> str:
    if isinstance(row, dict):
        row = next((row[key] for key in KEYS if isinstance(row.get(key), str)), None)
    if not isinstance(row, str):
        raise DataError(f"{where}: no name of a clip, nor one under {', '.join(KEYS)}")
    return row
