"""What is written into which container: encoders, sound that may be copied, subtitles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from avloc.errors import UsageError


@dataclass(frozen=True)
class PictureCodec:
    """How a picture is encoded.

    Attributes:
        encoder: FFmpeg's name.
        options: fast settings of about the same quality for all.
        deep: whether players of this codec read ten bits.
        tag: what Apple's players want to see in MP4.
    """

    encoder: str
    options: Mapping[str, str]
    deep: bool = True
    tag: str | None = None


# Players of H.264 seldom read more than eight bits, so ten become eight there.
PICTURE_CODECS: Mapping[str, PictureCodec] = {
    "h264": PictureCodec("libx264", {"preset": "superfast", "crf": "22"}, deep=False),
    "hevc": PictureCodec(
        "libx265", {"preset": "veryfast", "crf": "23", "x265-params": "log-level=none"}, tag="hvc1"
    ),
    "vp9": PictureCodec(
        "libvpx-vp9",
        {"deadline": "realtime", "cpu-used": "7", "crf": "31", "b": "0", "row-mt": "1"},
    ),
    "av1": PictureCodec("libsvtav1", {"preset": "9", "crf": "32"}),
}


@dataclass(frozen=True)
class Container:
    """What a container holds.

    Attributes:
        pictures: video codecs, the first is the default.
        copied: sound codecs that go in as they are; None takes everything.
        sound: the encoder for all other sound.
        subtitles: subtitle codecs that go in as they are.
        text: the codec that other text subtitles are converted to.
        exact_start: whether times before zero can be written, to be cut by the player.
        options: of the muxer.
    """

    pictures: tuple[str, ...]
    copied: frozenset[str] | None
    sound: str
    subtitles: frozenset[str]
    text: str
    exact_start: bool = False
    options: Mapping[str, str] = field(default_factory=dict)


# The index stands before the pictures, so that browsers play while they load. FFmpeg moves it there
# in place when the file is finished.
_INDEX_FIRST = {"movflags": "+faststart"}

_MP4 = Container(
    pictures=("h264", "hevc", "vp9", "av1"),
    # MP2 could go in as well, but hardly a player expects it there: most take it for MP3.
    copied=frozenset({"aac", "mp3", "ac3", "eac3", "alac", "opus", "flac"}),
    sound="aac",
    subtitles=frozenset({"mov_text"}),
    text="mov_text",
    exact_start=True,
    options=_INDEX_FIRST,
)
_MOV = Container(
    pictures=("h264", "hevc"),
    copied=frozenset({"aac", "mp3", "ac3", "eac3", "alac", "pcm_s16le", "pcm_s16be", "pcm_s24le"}),
    sound="aac",
    subtitles=frozenset({"mov_text"}),
    text="mov_text",
    exact_start=True,
    options=_INDEX_FIRST,
)
_MKV = Container(
    pictures=("h264", "hevc", "vp9", "av1"),
    copied=None,
    sound="aac",
    subtitles=frozenset(
        {"subrip", "srt", "ass", "ssa", "webvtt", "hdmv_pgs_subtitle", "pgssub", "dvd_subtitle"}
    ),
    text="subrip",
)
_WEBM = Container(
    pictures=("vp9", "av1"),
    copied=frozenset({"opus", "vorbis"}),
    sound="opus",
    subtitles=frozenset({"webvtt"}),
    text="webvtt",
)

CONTAINERS: Mapping[str, Container] = {
    ".mp4": _MP4,
    ".m4v": _MP4,
    ".mov": _MOV,
    ".mkv": _MKV,
    ".webm": _WEBM,
}


def container_for(path: Path) -> Container:
    """What the suffix of `path` stands for.

    Raises:
        UsageError: it is none of `CONTAINERS`.
    """
    try:
        return CONTAINERS[path.suffix.lower()]
    except KeyError:
        known = ", ".join(CONTAINERS)
        raise UsageError(f"{path}: cannot write {path.suffix or 'this'}; use {known}") from None


def picture_codec(path: Path, name: str | None) -> PictureCodec:
    """The codec `name` for the file `path`; without a name the container's default.

    Raises:
        UsageError: an unknown codec, or one the container does not hold.
    """
    container = container_for(path)
    chosen = name or container.pictures[0]
    if chosen not in PICTURE_CODECS:
        raise UsageError(f"unknown codec {chosen!r}; known: {', '.join(PICTURE_CODECS)}")
    if chosen not in container.pictures:
        can = " or ".join(container.pictures)
        raise UsageError(f"{path}: {path.suffix} does not hold {chosen}; use {can}, or .mp4")
    return PICTURE_CODECS[chosen]


def base_name(codec: str) -> str:
    """The format a decoder is for: ``aac`` of ``aac_fixed``, ``mp3`` of ``mp3float``."""
    known = {"mp3float": "mp3", "mp2float": "mp2", "libopus": "opus", "libvorbis": "vorbis"}
    return known.get(codec, codec)
