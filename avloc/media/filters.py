"""Chains of FFmpeg filters for video frames."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

import av
from av.filter import Graph

Step = tuple[str, str]
"""The name of a filter and its arguments."""


class Chain:
    """Filters in a row, for frames of one size and format.

    Args:
        steps: in their order.
        like: a frame of the kind that comes in.
        time_base: of the frames that come in.
    """

    def __init__(self, steps: Sequence[Step], like: av.VideoFrame, time_base: Fraction) -> None:
        self.kind = kind_of(like)
        self._graph = Graph()
        source = (
            f"video_size={like.width}x{like.height}:pix_fmt={like.format.name}"
            f":time_base={time_base.numerator}/{time_base.denominator}"
            f":colorspace={int(like.colorspace)}:range={int(like.color_range)}"
        )
        nodes = [self._graph.add("buffer", source)]
        nodes += [self._graph.add(name, args or None) for name, args in steps]
        nodes.append(self._graph.add("buffersink"))
        self._graph.link_nodes(*nodes).configure()

    def push(self, frame: av.VideoFrame | None) -> Iterator[av.VideoFrame]:
        """What comes out after `frame` went in; None flushes the chain."""
        self._graph.vpush(frame)
        while True:
            try:
                yield self._graph.vpull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return


def kind_of(frame: av.VideoFrame) -> tuple[int, int, str]:
    """What may not change within a chain."""
    return frame.width, frame.height, frame.format.name
