"""How far the numbers of a list may be from what another such list would have given.

Lists are drawn from this one (percentile bootstrap), and what is a number of a list is worked out
again for each: not only means but also a threshold that is searched, a ranking, a pool of pixels.
Units are drawn, not items: the objects of one picture or the frames of one video go together. All
numbers of all protocols see the same lists.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from avloc.evaluation.scores import Interval

DRAWS = 2000
FEW = 400  # for numbers that take long to work out again
AT_ONCE = 100  # lists that are worked out at a time

Recount = Callable[[np.ndarray], Mapping[str, np.ndarray]]


@dataclass(frozen=True, eq=False)
class Statistic:
    """Numbers of a list of `units` units.

    Attributes:
        units: how many there are.
        of: how often each unit stands in each of b lists, (b, units), to each number, (b,).
        draws: how many lists are drawn.
    """

    units: int
    of: Recount
    draws: int = DRAWS


def averages(columns: Mapping[str, np.ndarray], units: Sequence[str]) -> Statistic:
    """Means of values (n,) by name, each value belonging to one of `units` (n,)."""
    count, row = _rows(units)
    sums = [np.bincount(row, values, count) for values in columns.values()]
    sizes = np.bincount(row, minlength=count).astype(float)
    table = np.column_stack([*sums, sizes])

    def of(times: np.ndarray) -> dict[str, np.ndarray]:
        totals = times @ table
        with np.errstate(invalid="ignore"):
            return dict(zip(columns, (totals[:, :-1] / totals[:, -1:]).T, strict=True))

    return Statistic(count, of)


def recounted(of: Recount, units: Sequence[str], draws: int = DRAWS) -> Statistic:
    """Numbers of entries, where `of` is told how often each of n entries stands, (b, n).

    `units` (n,) says what each entry belongs to.
    """
    count, row = _rows(units)
    return Statistic(count, lambda times: of(times[:, row]), draws)


def intervals(statistics: Iterable[Statistic], seed: int = 0) -> dict[str, Interval]:
    """95 % percentile intervals of all numbers.

    The ends are not numbers where there are none: with less than two units, or where a number is
    undefined (no negatives, say) in more than half of the lists.
    """
    found: dict[str, Interval] = {}
    for one in statistics:
        if not one.units:
            continue
        drawn: dict[str, list[np.ndarray]] = {}
        times = _times(one.units, seed)[: one.draws]
        for first in range(0, len(times), AT_ONCE):
            for name, values in one.of(times[first : first + AT_ONCE].astype(float)).items():
                drawn.setdefault(name, []).append(values)
        for name, value in one.of(np.ones((1, one.units))).items():
            found[name] = _interval(float(value[0]), np.concatenate(drawn[name]), one.units)
    return found


def _interval(value: float, drawn: np.ndarray, units: int) -> Interval:
    defined = drawn[np.isfinite(drawn)]
    if units < 2 or 2 * len(defined) < len(drawn):
        return Interval(value, float("nan"), float("nan"))
    low, high = np.percentile(defined, [2.5, 97.5])
    return Interval(value, float(low), float(high))


def _rows(units: Sequence[str]) -> tuple[int, np.ndarray]:
    """How many units there are, and the number of each entry's, (n,)."""
    numbers = {unit: number for number, unit in enumerate(dict.fromkeys(units))}
    return len(numbers), np.array([numbers[unit] for unit in units], int)


@lru_cache(maxsize=4)
def _times(units: int, seed: int) -> np.ndarray:
    """How often each unit is in each list, (DRAWS, units) uint8: the same for all numbers."""
    rng = np.random.default_rng(seed)
    times = np.empty((DRAWS, units), np.uint8)
    for one in times:
        one[:] = np.bincount(rng.integers(0, units, units, np.int32), minlength=units)
    return times
