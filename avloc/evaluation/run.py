"""Scoring a method's maps on a benchmark: every protocol in one pass, references beside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from avloc.data.benchmarks.types import Benchmark, Item
from avloc.errors import DataError
from avloc.evaluation.answers import box_truth
from avloc.evaluation.canvas import Scale
from avloc.evaluation.choosing import Panel
from avloc.evaluation.intervals import intervals
from avloc.evaluation.judges.base import Case, Judge, Sheet
from avloc.evaluation.judges.cutting import MapJudge
from avloc.evaluation.maps import ItemMaps
from avloc.evaluation.metrics import STEPS, success
from avloc.evaluation.references import REFERENCES
from avloc.evaluation.report import Report, Verdict
from avloc.evaluation.spreading import spread
from avloc.evaluation.truth import GRID

BESIDE = ("centre", "half_oracle")
"""References that are told of each item, too."""

Progress = Callable[[float, float | None], None]
"""Called with how many items are done and how many there are."""


@dataclass
class Column:
    """What was kept of each item under one protocol, by the item's number in the list."""

    judge: Judge
    entries: dict[int, Any] = field(default_factory=dict)
    references: dict[str, dict[int, Any]] = field(
        default_factory=lambda: {name: {} for name in REFERENCES}
    )


Maps = Iterable[tuple[str, ItemMaps]]


def evaluate(
    maps: Maps | None,
    benchmark: Benchmark,
    panel: Panel,
    scale: Scale | None = None,
    method: str = "",
    workers: int = 1,
    processes: bool = False,
    progress: Progress = lambda done, of: None,
) -> Report:
    """Score maps, which may come in any order, on the items of a benchmark.

    Memory holds a few chunks of maps, and a few numbers of every item.

    Args:
        maps: id and maps of each item that has some; None: only score the references.
        benchmark: the items.
        panel: the protocols (`choosing.panel`).
        scale: what the maps are; None: whatever a protocol's original receives.
        method: whose maps they are.
        workers: how many items are scored at a time.
        processes: by forked processes instead of threads (`spreading.spread`).
        progress: is told how far it has come.

    Raises:
        DataError: a map belongs to no item, or comes twice, or no item was left to score.
    """
    numbers = {item.id: number for number, item in enumerate(benchmark.items)}
    columns = [Column(judge) for judge in panel.judges]
    sizes: Counter[str] = Counter()
    groups: dict[str, dict[str, Any]] = {}
    seen: set[int] = set()

    def one(given: tuple[str, ItemMaps | None]) -> tuple[int, float, list[Any]]:
        number = numbers[given[0]]
        item = benchmark.items[number]
        truth = box_truth(item)
        case = Case(number, item, truth, panel.masks.cious(truth))
        sheet = None if given[1] is None else Sheet.of(given[1], scale)
        rows = [_judged(column.judge, sheet, case) for column in columns]
        return number, truth.area / GRID**2, rows

    def known() -> Iterator[tuple[str, ItemMaps | None]]:
        source: Iterable[tuple[str, ItemMaps | None]]
        source = ((item.id, None) for item in benchmark.items) if maps is None else maps
        for name, given in source:
            if name not in numbers:
                raise DataError(f"{name!r} is no item of {benchmark.name}")
            if numbers[name] in seen:
                raise DataError(f"{name!r}: a second heatmap for the same item")
            seen.add(numbers[name])
            if given is not None:
                sizes["x".join(map(str, given.values.shape))] += 1
            yield name, given

    for done, (number, area, rows) in enumerate(spread(one, known(), workers, processes), start=1):
        item = benchmark.items[number]
        groups[item.id] = {"class": item.label, "area": area, "sounds": item.sounds}
        for column, row in zip(columns, rows, strict=True):
            if row is not None:
                entry, references = row
                column.entries[number] = entry
                for name, reference in references.items():
                    column.references[name][number] = reference
        progress(done, len(benchmark.items))
    if not seen:
        raise DataError(f"{benchmark.name}: no item was left to score")
    missing = [item.id for number, item in enumerate(benchmark.items) if number not in seen]
    return Report(
        benchmark.name,
        method,
        {column.judge.name: _verdict(column, benchmark.items) for column in columns},
        len(benchmark.items),
        missing=tuple(missing),
        sizes=dict(sizes),
        problems=tuple(f"{problem.id}: {problem.what}" for problem in benchmark.problems),
        groups=groups,
    )


def _judged(judge: Judge, sheet: Sheet | None, case: Case) -> Any:
    if not judge.wants(case.item):
        return None
    references = {name: judge.reference(name, case) for name in REFERENCES}
    return (None if sheet is None else judge.judge(sheet, case)), references


def _verdict(column: Column, items: Sequence[Item]) -> Verdict:
    judge = column.judge
    order = sorted(column.entries)
    scored = [column.entries[number] for number in order]
    if not order:
        raise DataError(f"{judge.name}: no item that it scores was left")
    baselines = {
        name: judge.summarise([kept[number] for number in order])
        for name, kept in column.references.items()
    }
    metrics: Mapping[str, float] = {}
    ends, values, tied = {}, {}, None
    names = [items[number].id for number in order]
    sounding = [items[number].sounds for number in order]
    curves: dict[str, tuple[float, ...]] = {}
    beside: dict[str, dict[str, float]] = {}
    for reference, kept in column.references.items():
        rows = judge.values([kept[number] for number in order])
        if curve := _curve(rows, sounding):
            curves[reference] = curve
            if reference in BESIDE:
                beside[reference] = dict(zip(names, (row["ciou"] for row in rows), strict=True))
    if scored[0] is not None:
        metrics, ends = judge.summarise(scored), intervals(judge.statistics(scored))
        values = dict(zip(names, judge.values(scored), strict=True))
        if curve := _curve([values[name] for name in names], sounding):
            curves = {"score": curve, **curves}
        if isinstance(judge, MapJudge) and judge.limited:
            tied = float(np.mean([entry["ties"] > 1 for entry in values.values()]))
    return Verdict(
        judge.describe(),
        metrics,
        ends,
        baselines,
        values,
        curves,
        judge.headline,
        judge.limited,
        tied,
        len(order),
        beside,
    )


def _curve(values: Sequence[Mapping[str, float]], sounding: Sequence[bool]) -> tuple[float, ...]:
    """The share of items with a visible source that reach each step of cIoU."""
    if not any(sounding) or "ciou" not in values[0]:
        return ()
    ciou = np.array([one["ciou"] for one, sounds in zip(values, sounding, strict=True) if sounds])
    return tuple(success(ciou, step) for step in STEPS)
