"""Which examples are in which batch: a function of the seed, the same for any number of ranks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from torch.utils.data import Sampler

from avloc.errors import DataError, UsageError

SHUFFLE = 1
"""Keeps these draws apart from those of the examples, which have the same seed and epoch."""


class Order(Sampler[list[tuple[int, int]]]):
    """The places (epoch, index) of the examples of each batch; a `DataLoader`'s batch sampler.

    Every epoch has an order of its own, and leaves out the examples that fill no batch. Batch
    number s of all ranks together is the same whatever their number, and each takes its part of
    it; whoever goes on after s batches starts at s.

    Args:
        length: examples in an epoch.
        batch: examples in a batch of all ranks together.
        seed: of the shuffling.
        rank, ranks: which of how many processes this is for.
        start: the first batch.
        steps: the number of the last batch, plus 1; None: there is no last.

    Raises:
        DataError: there are fewer examples than fill a batch.
        UsageError: a batch cannot be split evenly over the ranks.
    """

    def __init__(
        self,
        length: int,
        batch: int,
        seed: int,
        rank: int = 0,
        ranks: int = 1,
        start: int = 0,
        steps: int | None = None,
    ) -> None:
        if length < batch:
            raise DataError(f"{length} clips do not fill a batch of {batch}; take a smaller batch")
        if batch % ranks:
            raise UsageError(
                f"a batch of {batch} cannot be split over {ranks} processes; take a multiple of "
                f"{ranks}, as {max(1, round(batch / ranks)) * ranks}"
            )
        self.length, self.batch, self.seed = length, batch, seed
        self.rank, self.ranks = rank, ranks
        self.start, self.steps = start, steps

    @property
    def epoch_steps(self) -> int:
        """Batches in an epoch."""
        return self.length // self.batch

    def __len__(self) -> int:
        if self.steps is None:
            raise TypeError("an order without a last batch has no length")
        return max(0, self.steps - self.start)

    @property
    def share(self) -> int:
        """Examples of a batch that are this rank's."""
        return self.batch // self.ranks

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        share = self.share
        step, epoch, order = self.start, -1, np.zeros(0, int)
        while self.steps is None or step < self.steps:
            if step // self.epoch_steps != epoch:
                epoch = step // self.epoch_steps
                order = self._shuffled(epoch)
            first = step % self.epoch_steps * self.batch + self.rank * share
            yield [(epoch, index) for index in order[first : first + share].tolist()]
            step += 1

    def _shuffled(self, epoch: int) -> np.ndarray:
        seeds = np.random.SeedSequence([self.seed, epoch], spawn_key=(SHUFFLE,))
        return np.random.default_rng(seeds).permutation(self.length)
