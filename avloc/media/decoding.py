"""Decoding that goes on after damage, and counts what was lost."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from itertools import chain, pairwise
from typing import Self

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from avloc.media.opening import cores
from avloc.media.probe import track_times

DTS_FORMATS = ("avi",)
"""Containers without times of display: a frame's place in the decoding order is its time."""

INDEXED_FORMATS = ("mov,mp4,m4a,3gp,3g2,mj2", "avi")
"""Containers with an index: what is missing in them shows as a packet that fails."""

MOST_THREADS = 8
MOST_FAILURES = 200
"""Failed reads in a row after which a file counts as broken off."""

SILENT_LOSS = 0.3
"""Seconds: a gap at least this long in the picture *and* in the sound is a loss. Matroska and
transport streams skip damaged parts without a word; only one of the two may pause by itself."""

SKIPPED_BYTES = 4096
"""Bytes between two packets of a file with nothing but a picture: more than its container needs."""

LAST_FRAMES = 16
"""How far B-frames are put off at most, in frames: among so many last ones some may be missing."""

EVEN_STEPS = 0.9
"""Share of steps between frames that have to be of one length for a longer one to be a hole."""

BACK_OFFS = (0.0, 2.0, 10.0, 60.0)
"""Seconds to seek before the wanted moment; transport streams have no index and may overshoot."""

END_TOLERANCE = 0.5
"""Seconds by which a file may end before its stated end and still be whole."""


