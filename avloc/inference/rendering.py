"""Frames wait here until the heatmaps around them are known; then they are drawn."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from avloc.inference.mapping import Mapped
from avloc.inference.schedule import Step
from avloc.media.layer import Layer
from avloc.media.overlay import Painter
from avloc.media.reader import Picture, frame_bytes
from avloc.types import Heatmap

SOFT_BYTES = 128 << 20
"""Waiting frames beyond which heatmaps are made in smaller batches."""

HARD_BYTES = 256 << 20
"""Waiting frames beyond which they are drawn without knowing the next heatmap."""


class Drawn(NamedTuple):
    """A finished frame; `heatmap` where it is the first one that shows it."""

    picture: Picture
    time: float
    heatmap: Heatmap | None


class _Known(NamedTuple):
    layer: Layer
    heatmap: Heatmap
    shot: int


class Renderer:
    """Draws frames with the heatmaps before and after them, never across a cut.

    Args:
        painter: draws.
        start: seconds that the painter's clock calls zero.
    """

    def __init__(self, painter: Painter, start: float) -> None:
        self._painter, self._start = painter, start
        self._frames: deque[Step] = deque()
        self._known: deque[_Known] = deque()
        self._bytes = 0
        self._untold: deque[Heatmap] = deque()
        self._held_until: float | None = None

    @property
    def crowded(self) -> bool:
        """Whether so many frames wait that heatmaps should hurry."""
        return self._bytes > SOFT_BYTES

    def add_frame(self, step: Step) -> None:
        """A frame to be drawn, in order of time."""
        self._frames.append(step)
        self._bytes += frame_bytes(step.shown.picture)

    def add_heatmap(self, mapped: Mapped) -> None:
        """A heatmap, in order of time."""
        heatmap = mapped.heatmap
        self._known.append(_Known(self._painter.layer(heatmap), heatmap, mapped.shot))
        self._untold.append(heatmap)

    def ready(self, all_known: bool = False) -> Iterator[Drawn]:
        """Frames that can be drawn; with `all_known` no further heatmap will come."""
        while self._frames and self._known:
            step = self._frames[0]
            newest = self._known[-1]
            known = newest.shot > step.shot or newest.heatmap.time >= step.shown.time
            if not (known or all_known or self._bytes > HARD_BYTES):
                return
            self._frames.popleft()
            self._bytes -= frame_bytes(step.shown.picture)
            yield self._draw(step, known or all_known)

    def _draw(self, step: Step, known: bool) -> Drawn:
        time = step.shown.time
        while len(self._known) > 1 and self._reached(self._known[1], step):
            self._known.popleft()
            self._held_until = None
        before = self._known[0]
        after = self._known[1] if len(self._known) > 1 else None
        if after is not None and after.shot != before.shot:
            after = None
        share = 0.0
        if after is not None:
            since = max(before.heatmap.time, self._held_until or before.heatmap.time)
            span = after.heatmap.time - since
            share = min(1.0, max(0.0, (time - since) / span)) if span > 0 else 0.0
        elif not known:
            # Drawn before its next heatmap is known: from here on the change begins anew.
            self._held_until = time
        picture = self._painter.draw(
            step.shown.picture,
            before.layer,
            after.layer if after is not None else None,
            share,
            time - self._start,
        )
        return Drawn(picture, time, self._told(step))

    def _reached(self, known: _Known, step: Step) -> bool:
        if known.shot != step.shot:
            return known.shot < step.shot
        return known.heatmap.time <= step.shown.time or self._known[0].shot < step.shot

    def _told(self, step: Step) -> Heatmap | None:
        """The newest heatmap made of this frame, for sinks that keep one picture each."""
        if not step.times:
            return None
        found = None
        while self._untold and self._untold[0].time <= step.times[-1]:
            found = self._untold.popleft()
        return found
