"""At which moments heatmaps are wanted, and of which frames."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from avloc.media.cuts import CutDetector
from avloc.media.reader import Shown


@dataclass(frozen=True)
class Step:
    """A frame, the shot it belongs to, and the moments whose heatmaps are made of it.

    Attributes:
        shown: the frame.
        shot: number of the shot, from 0.
        times: seconds; empty for most frames.
        following: the next frame of the same shot, where there are times; None after the last.
    """

    shown: Shown
    shot: int
    times: tuple[float, ...] = field(default=())
    following: Shown | None = None


class Schedule:
    """Moments k / fps from the start, and the first frame of every shot.

    A moment's heatmap is made of the frame that is shown then. Where heatmaps would come as often
    as frames, each frame has one, at its own time.

    Args:
        fps: heatmaps a second.
        start: seconds at which k is 0.
        frame_seconds: how long a frame is shown, typically.
    """

    def __init__(self, fps: float, start: float, frame_seconds: float) -> None:
        self._every = fps * frame_seconds >= 0.999
        self._fps, self._start, self._frame_seconds = fps, start, frame_seconds
        self._slack = min(frame_seconds, 1 / fps) / 4

    def steps(self, frames: Iterable[Shown]) -> Iterator[Step]:
        """The frames with their moments; one frame is held back to know how long it is shown."""
        detector, shot, number = CutDetector(), 0, 0
        held: tuple[Shown, int, bool] | None = None
        for shown in frames:
            first = detector.is_cut(shown.picture) or held is None
            if held is not None:
                step, number = self._step(*held, shown.time, number)
                yield replace(step, following=shown) if step.times and not first else step
                shot += first
            held = (shown, shot, first)
        if held is not None:
            yield self._step(*held, held[0].time + self._frame_seconds, number)[0]

    def _step(
        self, shown: Shown, shot: int, first: bool, until: float, number: int
    ) -> tuple[Step, int]:
        if self._every:
            return Step(shown, shot, (shown.time,)), number
        # Times are rounded to ticks: one just after the end of a frame means the next frame.
        slack = min(self._slack, (until - shown.time) / 4)
        times = []
        while (time := self._start + number / self._fps) < until - slack:
            if time >= shown.time - self._slack:
                times.append(time)
            number += 1
        if first and not (times and times[0] - shown.time < slack):
            times.insert(0, shown.time)
        return Step(shown, shot, tuple(times)), number
