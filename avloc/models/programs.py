"""Networks as PyTorch traces them for other runtimes."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram
from torch.fx import GraphModule
from torch.utils._sympy.value_ranges import ValueRanges

from avloc.models.dense_fourier import DenseFourier
from avloc.models.graphs import Feeding, Graph

OPEN = Dim.AUTO
"""As the network allows: where its own code fixes a size it keeps it."""


class Program(nn.Module):
    """A graph with its preprocessing inside or outside.

    Args:
        graph: the network.
        feed: its preprocessing; None: outside.
    """

    def __init__(self, graph: Graph, feed: Feeding | None) -> None:
        super().__init__()
        self.inner = graph
        self.feed = feed

    def hear(self, sound: Tensor) -> Tensor:
        return self.inner.hear(self.feed.spectrogram(sound) if self.feed else sound)

    def look(self, frames: Tensor, heard: Tensor) -> tuple[Tensor, ...]:
        seen = self.feed.normalise(frames) if self.feed else frames
        return *self.inner.look(seen, heard), self.inner.objects(seen)


class Hearing(Program):
    """Sound -> what is heard."""

    def forward(self, sound: Tensor) -> Tensor:
        return self.hear(sound)


class Looking(Program):
    """Frames and what is heard with them -> maps."""

    def forward(self, frames: Tensor, heard: Tensor) -> tuple[Tensor, ...]:
        return self.look(frames, heard)


class Whole(Program):
    """Frames and sound -> maps, and what is heard."""

    def forward(self, frames: Tensor, sound: Tensor) -> dict[str, Tensor]:
        heard = self.hear(sound)
        values = self.look(frames, heard)
        return {**dict(zip(seen_by(self.inner), values, strict=True)), "heard": heard}


def seen_by(graph: Graph) -> tuple[str, ...]:
    """Names of what `Looking` gives."""
    return *graph.outputs, "objectness"


def trace_parts(
    graph: Graph, feed: Feeding | None, frames: Tensor, sound: Tensor
) -> tuple[ExportedProgram, ExportedProgram]:
    """`Hearing` and `Looking`, for any number of items, size of frames and length of sound.

    Fourier transforms are dense in them.
    """
    hearing, looking = Hearing(graph, feed), Looking(graph, feed)
    heard = hearing(sound)
    with DenseFourier():
        listening = _trace(hearing, (sound,), {"sound": _lengths(sound)})
    return (
        listening,
        _trace(looking, (frames, heard), {"frames": _sides(), "heard": _steps(heard)}),
    )


def trace_whole(
    graph: Graph, feed: Feeding | None, frames: Tensor, sound: Tensor
) -> ExportedProgram:
    """`Whole`, for any number of items, size of frames and length of sound."""
    shapes = {"frames": _sides(), "sound": _lengths(sound)}
    return _trace(Whole(graph, feed), (frames, sound), shapes)


def _sides() -> dict[int, Any]:
    return {0: OPEN, 2: OPEN, 3: OPEN}


def _steps(heard: Tensor) -> dict[int, Any]:
    """One embedding (b, c), or as many (b, t, c) as there are steps of time."""
    return {0: OPEN, 1: OPEN} if heard.ndim == 3 else {0: OPEN}


def _lengths(sound: Tensor) -> dict[int, Any]:
    """Of waves (b, n) n may be any; of spectrograms (b, k, 1, f, t) k, of (b, 1, f, t) t."""
    return {0: OPEN, {2: 1, 5: 1, 4: 3}[sound.ndim]: OPEN}


def _trace(
    module: nn.Module, inputs: tuple[Tensor, ...], shapes: Mapping[str, Any]
) -> ExportedProgram:
    from torch.fx.experimental import _config as settings

    # Without the setting the tracer takes for granted that no size is 1, and what was traced with
    # several windows of sound would refuse a single one.
    with torch.no_grad(), quiet(), settings.patch(backed_size_oblivious=True):  # type: ignore[attr-defined]
        module(*inputs)  # what features keep from one call to the next must be real when traced
        program = torch.export.export(module.eval(), inputs, dynamic_shapes=dict(shapes))
    # It still notes wherever it compared a size with 1, and then refuses 1. Nothing here depends on
    # that: programs are tried on one frame and on one window of sound before they are kept.
    program._guards_code = []
    for size, span in program.range_constraints.items():
        if span.lower == 2:
            program.range_constraints[size] = ValueRanges(1, span.upper)
    for part in program.graph_module.modules():
        for node in part.graph.nodes if isinstance(part, GraphModule) else ():
            node.meta.pop("stack_trace", None)  # names folders of this machine
    return program


@contextmanager
def quiet() -> Iterator[None]:
    """Without what libraries warn of in their own code, and tell of each of their steps."""
    loggers = [logging.getLogger(name) for name in ("", "onnxscript", "onnx_ir", "torch.onnx")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
