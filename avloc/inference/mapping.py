"""Heatmaps in batches, made in threads while frames are read, drawn and written."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import torch

from avloc.inference.engine import Engine
from avloc.media.opening import cores
from avloc.types import Heatmap

BATCH = 4
"""Heatmaps made at once on a processor: hearing four windows together takes half the time of
hearing each alone; looking gains nothing from more."""

WORKERS = 2
"""Threads that make batches on a processor. Several, each computing alone, finish sooner than one
whose threads wait for each other after every layer."""

DEVICE_BATCH = 8
"""Heatmaps made at once on an accelerator."""

READY = 1
"""Batches that wait for a thread, so that none is ever idle."""


class Mapped(NamedTuple):
    """A heatmap and the shot it was made in."""

    heatmap: Heatmap
    shot: int


class _Wish(NamedTuple):
    time: float
    shot: int
    prepared: np.ndarray
    window: np.ndarray | None


class Mapper:
    """Takes moments in order, gives their heatmaps in the same order."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._wishes: list[_Wish] = []
        self._under_way: deque[Future[list[Mapped]]] = deque()
        on_processor = engine.device.type == "cpu"
        self._full = BATCH if on_processor else DEVICE_BATCH
        self._batch = 1  # Who waits for the first heatmap should not wait for a whole batch.
        workers = min(WORKERS, cores()) if on_processor else 1
        self._most = workers + READY
        self._pool = ThreadPoolExecutor(
            workers, "avloc-model", initializer=_share_cores, initargs=(workers,)
        )

    def add(self, time: float, shot: int, prepared: np.ndarray, window: np.ndarray | None) -> None:
        """Want a heatmap: of a prepared frame (3, h, w), with the sound (n,) around it."""
        self._wishes.append(_Wish(time, shot, prepared, window))
        if len(self._wishes) >= self._batch:
            self.start()

    def start(self) -> None:
        """Begin with the moments added so far, though a batch is not full."""
        if self._wishes:
            self._under_way.append(self._pool.submit(self._make, self._wishes))
            self._wishes = []
            self._batch = min(2 * self._batch, self._full)

    def done(self, wait: bool = False) -> Iterator[Mapped]:
        """Heatmaps that are ready; with `wait` at least those of one batch under way."""
        while self._under_way and (
            wait or len(self._under_way) > self._most or self._under_way[0].done()
        ):
            wait = False
            yield from self._under_way.popleft().result()

    def rest(self) -> Iterator[Mapped]:
        """All heatmaps that were ever wanted and not yet given."""
        self.start()
        while self._under_way:
            yield from self.done(wait=True)

    def close(self) -> None:
        """Stop; what is not begun is dropped."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _make(self, wishes: list[_Wish]) -> list[Mapped]:
        windows = [wish.window for wish in wishes if wish.window is not None]
        evidence = self._engine.hear(np.stack(windows)) if windows else None
        looks = self._engine.look(np.stack([wish.prepared for wish in wishes]), evidence)
        tags = evidence.tags if evidence is not None else [()] * len(wishes)
        return [
            Mapped(Heatmap(values, wish.time, confidence, names), wish.shot)
            for wish, (values, confidence), names in zip(wishes, looks, tags, strict=True)
        ]


def _share_cores(workers: int) -> None:
    """Leave half of the cores to decoding, drawing and encoding.

    Threads of torch wait for each other spinning: more of them than free cores are slower than
    one alone. Holds for the calling thread.
    """
    torch.set_num_threads(max(1, cores() // 2 // workers))
