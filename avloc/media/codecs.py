"""What the FFmpeg inside PyAV can read and write."""

from __future__ import annotations

from typing import NamedTuple

import av

from avloc.media.containers import PICTURE_CODECS

PYAV_VERSION = av.__version__

ENCODERS = {
    **{name: codec.encoder for name, codec in PICTURE_CODECS.items()},
    "aac": "aac",
    "opus": "libopus",
}
"""The formats avloc writes, and the encoder it writes each with."""


class Codec(NamedTuple):
    """Whether a format can be read, and the encoder that writes it, "" where there is none."""

    name: str
    reads: bool
    encoder: str


def codecs() -> list[Codec]:
    """The state of every format in `ENCODERS`."""
    return [
        Codec(name, _has(name, "r"), encoder if _has(encoder, "w") else "")
        for name, encoder in ENCODERS.items()
    ]


def ffmpeg_libraries() -> dict[str, str]:
    """Versions of the libav libraries, such as ``{"libavcodec": "62.11.100"}``."""
    return {
        name: ".".join(map(str, version)) for name, version in sorted(av.library_versions.items())
    }


def _has(name: str, mode: str) -> bool:
    try:
        av.codec.Codec(name, mode)  # type: ignore[arg-type]
    except ValueError:  # av.codec.UnknownCodecError
        return False
    return True
