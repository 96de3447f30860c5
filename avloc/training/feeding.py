"""Batches, update after update, from processes that read ahead."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from typing import Any

from torch.utils.data import DataLoader, Dataset

from avloc.data.examples.assembling import Example
from avloc.data.examples.batch import Batch, collate
from avloc.data.examples.broken import Broken, from_worker
from avloc.data.examples.order import Order
from avloc.errors import AvlocError, TrainingError
from avloc.training.ranks import Ranks


class Feed:
    """What a run is fed with.

    Args:
        examples: by (epoch, index), see `Order`.
        length: examples in an epoch.
        batch: of all processes together.
        seed: of the order.
        ranks: who shares the batches.
        workers: processes that read for each rank; 0: none, reading waits for computing.
        pin: whether to put batches where GPUs copy from by themselves.
    """

    def __init__(
        self,
        examples: Dataset[Example],
        length: int,
        batch: int,
        seed: int,
        ranks: Ranks,
        workers: int,
        pin: bool = False,
    ) -> None:
        self.examples, self.ranks, self.workers, self.pin = examples, ranks, workers, pin
        self.length, self.batch, self.seed = length, batch, seed
        self.broken = Broken(length)

    @property
    def per_epoch(self) -> int:
        """Batches in an epoch."""
        return self._order(0).epoch_steps

    def _order(self, start: int, stop: int | None = None) -> Order:
        ranks = self.ranks
        return Order(self.length, self.batch, self.seed, ranks.rank, ranks.count, start, stop)

    def updates(self, start: int, stop: int, each: int = 1) -> Iterator[Sequence[Batch]]:
        """For every update from `start` to before `stop` its `each` batches.

        Raises:
            TrainingError: a worker died, or too many clips cannot be read.
        """
        loader: DataLoader[Batch] = DataLoader(
            self.examples,  # type: ignore[arg-type]
            batch_sampler=self._order(start * each, stop * each),
            num_workers=self.workers,
            collate_fn=collate,
            pin_memory=self.pin,
            worker_init_fn=_worker,
            prefetch_factor=4 if self.workers else None,
        )
        batches = iter(loader)
        for _ in range(start, stop):
            found = [self._next(batches) for _ in range(each)]
            for batch in found:
                self.broken.add(batch)
            yield found

    def _next(self, batches: Any) -> Batch:
        try:
            return next(batches)
        except AvlocError as error:
            raise from_worker(error) from None
        except RuntimeError as error:
            text = " ".join(str(error).split())
            if "DataLoader worker" not in text:
                raise
            raise TrainingError(
                f"a process that reads clips died ({text}); with too little memory take fewer "
                "data.workers, then --resume"
            ) from error


def _worker(number: int) -> None:
    """Signals to the whole group are the main process's to answer; it ends its workers itself."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
