"""The sound of a file one chunk after the other, mono, at the rate a model wants."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import InputContainer

from avloc.errors import NoAudioError, UsageError
from avloc.media.closing import Closing
from avloc.media.opening import open_input, packets_of
from avloc.media.probe import video_stream

GAP = 0.05
"""Seconds by which times may disagree with the count of samples before samples are added or
dropped; containers round, and that must not tear the wave."""

SEEK_FROM = 20.0
"""Seconds from which on skipping is worth a seek; before, the wave is read from its start."""

PREROLL = 1.0
"""Seconds decoded before those that are wanted, since codecs take time to settle."""


class SoundReader(Closing):
    """Chunks of a sound track: mean of the channels, float32, gaps filled with silence.

    Args:
        path: a file with sound.
        rate: Hz of the chunks.
        track: its place among the sound tracks; None takes the default one.
        origin: seconds on the file's clock that count as zero, see `VideoReader.origin`.
        skip: seconds that need not be read; the first chunk starts there or earlier.
        seek_from: seconds from which on skipping is done by a seek.

    Attributes:
        start: seconds at which the sound starts, after `origin`.
        first: seconds of the first sample that is read.

    Raises:
        MediaError: the file cannot be read.
        NoAudioError: it has no sound.
        UsageError: it has no such track.
    """

    def __init__(
        self,
        path: str | Path,
        rate: int,
        track: int | None = None,
        origin: float = 0.0,
        skip: float = 0.0,
        seek_from: float = SEEK_FROM,
    ) -> None:
        self.rate = rate
        self._seek_from = seek_from
        self._container = open_input(path)
        try:
            self._stream = sound_stream(self._container, track, path)
            self._origin = origin
            self._open(skip)
        except BaseException:
            self._container.close()
            raise

    def _open(self, skip: float) -> None:
        for stream in self._container.streams:
            if stream is not self._stream:
                discard(stream)
        self._stream.codec_context.thread_type = "SLICE"
        self._next: float | None = None  # seconds at which the next sample should sound
        self._resampler: av.AudioResampler | None = None
        self._kind: tuple[str, str, int] | None = None
        frames = self._frames()
        first = next(frames, None)
        self.start = self._time(first) if first is not None else 0.0
        if first is not None and skip - self.start > self._seek_from and self._seek(skip - PREROLL):
            frames = self._frames()
            first = next(frames, None)
        self.first = self._time(first) if first is not None else self.start
        self._chunks = self._resampled(first, frames)

    def __iter__(self) -> Iterator[np.ndarray]:
        return self._chunks

    def read_all(self) -> np.ndarray:
        """What is left, (n,) float32. For short sounds: it is held in memory."""
        return np.concatenate([np.zeros(0, np.float32), *self._chunks])

    def close(self) -> None:
        """Release the file."""
        self._container.close()

    def _seek(self, seconds: float) -> bool:
        base = Fraction(self._stream.time_base or Fraction(1, av.time_base))
        try:
            self._container.seek(int((seconds + self._origin) / base), stream=self._stream)
        except av.error.FFmpegError:
            return False
        return True

    def _time(self, frame: av.AudioFrame) -> float:
        if frame.pts is not None and frame.time_base:
            return float(frame.pts * frame.time_base) - self._origin
        if self._next is not None:
            return self._next
        start, base = self._stream.start_time, self._stream.time_base
        return (float(start * base) if start is not None and base else 0.0) - self._origin

    def _frames(self) -> Iterator[av.AudioFrame]:
        """Decoded frames; packets that do not decode are left out."""
        for packet in packets_of(self._container, self._stream):
            try:
                yield from cast(list[av.AudioFrame], packet.decode())
            except av.error.FFmpegError:
                continue

    def _resampled(
        self, first: av.AudioFrame | None, rest: Iterator[av.AudioFrame]
    ) -> Iterator[np.ndarray]:
        frame = first
        while frame is not None:
            time = self._time(frame)
            if self._next is None:
                self._next = time
            gap = time - self._next
            if gap > GAP:
                yield from self._silence(gap, frame)
            length = frame.samples / frame.sample_rate
            if gap < -GAP and time + length <= self._next + GAP:
                frame = next(rest, None)  # Told twice.
                continue
            self._next += length
            yield from self._convert(frame)
            frame = next(rest, None)
        yield from self._flush()

    def _silence(self, seconds: float, like: av.AudioFrame) -> Iterator[np.ndarray]:
        """Fed through the resampler, so that the wave goes on without a seam."""
        samples = round(seconds * like.sample_rate)
        self._next = (self._next or 0.0) + samples / like.sample_rate
        while samples > 0:
            size = min(samples, like.sample_rate)
            yield from self._convert(_silent(like, size))
            samples -= size

    def _convert(self, frame: av.AudioFrame) -> Iterator[np.ndarray]:
        kind = (frame.format.name, frame.layout.name, frame.sample_rate)
        if self._resampler is None or kind != self._kind:
            yield from self._flush()
            self._resampler = av.AudioResampler("fltp", None, self.rate)
            self._kind = kind
        frame.pts = None  # Times are counted here; the resampler would only warn of them.
        for out in self._resampler.resample(frame):
            yield _mono(out)

    def _flush(self) -> Iterator[np.ndarray]:
        if self._resampler is not None:
            for out in self._resampler.resample(None):
                yield _mono(out)
        self._resampler = None


def sound_stream(container: InputContainer, track: int | None, path: str | Path) -> AudioStream:
    """The sound track number `track`, or the default one.

    Raises:
        NoAudioError: there is no sound in the file.
        UsageError: there is no such track.
    """
    tracks = list(container.streams.audio)
    if not tracks:
        raise NoAudioError(
            f"{path}: no sound track; --audio FILE gives it one, --no-audio localizes by the "
            "picture alone"
        )
    if track is None:
        best = container.streams.best("audio", related=video_stream(container))
        return best if best in tracks else tracks[0]
    if not 0 <= track < len(tracks):
        raise UsageError(f"{path}: no sound track {track}; there are 0 to {len(tracks) - 1}")
    return tracks[track]


def read_wave(
    path: str | Path, rate: int, track: int | None = None, origin: float = 0.0
) -> tuple[np.ndarray, float]:
    """A whole sound track: (n,) float32 mono, and the seconds at which it starts."""
    with SoundReader(path, rate, track, origin) as reader:
        return reader.read_all(), reader.start


def discard(stream: av.stream.Stream) -> None:
    """Let the demuxer skip a stream."""
    try:
        stream.discard = av.stream.Discard.all
    except AttributeError:  # PyAV before 17 reads it and drops it later.
        return


def _mono(frame: av.AudioFrame) -> np.ndarray:
    channels = frame.to_ndarray()  # (c, n)
    return channels[0] if len(channels) == 1 else channels.mean(axis=0, dtype=np.float32)


def _silent(like: av.AudioFrame, samples: int) -> av.AudioFrame:
    frame = av.AudioFrame(like.format.name, like.layout.name, samples)
    frame.sample_rate = like.sample_rate
    zero = b"\x80" if like.format.name.startswith("u8") else b"\x00"
    for plane in frame.planes:
        plane.update(zero * plane.buffer_size)
    return frame
