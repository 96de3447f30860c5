"""Sound and subtitles on their way from a source file into an output, packet by packet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Protocol, cast

import av
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.stream import Disposition
from av.subtitles.stream import SubtitleStream

from avloc.media.containers import Container, base_name

PRIMING = 0.1
"""Seconds before zero in which a codec keeps samples that only prepare its decoder."""


class Track(Protocol):
    """Turns the packets of one source stream into packets of one output stream."""

    @property
    def source(self) -> av.stream.Stream:
        """Where the packets come from."""
        ...

    def feed(self, packet: av.Packet) -> Iterable[av.Packet]:
        """What `packet` becomes, its times on the output's clock."""
        ...

    def finish(self) -> Iterable[av.Packet]:
        """What is left after the last packet."""
        ...


class Span:
    """The part of the source that is written, in seconds on the source's own clock.

    Args:
        start: becomes zero.
        end: where the output ends; None is the end of the source.
        cut: whether `start` lies after the beginning of the source.
    """

    def __init__(self, start: float, end: float | None, cut: bool) -> None:
        self.start, self.end, self.cut = start, end, cut

    def ticks(self, base: Fraction) -> int:
        """`start` in units of `base`."""
        return round(self.start / base)

    def ends_before(self, seconds: float) -> bool:
        """Whether the output is over at this moment of the source."""
        return self.end is not None and seconds >= self.end - 1e-6


class CopiedSound:
    """Sound packets as they are, moved in time."""

    def __init__(
        self,
        out: OutputContainer,
        source: AudioStream,
        span: Span,
        container: Container,
        default: bool = True,
    ) -> None:
        self.source = source
        self._stream = out.add_stream_from_template(source)
        _label(self._stream, source)
        _mark(self._stream, source, default)
        self._span, self._container = span, container
        # Matroska keeps Opus' own pre-roll apart, so its times may begin before zero.
        self._before_zero = container.exact_start or base_name(source.codec_context.name) == "opus"

    def feed(self, packet: av.Packet) -> Iterable[av.Packet]:
        if packet.pts is None or not packet.size:
            return []
        base = Fraction(packet.time_base)
        time = float(packet.pts * base)
        length = float((packet.duration or 0) * base)
        earliest = self._span.start
        if self._before_zero:
            # The packet that `start` falls into and the one before it; the player cuts them.
            earliest -= (2 * length if self._span.cut else max(PRIMING, length)) - 1e-6
        elif not self._span.cut:
            earliest -= 1e-3
        if time < earliest or self._span.ends_before(time):
            return []
        shift = self._span.ticks(base)
        packet.pts -= shift
        if packet.dts is not None:
            packet.dts -= shift
        if not self._before_zero and packet.pts < 0:
            packet.pts = packet.dts = 0
        packet.stream = self._stream
        return [packet]

    def finish(self) -> Iterable[av.Packet]:
        return []


class EncodedSound:
    """Sound decoded and encoded anew, gaps filled with silence."""

    def __init__(
        self,
        out: OutputContainer,
        source: AudioStream,
        span: Span,
        container: Container,
        default: bool = True,
    ) -> None:
        self.source = source
        rate = 48_000 if container.sound == "opus" else _aac_rate(source.rate)
        encoder = "libopus" if container.sound == "opus" else container.sound
        self._stream = cast(AudioStream, out.add_stream(encoder, rate=rate))
        self._stream.layout = "mono" if source.channels == 1 else "stereo"
        self._stream.bit_rate = 96_000 * (1 if source.channels == 1 else 2)
        _label(self._stream, source)
        _mark(self._stream, source, default)
        self._rate = rate
        self._span = span
        self._graph: av.filter.Graph | None = None
        self._sent = 0

    def feed(self, packet: av.Packet) -> Iterator[av.Packet]:
        try:
            frames = cast(list[av.AudioFrame], packet.decode())
        except av.error.FFmpegError:
            return  # A damaged packet; `aresample` fills the gap.
        for frame in frames:
            if frame.pts is None:
                continue
            if self._graph is None:
                self._graph = self._build(frame)
            self._graph.push(frame)
            yield from self._drain()

    def finish(self) -> Iterator[av.Packet]:
        if self._graph is not None:
            self._graph.push(None)
            yield from self._drain()
        yield from self._own(self._stream.encode(None))

    def _build(self, frame: av.AudioFrame) -> av.filter.Graph:
        base = Fraction(frame.time_base or Fraction(1, frame.sample_rate))
        graph = av.filter.Graph()
        trim = f"start={max(self._span.start, 0):.6f}"
        if self._span.end is not None:
            trim += f":end={self._span.end:.6f}"
        nodes = [
            graph.add_abuffer(
                sample_rate=frame.sample_rate,
                format=frame.format,
                layout=frame.layout,
                time_base=base,
            ),
            graph.add("atrim", trim),
            graph.add("asetpts", f"PTS-{self._span.start:.6f}/TB"),
            graph.add("aresample", f"{self._rate}:async=1:first_pts=0"),
            graph.add(
                "aformat",
                f"sample_fmts={self._stream.format.name}"
                f":channel_layouts={self._stream.layout.name}",
            ),
            graph.add("abuffersink"),
        ]
        graph.link_nodes(*nodes).configure()
        return graph

    def _drain(self) -> Iterator[av.Packet]:
        while self._graph is not None:
            try:
                frame = cast(av.AudioFrame, self._graph.pull())
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            frame.pts, frame.time_base = self._sent, Fraction(1, self._rate)
            self._sent += frame.samples
            yield from self._own(self._stream.encode(frame))

    def _own(self, packets: list[av.Packet]) -> Iterator[av.Packet]:
        for packet in packets:
            packet.stream = self._stream
            yield packet


