"""Examples out of clips, each a pure function of seed, epoch and index: workers keep no state."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.random import Generator
from torch.utils.data import Dataset

from avloc.data.examples.assembling import Assembler, Clip, Example
from avloc.data.examples.items import Item
from avloc.data.examples.plan import ExamplePlan
from avloc.data.examples.reading import MIDDLE, Places, fitted, take
from avloc.errors import DataError, MediaError, UsageError
from avloc.files import read_json

TRIES = 10
"""Clips read one after the other in place of a broken one."""


class Examples(Dataset[Example]):
    """A map-style data set over (epoch, index).

    Args:
        items: the clips.
        plan: what becomes of them.
        seed: of everything random.

    Raises:
        DataError: the file of neighbours is not right.
        UsageError: two clips are to be mixed, and there is one alone.
    """

    def __init__(self, items: Sequence[Item], plan: ExamplePlan, seed: int = 0) -> None:
        self.items = items
        self.plan = plan
        self.seed = seed
        self._assembled = Assembler(plan)
        if plan.mix and len(items) < 2:
            raise UsageError("option mix: two clips are needed at least, and there is one")
        self._neighbours: dict[int, np.ndarray] = {}
        if plan.neighbours:
            self._neighbours = _neighbours(Path(plan.neighbours), items)

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, place: tuple[int, int]) -> Example:
        """The example at (epoch, index).

        Raises:
            DataError: so many clips in a row are broken that something else must be wrong.
        """
        epoch, index = place
        rng = np.random.default_rng([self.seed, epoch, index])
        broken: list[tuple[str, str]] = []
        index, clip = self._read(index, rng, broken)
        mate = near = None
        if self.plan.mix:
            other = (index + int(rng.integers(1, len(self)))) % len(self)
            mate = self._read(other, rng, broken)[1]
        if self.plan.neighbours:
            near = self._near(index, clip, rng, broken)
        return self._assembled(rng, clip, mate, near, tuple(broken))

    def _read(self, index: int, rng: Generator, broken: list[tuple[str, str]]) -> tuple[int, Clip]:
        """The clip `index`, or instead of a broken one another, and its index."""
        for _ in range(TRIES):
            clip = self._try(index, rng, broken)
            if clip is not None:
                return index, clip
            index = int(rng.integers(len(self)))
        _, reason = broken[-1]
        raise DataError(f"{TRIES} clips one after the other cannot be read; the last: {reason}")

    def _near(self, index: int, clip: Clip, rng: Generator, broken: list[tuple[str, str]]) -> Clip:
        """One of a clip's neighbours; the clip itself where none is known or can be read."""
        known = self._neighbours.get(index, np.zeros(0, int))
        for choice in rng.permutation(known)[:TRIES]:
            near = self._try(int(choice), rng, broken)
            if near is not None:
                return near
        return clip

    def _try(self, index: int, rng: Generator, broken: list[tuple[str, str]]) -> Clip | None:
        item, plan = self.items[index], self.plan
        moment, window = (float(draw) for draw in rng.random(2))
        places = Places(
            (moment if plan.moment == "random" else MIDDLE,),
            {"random": window, "middle": MIDDLE, "moment": None}[plan.window],
        )
        try:
            taken = take(item, places, self._assembled.least, plan.rate, plan.seconds)
            wave = fitted(taken.wave, plan.samples, item.video or item.sound)
        except MediaError as error:
            broken.append((item.id, " ".join(str(error).split())))
            return None
        return Clip(item.id, taken.frames[0], wave, item.boxes)


def _neighbours(path: Path, items: Sequence[Item]) -> dict[int, np.ndarray]:
    """Indices of the neighbours of each clip that has any among `items`."""
    table = read_json(path)
    if not isinstance(table, dict) or not all(isinstance(ids, list) for ids in table.values()):
        raise DataError(f"{path}: expected a mapping from ids to lists of ids")
    places = {item.id: index for index, item in enumerate(items)}
    found = {}
    for name, ids in table.items():
        near = [places[one] for one in ids if one in places and one != name]
        if name in places and near:
            found[places[name]] = np.array(near, np.int32)
    if not found:
        raise DataError(f"{path}: none of its ids is one of the {len(items)} clips; is it theirs?")
    return found
