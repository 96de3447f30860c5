"""What came out, as values and as JSON: {"schema": 1, "protocols": {NAME: {"metrics": ...}}}.

All shares are fractions in 0..1; a number that does not exist is null.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from avloc.errors import DataError
from avloc.evaluation.scores import Interval
from avloc.files import read_json

SCHEMA = 1
LIMITED = frozenset({"ciou", "auc", "mean_ciou", "iiou", "iauc", "ciou_03"})
"""Metrics of the mask of half of the pixels, where a protocol cuts there."""
Numbers = Mapping[str, float]


@dataclass(frozen=True)
class Verdict:
    """What one protocol says.

    Attributes:
        description: the protocol, as JSON values.
        metrics: its numbers; empty where only references were scored.
        intervals: 95 % bootstrap intervals of those that are means.
        baselines: the numbers of centre, whole, half_oracle and random on the same items.
        items: the numbers of each item by id.
        curves: share of items of at least each cIoU in `metrics.STEPS`, of the method ("score")
            and of the references; empty where items have no cIoU.
        headline: the metrics to show first.
        limited: no map exceeds the best half picture.
        tied: share of maps with several pixels equal to the one in the middle; None: not asked.
        count: how many items it scored.
        beside: each item's cIoU of centre and half_oracle; empty where items have no cIoU.
    """

    description: Mapping[str, Any]
    metrics: Numbers
    intervals: Mapping[str, Interval]
    baselines: Mapping[str, Numbers]
    items: Mapping[str, Numbers]
    curves: Mapping[str, tuple[float, ...]]
    headline: tuple[str, ...]
    limited: bool
    tied: float | None
    count: int
    beside: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def limits(self, metric: str) -> bool:
        """Whether no map exceeds the best half picture by a metric."""
        return self.limited and metric.removeprefix("ogl_") in LIMITED


@dataclass(frozen=True)
class Report:
    """Scores of one method on one benchmark.

    Attributes:
        benchmark: its name.
        method: whose maps they are.
        protocols: by name.
        listed: how many items the list has.
        missing: items that were not scored because they have no map.
        faults: items that were not scored because of what was wrong with their maps.
        unknown: maps that belong to no item, left out.
        without: what only some items brought beside their maps and so none was scored with, and
            which had none of it.
        sizes: how many maps there were of each size, "14x14".
        problems: what is wrong with the list, "ID: what".
        provenance: versions, git commit, hashes of list and weights.
        groups: for tables and figures, each item's class, its truth's share of the picture, and
            whether a source is visible.
        contamination: what training has seen of the test, where a training list was given.
        comparison: with another report, where one was given.
    """

    benchmark: str
    method: str
    protocols: Mapping[str, Verdict]
    listed: int
    missing: tuple[str, ...] = ()
    faults: Mapping[str, str] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    without: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)
    groups: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    contamination: Mapping[str, Any] | None = None
    comparison: Mapping[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        """As JSON values; no number in it is not a number."""
        whole = {
            "schema": SCHEMA,
            "benchmark": self.benchmark,
            "method": self.method,
            "items": {
                "listed": self.listed,
                "scored": self.listed - len(self.missing) - len(self.faults),
                "missing": list(self.missing),
                "faults": dict(self.faults),
                "unknown": list(self.unknown),
                "without": {kind: list(items) for kind, items in self.without.items()},
                "problems": list(self.problems),
                "sizes": dict(self.sizes),
            },
            "protocols": {name: _verdict(verdict) for name, verdict in self.protocols.items()},
            "contamination": self.contamination,
            "against": self.comparison,
            **self.provenance,
        }
        return dict(finite(whole))


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {
        "metrics": dict(verdict.metrics),
        "intervals": {name: [i.low, i.high] for name, i in verdict.intervals.items()},
        "baselines": {name: dict(numbers) for name, numbers in verdict.baselines.items()},
        "curves": {name: list(curve) for name, curve in verdict.curves.items()},
        "ceiling": "half_oracle" if verdict.limited else None,
        "ties": verdict.tied,
        "scored": verdict.count,
        "protocol": dict(verdict.description),
        "items": {item: dict(numbers) for item, numbers in verdict.items.items()},
    }


def finite(value: Any) -> Any:
    """The same with null for every number that is none, and plain numbers for NumPy's."""
    if isinstance(value, Mapping):
        return {str(key): finite(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [finite(part) for part in value]
    if isinstance(value, bool | str | int | None):
        return value
    number = float(value)
    return number if math.isfinite(number) else None


def dumps(report: Report, indent: int | None = None) -> str:
    """The report as JSON text."""
    return json.dumps(report.to_json(), ensure_ascii=False, allow_nan=False, indent=indent)


def load(path: Path) -> dict[str, Any]:
    """A report that was written before.

    Raises:
        DataError: it is none, or of another version.
    """
    value = read_json(path)
    if not isinstance(value, dict) or not isinstance(value.get("protocols"), dict):
        raise DataError(f"{path}: not a report of avloc evaluate; write one with --json FILE")
    if value.get("schema") != SCHEMA:
        raise DataError(
            f"{path}: a report of schema {value.get('schema')!r}, this avloc reads {SCHEMA}"
        )
    for name, verdict in value["protocols"].items():
        items = verdict.get("items") if isinstance(verdict, dict) else None
        if not isinstance(items, dict) or not all(map(_are_numbers, items.values())):
            raise DataError(f"{path}: {name}: not the numbers of items; write it again with --json")
    return value


def _are_numbers(value: object) -> bool:
    """Whether it maps names to finite numbers, or to null for those that are none."""
    return isinstance(value, dict) and all(
        one is None or (isinstance(one, int | float) and math.isfinite(one))
        for one in value.values()
    )