class Subtitles:
    """Subtitles copied, or text of one kind turned into text of another."""

    def __init__(
        self, out: OutputContainer, source: SubtitleStream, span: Span, container: Container
    ) -> None:
        self.source = source
        self._span = span
        self._text = source.codec_context.name not in container.subtitles
        if self._text:
            name = "srt" if container.text == "subrip" else container.text
            self._stream = cast(SubtitleStream, out.add_stream(name))
            self._stream.codec_context.subtitle_header = _ASS_HEADER
            self._stream.codec_context.time_base = Fraction(1, 1000)
            self._stream.time_base = Fraction(1, 1000)
        else:
            self._stream = out.add_stream_from_template(source)
        self._mov = container.text == "mov_text"
        _label(self._stream, source)

    def feed(self, packet: av.Packet) -> Iterator[av.Packet]:
        if packet.pts is None or not packet.size:
            return
        base = Fraction(packet.time_base)
        time, length = float(packet.pts * base), float((packet.duration or 0) * base)
        if time + length <= self._span.start or self._span.ends_before(time):
            return
        begin = max(0.0, time - self._span.start)
        stop = time + length if self._span.end is None else min(time + length, self._span.end)
        if self._text:
            text = _text_of(packet)
            if text is None:
                return
            body = text.encode()
            packet = av.Packet(len(body).to_bytes(2, "big") + body if self._mov else body)
            base = Fraction(1, 1000)
            packet.time_base = base
        packet.pts = packet.dts = round(begin / base)
        packet.duration = round(max(0.0, stop - self._span.start - begin) / base)
        packet.stream = self._stream
        yield packet

    def finish(self) -> Iterable[av.Packet]:
        return []


TEXT_SUBTITLES = frozenset({"mov_text", "subrip", "srt", "ass", "ssa", "webvtt", "text"})
"""Subtitles that are text, and not pictures of text."""

_ASS_HEADER = b"""[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, \
Bold, Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, \
Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
Style: Default,Arial,16,&Hffffff,&Hffffff,&H0,&H0,0,0,0,0,100,100,0,0,1,1,0,2,10,10,10,0

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""
"""What FFmpeg's text encoders insist on before they write their own header."""


def _text_of(packet: av.Packet) -> str | None:
    """What a text subtitle says, without its formatting; None where it says nothing."""
    try:
        lines = [
            part.dialogue.decode("utf-8", "replace")
            for part in packet.decode()
            if hasattr(part, "dialogue")
        ]
    except av.error.FFmpegError:
        return None
    return "\n".join(line for line in lines if line.strip()) or None


def _label(stream: av.stream.Stream, source: av.stream.Stream) -> None:
    # What FFmpeg reads of a track's name in MP4 is called handler_name.
    known = ("language", "title", "handler_name")
    stream.metadata.update({key: value for key, value in source.metadata.items() if key in known})


def _mark(stream: AudioStream, source: AudioStream, default: bool) -> None:
    """Say whether players take the track by default; what else is said of it stays."""
    usual = Disposition.default.value
    said = Disposition(source.disposition).value & ~usual
    # PyAV takes no more than a plain number here.
    stream.disposition = said | usual if default else said  # type: ignore[assignment]


def _aac_rate(rate: int) -> int:
    known = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
    return min((r for r in known if r >= rate), default=48000)
