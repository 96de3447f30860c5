"""Writing a video: the picture encoded in a thread of its own, the sound beside it."""

from __future__ import annotations

import os
import queue
import threading
from contextlib import ExitStack, suppress
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np

from avloc.errors import MediaError
from avloc.media.chapters import carry_chapters
from avloc.media.closing import Closing
from avloc.media.companions import Companions, Sound, TrackBuilder
from avloc.media.containers import container_for, picture_codec
from avloc.media.filters import Chain
from avloc.media.opening import cores, open_input
from avloc.media.orientation import Orientation
from avloc.media.reader import JPEG_RANGE, VideoReader, frame_bytes
from avloc.media.tracks import Span

# SVT-AV1 tells its settings on stderr unless this says otherwise before it starts.
os.environ.setdefault("SVT_LOG", "1")

QUEUE_BYTES = 48 << 20
"""How much may wait for the encoder; at least two frames do."""

SLICED_FROM = 2560 * 1440
"""Pixels beyond which a picture is encoded in slices and not several frames at a time."""


class VideoWriter(Closing):
    """Encodes frames into a file, with sound, subtitles, chapters and tags of the source.

    Frames keep their times; what happens on the way out (encoding, writing) happens in a thread.
    Errors of the thread are raised at the next call.

    Args:
        path: where to write; the suffix tells the container.
        reader: the source, for its clock, colours and tags.
        size: (width, height) of the frames to come.
        codec: a name of `PICTURE_CODECS`; None takes the container's default.
        sound: what to write along, None for nothing.
        keep_rotation: store the picture turned back, with the rotation as a note to players.
        name: what errors call the file, where `path` is a temporary name.

    Attributes:
        notes: what could not be carried over.

    Raises:
        UsageError: the container does not hold the codec.
        MediaError: the file cannot be written.
    """

    def __init__(
        self,
        path: Path,
        reader: VideoReader,
        size: tuple[int, int],
        codec: str | None = None,
        sound: Sound | None = None,
        keep_rotation: bool = False,
        name: Path | None = None,
    ) -> None:
        self.path = path
        self._name = name or path
        self.notes: list[str] = []
        self._kind = container_for(path)
        self._codec = picture_codec(path, codec)
        self._reader = reader
        self._turn_back = reader.orientation if keep_rotation else Orientation()
        self._chain: Chain | None = None
        self._base = reader.time_base
        self._shift = round(reader.start / self._base)
        self._failure: BaseException | None = None
        self._stack = ExitStack()
        try:
            self._open_some_way(size, sound)
        except BaseException:
            self._close_files()
            raise
        waiting = max(2, min(16, QUEUE_BYTES // max(1, frame_bytes(reader.first))))
        self._queue: queue.Queue[av.VideoFrame | None] = queue.Queue(waiting)
        self._abort = threading.Event()
        self._thread = threading.Thread(target=self._work, name="avloc-writer", daemon=True)
        self._thread.start()

    def write(self, picture: av.VideoFrame) -> None:
        """Take the next frame; blocks while enough are waiting."""
        self._put(picture)

    def close(self) -> None:
        """Finish the file."""
        try:
            self._put(None)
            self._thread.join()
            self._raise()
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Stop the thread, whatever is left to be done."""
        self._abort.set()
        self._thread.join()

    def _put(self, picture: av.VideoFrame | None) -> None:
        while True:
            self._raise()
            try:
                self._queue.put(picture, timeout=0.5)
                return
            except queue.Full:
                continue

    def _raise(self) -> None:
        if self._failure is not None:
            if isinstance(self._failure, av.error.FFmpegError | OSError):
                raise self._error(self._failure) from self._failure
            raise self._failure

    def _error(self, error: BaseException) -> MediaError:
        reason = getattr(error, "strerror", None) or str(error)
        return MediaError(
            f"{self._name}: cannot be written ({reason}); check space and permissions"
        )

    def _open_some_way(self, size: tuple[int, int], sound: Sound | None) -> None:
        """With the sound copied, or, where the container will not have it, encoded anew."""
        try:
            self._open(size, sound, copy=True)
        except av.error.FFmpegError as error:
            self._close_files()
            if sound is None or isinstance(error, OSError):
                raise self._error(error) from error
            self.notes.clear()
            try:
                self._open(size, sound, copy=False)
            except av.error.FFmpegError as again:
                raise self._error(again) from again

    def _close_files(self) -> None:
        """Close everything; an output without its header cannot even be closed without a fuss."""
        with suppress(av.error.FFmpegError):
            self._stack.close()
        self._stack = ExitStack()

    def _open(self, size: tuple[int, int], sound: Sound | None, copy: bool) -> None:
        reader = self._reader
        self._out = self._stack.enter_context(
            av.open(str(self.path.absolute()), "w", container_options=dict(self._kind.options))
        )
        turned = size[::-1] if self._turn_back.transpose else size
        width, height = turned[0] + turned[0] % 2, turned[1] + turned[1] % 2
        rate = Fraction(1 / reader.frame_seconds).limit_denominator(1001)
        options = dict(self._codec.options)
        stream = cast(
            av.VideoStream, self._out.add_stream(self._codec.encoder, rate=rate, options=options)
        )
        context = stream.codec_context
        stream.width, stream.height = width, height
        stream.pix_fmt = reader.format
        context.time_base = self._base
        stream.time_base = self._base
        aspect = reader.sample_aspect
        if aspect != 1:
            context.sample_aspect_ratio = 1 / aspect if self._turn_back.transpose else aspect
        # Slices cost quality, frame threads hold a picture each, which is much memory in 4K.
        context.thread_type = "SLICE" if width * height > SLICED_FROM else "FRAME"
        context.thread_count = 0 if cores() <= 12 else 16
        self._color(context, reader.first)
        if self._codec.tag and self._kind.exact_start:
            context.codec_tag = self._codec.tag
        if not self._turn_back.upright:
            if hasattr(stream, "set_display_matrix"):
                stream.set_display_matrix(self._turn_back.matrix())
            else:
                self._turn_back = Orientation()
                self.notes.append("rotation baked in: keeping it needs PyAV 18")
        self._stream, self._size = stream, (width, height)
        self._companions = self._companions_of(sound, copy)
        self._out.metadata.update(reader.tags)
        stream.metadata.update(reader.labels)
        self._out.start_encoding()

    @staticmethod
    def _color(context: av.VideoCodecContext, like: av.VideoFrame) -> None:
        full = like.color_range == JPEG_RANGE or like.format.name.startswith("yuvj")
        context.color_range = JPEG_RANGE if full else int(like.color_range)
        context.colorspace = int(like.colorspace)
        for name in ("color_primaries", "color_trc"):
            if hasattr(like, name):
                setattr(context, name, int(getattr(like, name)))

    def _companions_of(self, sound: Sound | None, copy: bool) -> list[Companions]:
        """Sound and subtitles; the latter and the video's own sound share one file handle."""
        reader = self._reader
        cut = reader.start > 0
        builder = TrackBuilder(self._out, self._kind, self.path.suffix, copy)
        source = self._stack.enter_context(open_input(reader.path))
        span = Span(reader.origin + reader.start, _plus(reader.end, reader.origin), cut)
        carry_chapters(source, self._out, span)
        tracks = builder.sounds(source, sound, span) if sound is not None and sound.own else []
        tracks += builder.subtitles(source, span)
        found = [Companions(source, tracks, span)] if tracks else []
        if sound is not None and not sound.own:
            other = self._stack.enter_context(open_input(sound.path))
            stop = reader.end if reader.end is not None else reader.stated_end
            alien = Span(reader.start, stop, cut)
            found.append(Companions(other, builder.sounds(other, sound, alien), alien))
        self.notes += builder.notes
        return found

    def _work(self) -> None:
        try:
            with self._stack:
                while True:
                    try:
                        picture = self._queue.get(timeout=0.2)
                    except queue.Empty:
                        if self._abort.is_set():
                            return
                        continue
                    if picture is None:
                        self._finish()
                        return
                    if self._abort.is_set():
                        return
                    self._encode(picture)
        except BaseException as error:
            self._failure = error

    def _encode(self, picture: av.VideoFrame) -> None:
        picture.pts = (picture.pts or 0) - self._shift
        picture.time_base = self._base
        if not self._turn_back.upright:
            picture = self._turned_back(picture)
        if (picture.width, picture.height) != self._size:
            picture = padded(picture, *self._size)
        picture.pict_type = 0  # The source's key frames are not the encoder's.
        self._mux(self._stream.encode(picture))

    def _turned_back(self, picture: av.VideoFrame) -> av.VideoFrame:
        if self._chain is None:
            self._chain = Chain(self._turn_back.inverse.filters(), picture, self._base)
        return next(self._chain.push(picture))

    def _mux(self, packets: list[av.Packet]) -> None:
        for packet in packets:
            stamp = packet.dts if packet.dts is not None else packet.pts
            if stamp is not None:
                seconds = float(stamp * packet.time_base)
                for companions in self._companions:
                    for other in companions.until(seconds):
                        self._out.mux(other)
            self._out.mux(packet)

    def _finish(self) -> None:
        self._mux(self._stream.encode(None))
        for companions in self._companions:
            for packet in companions.rest():
                self._out.mux(packet)
        self._out.close()


def padded(picture: av.VideoFrame, width: int, height: int) -> av.VideoFrame:
    """The picture with its last row and column repeated up to `width` x `height`."""
    out = av.VideoFrame(width, height, picture.format.name)
    out.pts, out.time_base = picture.pts, picture.time_base
    out.colorspace, out.color_range = picture.colorspace, picture.color_range
    kind = np.uint16 if picture.format.name.endswith("10le") else np.uint8
    for source, target in zip(picture.planes, out.planes, strict=True):
        stride = source.line_size // kind().itemsize
        values = np.frombuffer(memoryview(source), kind).reshape(-1, stride)
        values = values[: source.height, : source.width]
        edge = ((0, target.height - source.height), (0, target.width - source.width))
        wide = target.line_size // kind().itemsize
        room = np.frombuffer(memoryview(target), kind).reshape(-1, wide)
        room[: target.height, : target.width] = np.pad(values, edge, mode="edge")
    return out


def _plus(seconds: float | None, more: float) -> float | None:
    return None if seconds is None else seconds + more