class Decoder:
    """The raw frames of one video stream, their ``pts`` counted from the origin.

    Args:
        container, stream: what is decoded.
        ahead: whether threads decode frames ahead. Where few frames are wanted that is wasted, and
            such threads may hang where a worker process leaves them early.

    Attributes:
        time_base: seconds a tick of ``pts``.
        frame_seconds: how long a frame is shown, typically.
        origin: seconds on the stream's clock at time zero; known after the first frame.
        stated_end: seconds from the origin at which the file says that it ends.
        lost_seconds: what could not be decoded so far.
    """

    def __init__(self, container: InputContainer, stream: VideoStream, ahead: bool = True) -> None:
        self._container, self._stream = container, stream
        # Each thread of a frame-parallel decoder holds a frame: too many cost memory.
        stream.codec_context.thread_count = min(cores(), MOST_THREADS) if ahead else 1
        stream.thread_type = "AUTO" if ahead else "SLICE"
        self.time_base = Fraction(stream.time_base or Fraction(1, av.time_base))
        rate = stream.average_rate or stream.guessed_rate
        self.frame_seconds = float(1 / rate) if rate else 0.04
        self.origin = 0.0
        self.lost_seconds = 0.0
        self._origin_ticks: int | None = None
        self._by_dts = container.format.name in DTS_FORMATS
        self._failed = False
        self._waiting: set[int] = set()
        self._last_end = 0.0
        self._latest = 0.0  # end of the last packet of any stream, on the file's clock
        self._sound_end: dict[int, float] = {}
        self._before: tuple[float, int] | None = None  # end of what came so far: seconds, bytes
        self._even = self._uneven = 0
        self._told: deque[float] = deque(maxlen=LAST_FRAMES)  # times of frames, seen or missed
        self._gaps: list[tuple[float, float]] = []
        self._sound_gaps: list[tuple[float, float]] = []
        self._frames: Iterator[av.VideoFrame] = self._decode()

    @property
    def stated_end(self) -> float | None:
        """Seconds from the origin at which the file says that its video ends."""
        start, duration = track_times(self._stream)
        total = self._container.duration
        ends = [] if duration is None else [start + duration]
        if total is not None:
            first = (self._container.start_time or 0) / av.time_base
            ends.append(first + total / av.time_base)
        return min(ends) - self.origin if ends else None

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> av.VideoFrame:
        return next(self._frames)

    def seek(self, seconds: float) -> bool:
        """Go on at a frame at or before `seconds`, if possible not long before.

        False where the file cannot be sought in: then decoding goes on where it was.
        """
        for back in BACK_OFFS:
            target = max(0.0, seconds - back)
            ticks = int((target + self.origin) / self.time_base)
            try:
                self._container.seek(ticks, stream=self._stream, backward=True)
            except av.error.FFmpegError:
                continue
            self._forget(target)
            first = next(self._frames, None)
            if first is not None and float((first.pts or 0) * self.time_base) <= seconds + 1e-3:
                self._frames = chain([first], self._frames)
                return True
        try:
            self._container.seek(min(0, self._container.start_time or 0))
        except av.error.FFmpegError:
            return False
        self._forget(0.0)
        return True

    def _forget(self, seconds: float) -> None:
        self._waiting.clear()
        self._gaps.clear()
        self._sound_gaps.clear()
        self._sound_end.clear()
        self._told.clear()
        self._before = None
        self._failed = False
        self.lost_seconds = 0.0
        self._last_end = seconds
        self._frames = self._decode()

    def count_missing_end(self) -> None:
        """After the last frame: count what the file states and does not hold."""
        last = round(self._last_end / self.time_base) + (self._origin_ticks or 0)
        self._count_losses({pts for pts in self._waiting if pts < last})
        self.lost_seconds += sum(
            max(0.0, min(gap[1], silent[1]) - max(gap[0], silent[0]))
            for gap in self._gaps
            for silent in self._sound_gaps
        )
        stated = self.stated_end
        if stated is None:
            self._count_losses(self._waiting)
            return
        _, duration = track_times(self._stream)
        # Only the container states a length: its longest track may be the sound.
        there = self._last_end if duration else max(self._last_end, self._latest - self.origin)
        missing = stated - there
        if missing > max(END_TOLERANCE, 3 * self.frame_seconds):
            self.lost_seconds += missing + self._holes_at_end()
        else:
            self._count_losses(self._waiting)

    def _decode(self) -> Iterator[av.VideoFrame]:
        failures = 0
        for packet in self._packets():
            if packet.pts is not None and packet.size:
                self._waiting.add(packet.pts)
            try:
                frames = packet.decode()
                failures = 0
            except av.error.FFmpegError:
                self._failed = True
                failures += 1
                if failures > MOST_FAILURES:
                    return
                continue
            for frame in frames:
                self._rebase(frame)
                yield frame

    def _packets(self) -> Iterator[av.Packet]:
        """Packets of the stream; goes on where a read fails."""
        indexed = self._container.format.name in INDEXED_FORMATS
        sounds = tuple(self._container.streams.audio)
        wanted = (self._stream,) if indexed else (self._stream, *sounds)
        failures = 0
        while failures < MOST_FAILURES:
            try:
                for packet in self._container.demux(*wanted):
                    failures = 0
                    if packet.stream is not self._stream:
                        self._note_end(packet)
                        continue
                    if not (indexed or sounds):
                        self._note_hole(packet)
                    yield packet
                return
            except av.error.EOFError:
                return
            except av.error.FFmpegError:
                self._failed = True
                failures += 1

    def _note_end(self, packet: av.Packet) -> None:
        if packet.pts is not None and packet.time_base:
            begin = float(packet.pts * packet.time_base)
            end = begin + float((packet.duration or 0) * packet.time_base)
            self._latest = max(self._latest, end)
            last = self._sound_end.get(packet.stream.index, begin)
            if begin - last > SILENT_LOSS:
                self._sound_gaps.append((last, begin))
            self._sound_end[packet.stream.index] = max(last, end)

    def _note_hole(self, packet: av.Packet) -> None:
        """Without a sound that pauses as well, bytes that were skipped tell a hole from a pause."""
        if packet.pts is None or packet.pos is None or not packet.size:
            return
        time = float(packet.pts * packet.time_base)
        end, place = self._before or (time, packet.pos)
        skipped = packet.pos - place > SKIPPED_BYTES or packet.is_corrupt
        if time - end > SILENT_LOSS and skipped:
            self.lost_seconds += time - end
            self._failed = True  # Frames that lean on lost ones do not come out either.
        self._before = (max(end, time + self.frame_seconds), packet.pos + packet.size)

    def _holes_at_end(self) -> float:
        """Seconds missing between the last frames of a file that breaks off: B-frames whose turn
        in the file had not come. Only where frames follow each other evenly."""
        if self._even < EVEN_STEPS * (self._even + self._uneven):
            return 0.0
        times = sorted(self._told)
        steps = (after - before for before, after in pairwise(times))
        return sum(step - self.frame_seconds for step in steps if step > 1.5 * self.frame_seconds)

    def _note_step(self, time: float) -> None:
        step = time - self._last_end + self.frame_seconds
        if 0.5 < step / self.frame_seconds < 1.5:
            self._even += 1
        else:
            self._uneven += 1
        self._told.append(time)

    def _rebase(self, frame: av.VideoFrame) -> None:
        if frame.pts is not None:
            self._waiting.discard(frame.pts)
        stamp = frame.dts if self._by_dts or frame.pts is None else frame.pts
        if stamp is None:
            stamp = round(self._last_end / self.time_base) + (self._origin_ticks or 0)
        if self._origin_ticks is None:
            start = self._stream.start_time
            self._origin_ticks = start if self._failed and start is not None else stamp
            self.origin = float(self._origin_ticks * self.time_base)
        frame.pts = stamp - self._origin_ticks
        time = float(frame.pts * self.time_base)
        if time - self._last_end > SILENT_LOSS:
            self._gaps.append((self._last_end + self.origin, time + self.origin))
        self._note_step(time)
        self._last_end = max(self._last_end, time + self.frame_seconds)
        self._count_losses({pts for pts in self._waiting if pts < stamp})

    def _count_losses(self, over: set[int]) -> None:
        """Packets whose frame's turn is over, where something failed: their frames are lost.

        Without failures a packet without a frame of its own is normal: hidden frames of VP8.
        """
        if self._failed:
            self.lost_seconds += len(over) * self.frame_seconds
            self._told.extend(float(pts * self.time_base) - self.origin for pts in over)
        self._waiting = self._waiting - over
