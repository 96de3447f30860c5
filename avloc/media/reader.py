"""The frames of a video one after the other, in constant memory, as they are to be displayed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, count
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from avloc.errors import MediaError
from avloc.media.closing import Closing
from avloc.media.decoding import Decoder
from avloc.media.filters import Chain, Step, kind_of
from avloc.media.opening import is_still, open_input
from avloc.media.orientation import Orientation, orientation_of
from avloc.media.pixels import ONE_THREAD, frame_matrix
from avloc.media.probe import video_stream

Picture = av.VideoFrame
"""A frame, for those who hand it on without knowing PyAV."""

STILL_RATE = 25
"""Frames a second of a picture that stands still for as long as a sound lasts."""

TAGS = ("title", "artist", "album", "date", "comment", "genre", "copyright", "description")
"""Tags of a file that its result keeps, where they are called so in lower case."""

JPEG_RANGE = 2
"""AVCOL_RANGE_JPEG: luma uses all code values."""


@dataclass(frozen=True)
class Shown:
    """A frame and the moment it is shown at.

    Attributes:
        picture: upright, its ``pts`` counted from the start of the video.
        time: seconds from the start of the video.
    """

    picture: av.VideoFrame
    time: float


class VideoReader(Closing):
    """Frames of the best video track, upright, progressive, 4:2:0, with their own times.

    Time zero is the first frame (or where it should have been, in a file damaged at its
    beginning). What cannot be decoded is left out and counted in `lost_seconds`.

    Args:
        path: a video, or a still picture.
        start, end: seconds; only frames shown in [start, end) are read.
        deep: keep ten bits where the source has more than eight.
        still_seconds: how long a still picture is shown.

    Attributes:
        path: the file.
        origin: seconds on the clock of the file's streams at time zero.
        width, height: pixels of the frames.
        format: their pixel format.
        time_base: seconds a tick of the frames' ``pts``.
        sample_aspect: width of a pixel divided by its height.
        frame_seconds: how long a frame is shown, typically.
        stated_end: seconds at which the file says that it ends; None where it does not say.
        orientation: how the stored picture was turned.
        tags, labels: title and the like of the file; language and title of the track.
        first: the first frame, for its format and colours.

    Raises:
        MediaError: not a readable video, or not a single frame of it decodes.
    """

    def __init__(
        self,
        path: str | Path,
        start: float = 0.0,
        end: float | None = None,
        deep: bool = False,
        still_seconds: float = 1.0,
    ) -> None:
        self.path = Path(path)
        self.start, self.end = max(0.0, start), end
        self._container = open_input(path)
        self._scaler = VideoReformatter()
        try:
            self._open(deep, still_seconds)
        except BaseException:
            self._container.close()
            raise

    def _open(self, deep: bool, still_seconds: float) -> None:
        stream = video_stream(self._container)
        if stream is None:
            raise MediaError(f"{self.path}: no picture in it; use it as --audio of a picture")
        self.still = is_still(self._container)
        self._decoder = Decoder(self._container, stream)
        self._deep = deep
        raw = next(self._decoder, None)
        if raw is None:
            raise MediaError(f"{self.path}: not a single frame can be decoded")
        self.origin = self._decoder.origin
        self.frame_seconds = self._decoder.frame_seconds
        self.orientation = orientation_of(raw)
        aspect = stream.sample_aspect_ratio or Fraction(1)
        self.sample_aspect = 1 / aspect if self.orientation.transpose else aspect
        self._target = self._format_of(raw)
        metadata = ((key.lower(), value) for key, value in self._container.metadata.items())
        self.tags = {key: value for key, value in metadata if key in TAGS}
        kept = ("language", "title")
        self.labels = {key: value for key, value in stream.metadata.items() if key in kept}
        self._turned_size: tuple[int, int] | None = None
        self._weave = False
        self._chain: Chain | None = None
        if self.still:
            self.frame_seconds = 1 / STILL_RATE
            self.end = min(still_seconds, still_seconds if self.end is None else self.end)
            self.stated_end: float | None = self.end
            frames: Iterator[av.VideoFrame] = self._hold(raw)
        else:
            self.stated_end = self._decoder.stated_end
            if self.start > 0 and self._decoder.seek(self.start):
                frames = self._finish(self._decoder)
            else:
                frames = self._finish(chain([raw], self._decoder))
        shown = next(frames, None)
        if shown is None:
            raise self._nothing()
        self.first = shown
        self.width, self.height = shown.width, shown.height
        self.format = shown.format.name
        self.time_base = Fraction(shown.time_base or Fraction(1, STILL_RATE))
        self._frames = chain([shown], frames)

    @property
    def duration(self) -> float | None:
        """Seconds that will be read, as far as the file tells."""
        if self.stated_end is None:
            return None if self.end is None else self.end - self.start
        stop = self.stated_end if self.end is None else min(self.end, self.stated_end)
        return max(0.0, stop - self.start)

    @property
    def lost_seconds(self) -> float:
        """Seconds that could not be read so far; complete after the last frame."""
        return 0.0 if self.still else self._decoder.lost_seconds

    def __iter__(self) -> Iterator[Shown]:
        last = -1
        for picture in self._frames:
            if picture.pts is None or picture.pts <= last:
                picture.pts = last + 1
            time = float(picture.pts * self.time_base)
            # Half a millisecond: times of Matroska are rounded to milliseconds.
            if time < self.start - 5e-4:
                continue
            if self.end is not None and time >= self.end - 5e-4:
                if last < 0:
                    raise self._nothing()
                return
            last = picture.pts
            yield Shown(picture, time)
        if last < 0:
            raise self._nothing()
        if self.end is None or (self.stated_end is not None and self.end > self.stated_end):
            self._decoder.count_missing_end()

    def rgb(self, picture: av.VideoFrame) -> np.ndarray:
        """The picture as (H, W, 3) uint8 RGB."""
        return to_rgb(picture, self._scaler)

    def close(self) -> None:
        """Release the file."""
        self._container.close()

    def _nothing(self) -> MediaError:
        if self.start > 0 or self.end is not None:
            stop = "" if self.end is None else f" and before {self.end:g} s"
            return MediaError(
                f"{self.path}: no frame from {self.start:g} s on{stop}; check the times"
            )
        return MediaError(f"{self.path}: not a single frame can be decoded")

    def _format_of(self, raw: av.VideoFrame) -> str:
        name = raw.format.name
        if self._deep and max(part.bits for part in raw.format.components) > 8:
            return "yuv420p10le"
        full = name.startswith("yuvj") or (name.startswith("gray") and self.still)
        return "yuvj420p" if full else "yuv420p"

    def _hold(self, raw: av.VideoFrame) -> Iterator[av.VideoFrame]:
        """One picture again and again."""
        tail = [("loop", "loop=-1:size=1"), ("setpts", "N"), ("settb", f"1/{STILL_RATE}")]
        steps = [*self._steps(raw), *tail]
        raw.pts = 0
        graph = Chain(steps, raw, Fraction(1, STILL_RATE))
        frames = graph.push(raw)
        for number in count():
            frame = next(frames, None)
            if frame is None:
                return
            frame.pts, frame.time_base = number, Fraction(1, STILL_RATE)
            yield frame

    def _finish(self, raws: Iterator[av.VideoFrame]) -> Iterator[av.VideoFrame]:
        """Turned, deinterlaced and converted where that is needed."""
        for raw in raws:
            if raw.interlaced_frame and not self._weave:
                self._weave = True
                yield from self._end_chain()
            if self._chain is not None and self._chain.kind != kind_of(raw):
                yield from self._end_chain()
            if self._chain is None:
                steps = self._steps(raw)
                if not steps:
                    yield raw
                    continue
                base = Fraction(raw.time_base or self._decoder.time_base)
                self._chain = Chain(steps, raw, base)
            yield from self._chain.push(raw)
        yield from self._end_chain()

    def _end_chain(self) -> Iterator[av.VideoFrame]:
        if self._chain is not None:
            yield from self._chain.push(None)
        self._chain = None

    def _steps(self, raw: av.VideoFrame) -> list[Step]:
        steps: list[Step] = []
        if self._weave or raw.interlaced_frame:
            base = Fraction(raw.time_base or self._decoder.time_base)
            steps += [
                ("bwdif", "mode=send_frame:deint=interlaced"),
                ("settb", f"{base.numerator}/{base.denominator}"),
            ]
        steps += self.orientation.filters()
        size = (raw.width, raw.height)
        if self.orientation.transpose:
            size = size[::-1]
        if self._turned_size is None:
            self._turned_size = size
        scale = (
            "" if size == self._turned_size else f"{self._turned_size[0]}:{self._turned_size[1]}:"
        )
        if not raw.format.name.startswith("yuv") or not raw.format.components[0].is_luma:
            steps += [("scale", f"{scale}out_color_matrix={_matrix(raw)}:out_range=tv")]
            if self._target == "yuvj420p":
                steps[-1] = ("scale", f"{scale}out_color_matrix={_matrix(raw)}:out_range=pc")
        elif scale:
            steps += [("scale", scale.rstrip(":"))]
        if raw.format.name != self._target:
            steps += [("format", self._target)]
        return steps


def to_rgb(picture: av.VideoFrame, scaler: VideoReformatter | None = None) -> np.ndarray:
    """A picture as (H, W, 3) uint8 RGB, by the colour matrix it states or players assume.

    Pass the same `scaler` for many pictures: making one costs more than using it.
    """
    matrix = {"bt709": "ITU709", "bt601": "ITU601", "bt2020": "BT2020"}[frame_matrix(picture)]
    full = picture.color_range == JPEG_RANGE or picture.format.name.startswith("yuvj")
    rgb = (scaler or VideoReformatter()).reformat(
        picture,
        format="rgb24",
        src_colorspace=matrix,  # type: ignore[arg-type]
        src_color_range="JPEG" if full else "MPEG",
        dst_color_range="JPEG",
        **ONE_THREAD,
    )
    return rgb.to_ndarray()


def _matrix(raw: av.VideoFrame) -> str:
    return "bt709" if raw.width > 1024 or raw.height > 576 else "bt601"


def frame_bytes(picture: av.VideoFrame) -> int:
    """Bytes of memory a picture takes."""
    return sum(plane.buffer_size for plane in picture.planes)


__all__ = ["Orientation", "Shown", "VideoReader", "frame_bytes", "to_rgb"]
