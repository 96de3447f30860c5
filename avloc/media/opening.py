"""Opening media files, with errors that say what is wrong with the file and what to do."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import av
from av.container import InputContainer

from avloc.errors import MediaError

STILL_FORMATS = ("image2", "_pipe")
"""Demuxers of single pictures: ``image2`` and the likes of ``jpeg_pipe``."""


def open_input(path: str | Path) -> InputContainer:
    """The opened file; the caller closes it.

    Raises:
        MediaError: no such file, a folder, an empty file, not media, not readable.
    """
    path = Path(path)
    if not path.exists():
        raise MediaError(f"{path}: no such file; check the path")
    if path.is_dir():
        raise MediaError(f"{path}: is a folder; name a file in it")
    if path.is_file() and path.stat().st_size == 0:
        raise MediaError(f"{path}: the file is empty; it was perhaps not downloaded to its end")
    try:
        # An absolute path never looks like a protocol ("part 1: start.mp4" does). Tags in
        # Latin-1 raise without "ignore".
        return av.open(str(path.absolute()), "r", metadata_errors="ignore")
    except av.error.FFmpegError as error:
        raise MediaError(f"{path}: cannot be opened ({_reason(error)})") from error
    except OSError as error:
        raise MediaError(f"{path}: cannot be read ({error.strerror or error})") from error


def packets_of(container: InputContainer, *streams: av.stream.Stream) -> Iterator[av.Packet]:
    """Packets in the order of the file, up to the first that cannot be read."""
    packets = container.demux(*streams)
    while True:
        try:
            packet = next(packets, None)
        except av.error.FFmpegError:
            return
        if packet is None:
            return
        yield packet


def is_still(container: InputContainer) -> bool:
    """Whether the file is a picture and not a video."""
    return container.format.name.endswith(STILL_FORMATS)


def cores() -> int:
    """The processor cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _reason(error: av.error.FFmpegError) -> str:
    if isinstance(error, av.error.InvalidDataError):
        return "not a media file, or damaged at its beginning"
    return error.strerror or str(error)
