"""How many clips could not be read: some always are, but a run on what is left must be a choice."""

from __future__ import annotations

from avloc.data.examples.batch import Batch
from avloc.errors import AvlocError, DataError

SHARE = 0.05
"""Of what was read, that may be broken."""

LEAST = 100
"""Examples to have read before a share says something, or an epoch if that is shorter."""

NAMED = 5
"""Broken clips that an error names."""


class Broken:
    """A tally of the clips that were broken and replaced.

    Args:
        epoch: examples in an epoch.
        share: of what was read, that may be broken.

    Attributes:
        read: clips that were to be read so far, each time.
        count: how many of these were broken.
        reasons: of each broken clip, by id.
    """

    def __init__(self, epoch: int, share: float = SHARE) -> None:
        self.least = min(LEAST, epoch)
        self.share = share
        self.read = 0
        self.count = 0
        self.reasons: dict[str, str] = {}

    def add(self, batch: Batch) -> list[str]:
        """Count a batch; the ids that are newly broken.

        Raises:
            DataError: more than the share is broken, with some of their names and reasons.
        """
        new = [name for name, _ in batch.broken if name not in self.reasons]
        self.reasons.update(batch.broken)
        self.count += len(batch.broken)
        self.read += batch.waves.shape[:2].numel() + len(batch.broken)  # a sound for each clip read
        if self.read >= self.least and self.count > self.share * self.read:
            raise DataError(
                f"{self.count} of {self.read} clips read are broken, more than "
                f"{self.share:.0%}; restore them or drop them from the list: {self.named()}"
            )
        return list(dict.fromkeys(new))

    def named(self) -> str:
        """Some of the broken clips with their reasons, in one line."""
        some = [f"{name} ({reason})" for name, reason in list(self.reasons.items())[:NAMED]]
        more = len(self.reasons) - len(some)
        return "; ".join(some) + (f"; and {more} more" if more > 0 else "")


def from_worker(error: AvlocError) -> AvlocError:
    """An error that a data loader's worker raised, again with one line for its message.

    The loader hands it on with all of the worker's traceback in the message.
    """
    last = str(error).strip().splitlines()[-1]
    kind, separator, message = last.partition(": ")
    known = separator and kind.rpartition(".")[2] == type(error).__name__
    return type(error)(message) if known else error
