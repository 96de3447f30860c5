"""Whether a zip file is what PyTorch writes, looked at before PyTorch reads it."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from avloc.errors import WeightsError

MOST_PICKLE = 16 << 20
"""Bytes that the description of the tensors may take; those of this field take under a million."""

ENCRYPTED = 0x1
LOCAL_HEADER = 30
"""Bytes before the name in the header that stands before each entry's data."""


@dataclass(frozen=True)
class Archive:
    """A zip file that passed.

    Attributes:
        sizes: the bytes of each entry, by the place in the file where its data begin.
    """

    sizes: dict[int, int]


def check_archive(path: Path) -> Archive:
    """Look through the table of contents of a PyTorch file.

    PyTorch stores its entries as they are in a single folder; everything that could make a reader
    take more memory than the file is long, or another entry's bytes, is refused.

    Raises:
        WeightsError: the table of contents is damaged, or tells of anything else.
    """
    try:
        with zipfile.ZipFile(path) as file, path.open("rb") as raw:
            entries = file.infolist()
            _check_kind(path, [entry.filename for entry in entries])
            for entry in entries:
                _check_entry(path, entry)
            sizes = {_start(raw, entry): entry.file_size for entry in entries}
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise WeightsError(f"{path}: a damaged PyTorch file ({error}); fetch it again") from error
    names = [entry.filename for entry in entries]
    if len(set(names)) < len(names) or len(sizes) < len(names):
        raise WeightsError(f"{path}: refused: two entries of the archive have one name or place")
    if sum(sizes.values()) > path.stat().st_size:
        raise WeightsError(f"{path}: refused: the entries of the archive overlap")
    return Archive(sizes)


def _check_kind(path: Path, names: list[str]) -> None:
    folders = {PurePosixPath(name).parts[:1] for name in names}
    inside = {"/".join(PurePosixPath(name).parts[1:]) for name in names}
    if "constants.pkl" in inside:
        raise WeightsError(
            f"{path}: a TorchScript program; convert the checkpoint that it was made from"
        )
    if len(folders) != 1 or "data.pkl" not in inside:
        raise WeightsError(f"{path}: a zip file, but not one that PyTorch wrote")


def _check_entry(path: Path, entry: zipfile.ZipInfo) -> None:
    name = entry.orig_filename
    parts = PurePosixPath(name).parts
    if "\0" in name or "\\" in name or ":" in name or not parts or parts[0] == "/" or ".." in parts:
        raise WeightsError(f"{path}: refused: {name!r} in the archive leaves its folder")
    if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size:
        raise WeightsError(f"{path}: refused: {name!r} in the archive is compressed")
    if parts[1:] == ("data.pkl",) and entry.file_size > MOST_PICKLE:
        raise WeightsError(
            f"{path}: refused: {entry.file_size:,} bytes describe its tensors, more than "
            f"{MOST_PICKLE:,}"
        )
    if entry.flag_bits & ENCRYPTED:
        raise WeightsError(f"{path}: refused: {name!r} in the archive is encrypted")


def _start(raw: BinaryIO, entry: zipfile.ZipInfo) -> int:
    """Where the data of an entry begin: behind its own header, which may be longer than told."""
    raw.seek(entry.header_offset)
    header = raw.read(LOCAL_HEADER)
    if len(header) < LOCAL_HEADER or header[:4] != b"PK\3\4":
        raise zipfile.BadZipFile(f"no entry where {entry.filename!r} should begin")
    name, extra = (int.from_bytes(header[at : at + 2], "little") for at in (26, 28))
    return entry.header_offset + LOCAL_HEADER + name + extra
