"""Take a list of clips apart: what to train on, and what to validate on.

    python tools/split_list.py FOLDER/metadata/vggss_144k.txt FOLDER/metadata/vggss_144k \
        --without FOLDER/metadata/vggss_test.csv

writes OUT.train.txt and OUT.validation.txt. Clips of the same video as one of a list given by
--without are left out of both, whatever second of it they are; all clips of a video come into the
same one. Which videos are for validation depends on their names alone, so that lists that overlap
agree on them.
"""

from __future__ import annotations

import argparse
import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

from avloc.data.benchmarks.sources import clip_id, rows
from avloc.data.examples.items import LISTS, read_items
from avloc.errors import DataError

SECOND = re.compile(r"(?<=^.{11})_\d{6}$")
"""Ends the id of a clip of VGGSound, after that of its video."""


def video(clip: str) -> str:
    """The video that a clip was cut from."""
    return SECOND.sub("", clip)


def clips(source: Path) -> list[str]:
    """The ids in a list, or of what lies in a folder or stands in a manifest."""
    if source.suffix.lower() in LISTS:
        return list(dict.fromkeys(clip_id(row[0]) for row in rows(source)))
    return [item.id for item in read_items(source)]


def split(
    names: Iterable[str], without: Iterable[str], validation: int
) -> tuple[list[str], list[str]]:
    """Clips to train on, and at least `validation` clips to validate on.

    Raises:
        DataError: nothing would be left to train on.
    """
    tested = {video(name) for name in without}
    kept = [name for name in names if video(name) not in tested]
    order = sorted(kept, key=lambda name: hashlib.sha256(video(name).encode()).digest())
    held = {video(name) for name in order[:validation]}
    parts = (
        [name for name in kept if video(name) not in held],
        [n for n in kept if video(n) in held],
    )
    if not parts[0]:
        raise DataError(f"{len(kept)} clips leave none to train on; validate on fewer")
    return parts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path, help="a list of ids, a manifest or a folder of clips")
    parser.add_argument("out", type=Path, help="what the names of both lists begin with")
    parser.add_argument("--without", type=Path, action="append", default=[], help="a test list")
    parser.add_argument("--validation", type=int, default=500, help="clips to validate on")
    given = parser.parse_args()
    names = clips(given.source)
    tests = [name for path in given.without for name in clips(path)]
    parts = split(names, tests, given.validation)
    for kind, part in zip(("train", "validation"), parts, strict=True):
        path = given.out.with_name(f"{given.out.name}.{kind}.txt")
        path.write_text("".join(f"{name}\n" for name in part), "utf-8")
        print(f"{path}: {len(part)} clips")
    print(f"left out: {len(names) - sum(map(len, parts))} clips of videos in test lists")


if __name__ == "__main__":
    main()
