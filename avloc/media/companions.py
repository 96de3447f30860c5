"""What comes along with a picture: which tracks of the source, and in what order of time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer

from avloc.media.containers import Container, base_name
from avloc.media.opening import packets_of
from avloc.media.sound import discard, sound_stream
from avloc.media.tracks import (
    TEXT_SUBTITLES,
    CopiedSound,
    EncodedSound,
    Span,
    Subtitles,
    Track,
)


@dataclass(frozen=True)
class Sound:
    """The sound that is written along.

    Attributes:
        path: where it comes from.
        track: its place among the sound tracks there; None takes the default one.
        own: whether it is the video's own file, on the same clock; then its other sound tracks
            come along as well.
    """

    path: Path
    track: int | None
    own: bool


class Companions:
    """Tracks of one source file, packet by packet in order of time.

    Args:
        source: the file; nobody else reads from it.
        tracks: those that are wanted.
        span: the part that is written.
    """

    def __init__(self, source: InputContainer, tracks: Sequence[Track], span: Span) -> None:
        self._tracks = {track.source.index: track for track in tracks}
        self._span = span
        for stream in source.streams:
            if stream.index not in self._tracks:
                discard(stream)
        self._packets = self._demux(source, [track.source for track in tracks])
        self._ahead: tuple[float, av.Packet] | None = None

    def until(self, seconds: float) -> Iterator[av.Packet]:
        """Output packets up to `seconds` on the output's clock."""
        yield from self._until(self._span.start + seconds)

    def rest(self) -> Iterator[av.Packet]:
        """Everything that is left of the span."""
        yield from self._until(float("inf") if self._span.end is None else self._span.end)
        yield from chain.from_iterable(track.finish() for track in self._tracks.values())

    def _until(self, seconds: float) -> Iterator[av.Packet]:
        while True:
            if self._ahead is None:
                self._ahead = next(self._packets, None)
                if self._ahead is None:
                    return
            time, packet = self._ahead
            if time > seconds:
                return
            self._ahead = None
            yield from self._tracks[packet.stream.index].feed(packet)

    @staticmethod
    def _demux(
        source: InputContainer, streams: list[av.stream.Stream]
    ) -> Iterator[tuple[float, av.Packet]]:
        last = float("-inf")
        for packet in packets_of(source, *streams):
            stamp = packet.dts if packet.dts is not None else packet.pts
            if stamp is not None:
                last = float(stamp * packet.time_base)
            yield last, packet


class TrackBuilder:
    """Gives an output its sound and subtitle tracks.

    Args:
        out: the output, before its header is written.
        container: what it can hold.
        suffix: what notes call it.
        copy: whether sound goes in as it is where that is allowed.

    Attributes:
        notes: what had to be left out.
    """

    def __init__(self, out: OutputContainer, container: Container, suffix: str, copy: bool) -> None:
        self._out, self._container, self._suffix, self._copy = out, container, suffix, copy
        self.notes: list[str] = []

    def sounds(self, source: InputContainer, sound: Sound, span: Span) -> list[Track]:
        """The chosen sound track, which players take by default, and its file's others.

        Raises:
            NoAudioError: there is none.
            UsageError: there is no such track.
        """
        chosen = sound_stream(source, sound.track, sound.path)
        tracks = [self._sound(chosen, span, default=True)]
        for place, stream in enumerate(source.streams.audio if sound.own else ()):
            if stream is chosen:
                continue
            try:
                tracks.append(self._sound(stream, span, default=False))
            except (ValueError, AttributeError, av.error.FFmpegError):
                self.notes.append(f"sound track {place} left out: it cannot be read")
        return tracks

    def subtitles(self, source: InputContainer, span: Span) -> list[Track]:
        """All subtitle tracks that fit."""
        tracks: list[Track] = []
        for stream in source.streams.subtitles:
            name = stream.codec_context.name if stream.codec_context else "unknown"
            if name not in self._container.subtitles and name not in TEXT_SUBTITLES:
                self.notes.append(f"{name} subtitles left out: {self._suffix} does not hold them")
                continue
            try:
                tracks.append(Subtitles(self._out, stream, span, self._container))
            except (ValueError, AttributeError, av.error.FFmpegError):
                self.notes.append(f"{name} subtitles left out: they cannot be converted")
        return tracks

    def _sound(self, stream: AudioStream, span: Span, default: bool) -> Track:
        copied = self._container.copied
        if self._copy and (copied is None or base_name(stream.codec_context.name) in copied):
            try:
                return CopiedSound(self._out, stream, span, self._container, default)
            except ValueError:  # The muxer knows better.
                pass
        return EncodedSound(self._out, stream, span, self._container, default)
