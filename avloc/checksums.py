"""SHA-256 of files, and files beside them that remember it, as ``sha256sum -c`` reads them."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from avloc.errors import WeightsError
from avloc.files import replacing

SUFFIX = ".sha256"
"""Follows the whole name of the file that a checksum is of."""


def checksum(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def beside(path: Path) -> Path:
    """Where the checksum of a file is kept."""
    return path.with_name(path.name + SUFFIX)


def record(path: Path) -> None:
    """Remember what a file holds now."""
    with replacing(beside(path)) as part:
        part.write_text(f"{checksum(path)}  {path.name}\n", "utf-8")


def verify(path: Path) -> None:
    """See that a file still holds what was remembered of it; one without a checksum passes.

    Raises:
        WeightsError: it holds something else, or its checksum cannot be read.
    """
    kept = beside(path)
    try:
        told = kept.read_text("utf-8")
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:
        raise WeightsError(f"{kept}: cannot be read ({error})") from error
    # Also as other programs write it: with a star, a path, in capitals.
    expected = re.match(r"\\?([0-9a-fA-F]{64})\b", told)
    if not expected:
        raise WeightsError(f"{kept}: no SHA-256 in it; delete it to do without")
    found = checksum(path)
    if found != expected[1].lower():
        raise WeightsError(
            f"{path}: damaged or changed: its SHA-256 is {found[:16]}..., not "
            f"{expected[1][:16].lower()}... as {kept.name} says; fetch or convert it again, or "
            f"delete {kept.name} if you changed it yourself"
        )
