"""How far a mean over items may be from what another such list would have given."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from avloc.evaluation.scores import Interval

DRAWS = 2000
AT_ONCE = 250  # resamples that are added up at a time


def intervals(
    columns: dict[str, tuple[np.ndarray, list[str]]], draws: int = DRAWS, seed: int = 0
) -> dict[str, Interval]:
    """95 % percentile bootstrap intervals of means.

    Units are drawn, not items: the objects of one picture or the frames of one video go together.

    Args:
        columns: for each name the values (n,) and the unit that each belongs to.
        draws: how many resamples.
        seed: of the random numbers.
    """
    found: dict[str, Interval] = {}
    families: dict[tuple[str, ...], list[str]] = {}
    for name, (values, units) in columns.items():
        if len(values):
            families.setdefault(tuple(units), []).append(name)
    for owners, names in families.items():
        table = np.stack([columns[name][0] for name in names], axis=1)
        for name, interval in zip(names, _of(table, owners, draws, seed), strict=True):
            found[name] = interval
    return found


def _of(table: np.ndarray, units: Sequence[str], draws: int, seed: int) -> list[Interval]:
    """The intervals of the columns of a table (n, m)."""
    numbers = {unit: number for number, unit in enumerate(dict.fromkeys(units))}
    row = np.array([numbers[unit] for unit in units])
    sums = np.zeros((len(numbers), table.shape[1]))
    np.add.at(sums, row, table)
    sizes = np.bincount(row).astype(float)
    both = np.column_stack([sums, sizes])
    drawn = _times(len(sizes), draws, seed)
    totals = [drawn[k : k + AT_ONCE].astype(float) @ both for k in range(0, draws, AT_ONCE)]
    means = np.concatenate(totals)
    low, high = np.percentile(means[:, :-1] / means[:, -1:], [2.5, 97.5], axis=0)
    middle = table.mean(0)
    return [Interval(*map(float, ends)) for ends in zip(middle, low, high, strict=True)]


@lru_cache(maxsize=2)
def _times(units: int, draws: int, seed: int) -> np.ndarray:
    """How often each unit is in each resample, (draws, units) uint8: the same for all protocols."""
    rng = np.random.default_rng(seed)
    times = np.empty((draws, units), np.uint8)
    for one in times:
        one[:] = np.bincount(rng.integers(0, units, units, np.int32), minlength=units)
    return times
