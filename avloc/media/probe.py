"""What is in a media file, without reading it through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from avloc.errors import MediaError
from avloc.media.opening import is_still, open_input
from avloc.media.orientation import Orientation, orientation_of

INTERLACED_ORDERS = (2, 3, 4, 5)
"""AVFieldOrder: top or bottom field first, as coded and as displayed."""


@dataclass(frozen=True)
class VideoTrack:
    """The picture of a file.

    Attributes:
        index: of the stream in the file.
        codec: name of the codec.
        coded_width, coded_height: pixels as stored.
        width, height: pixels as displayed: turned, and stretched to square pixels.
        orientation: how the stored picture has to be turned.
        sample_aspect: width of a stored pixel divided by its height.
        fps: average frames a second; 0 for a still.
        duration: seconds, as the file states it; None where it does not.
        start: seconds at which the first frame is shown.
        format: pixel format.
        color_range, color_matrix, color_primaries, color_transfer: FFmpeg's numbers.
        interlaced: whether frames are woven of two fields.
        still: whether it is a picture and not a video.
    """

    index: int
    codec: str
    coded_width: int
    coded_height: int
    width: int
    height: int
    orientation: Orientation
    sample_aspect: Fraction
    fps: float
    duration: float | None
    start: float
    format: str
    color_range: int
    color_matrix: int
    color_primaries: int
    color_transfer: int
    interlaced: bool
    still: bool

    @property
    def rotation(self) -> int:
        """Degrees clockwise by which the stored picture is turned for display."""
        return self.orientation.rotation


@dataclass(frozen=True)
class SoundTrack:
    """A sound track: its place among the sound tracks, and what it holds."""

    index: int
    codec: str
    rate: int
    channels: int
    language: str | None
    title: str | None
    start: float
    duration: float | None
    default: bool


@dataclass(frozen=True)
class SubtitleTrack:
    """A subtitle track: its place among the subtitle tracks."""

    index: int
    codec: str
    language: str | None


@dataclass(frozen=True)
class MediaInfo:
    """A media file.

    Attributes:
        path: the file.
        format: FFmpeg's name of the container.
        duration: seconds of the longest track; None where the file does not say.
        video: the picture; None in a sound file.
        sounds, subtitles: the other tracks.
        tags: title, artist and the like.
    """

    path: Path
    format: str
    duration: float | None
    video: VideoTrack | None
    sounds: tuple[SoundTrack, ...]
    subtitles: tuple[SubtitleTrack, ...]
    tags: Mapping[str, str] = field(default_factory=dict)


def probe(path: str | Path) -> MediaInfo:
    """Read the headers of a file and its first picture.

    Raises:
        MediaError: the file is missing, empty, a folder, not media, or has neither picture nor
            sound.
    """
    with open_input(path) as container:
        video = video_stream(container)
        info = MediaInfo(
            path=Path(path),
            format=container.format.name,
            duration=None if container.duration is None else container.duration / av.time_base,
            video=None if video is None else _video(container, video),
            sounds=_sounds(container),
            subtitles=tuple(
                SubtitleTrack(place, stream.codec_context.name, stream.language)
                for place, stream in enumerate(container.streams.subtitles)
                if stream.codec_context is not None
            ),
            tags=dict(container.metadata),
        )
    if info.video is None and not info.sounds:
        raise MediaError(f"{path}: holds neither picture nor sound; is it a video?")
    return info


def video_stream(container: InputContainer) -> VideoStream | None:
    """The stream that is the picture; cover art is none. Of several the best, as FFmpeg picks."""
    real = [
        stream
        for stream in container.streams.video
        if not stream.disposition & Disposition.attached_pic and stream.codec_context is not None
    ]
    best = container.streams.best("video")
    return best if best in real else (real[0] if real else None)


def track_times(stream: av.stream.Stream) -> tuple[float, float | None]:
    """Start and duration of a stream in seconds; Matroska keeps the latter in a tag."""
    base = stream.time_base or Fraction(1, av.time_base)
    start = 0.0 if stream.start_time is None else float(stream.start_time * base)
    if stream.duration:
        return start, float(stream.duration * base)
    hours, _, rest = stream.metadata.get("DURATION", "").partition(":")
    minutes, _, seconds = rest.partition(":")
    try:
        return start, int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    except ValueError:
        return start, None


def _video(container: InputContainer, stream: VideoStream) -> VideoTrack:
    frame = _first_frame(container, stream)
    orientation = Orientation() if frame is None else orientation_of(frame)
    width, height = stream.width, stream.height
    aspect = stream.sample_aspect_ratio or Fraction(1)
    shown = (max(1, round(width * aspect)), height)
    start, duration = track_times(stream)
    still = is_still(container)
    context = stream.codec_context
    return VideoTrack(
        index=stream.index,
        codec=context.name,
        coded_width=width,
        coded_height=height,
        width=shown[1] if orientation.transpose else shown[0],
        height=shown[0] if orientation.transpose else shown[1],
        orientation=orientation,
        sample_aspect=aspect,
        fps=0.0 if still else float(stream.average_rate or stream.guessed_rate or 0),
        duration=None if still else duration,
        start=start,
        format=context.pix_fmt or "unknown",
        color_range=int(context.color_range),
        color_matrix=int(context.colorspace),
        color_primaries=int(context.color_primaries),
        color_transfer=int(context.color_trc),
        interlaced=getattr(context, "field_order", 0) in INTERLACED_ORDERS
        or (frame is not None and frame.interlaced_frame),
        still=still,
    )


def _first_frame(container: InputContainer, stream: VideoStream) -> av.VideoFrame | None:
    """The first picture that decodes, None where none of the first hundred packets does."""
    stream.thread_type = "SLICE"
    try:
        for count, packet in enumerate(container.demux(stream)):
            try:
                frames = packet.decode()
            except av.error.FFmpegError:
                frames = []
            if frames:
                return frames[0]
            if count > 100:
                break
    except av.error.FFmpegError:
        return None
    return None


def _sounds(container: InputContainer) -> tuple[SoundTrack, ...]:
    best = container.streams.best("audio", related=video_stream(container))
    tracks = []
    for place, stream in enumerate(container.streams.audio):
        start, duration = track_times(stream)
        tracks.append(
            SoundTrack(
                index=place,
                codec=stream.codec_context.name,
                rate=stream.rate,
                channels=stream.channels,
                language=stream.language,
                title=stream.metadata.get("title"),
                start=start,
                duration=duration,
                default=stream is best,
            )
        )
    return tuple(tracks)
