"""Two methods on the same items: the paired difference, its interval, and a sign test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from avloc.errors import DataError
from avloc.evaluation.intervals import averages, intervals
from avloc.evaluation.metrics import areas
from avloc.evaluation.report import Report
from avloc.evaluation.scores import Interval, sign_test

KEYS = ("ciou", "iou")
"""What items are compared by, under protocols with and without thresholds of success."""

Items = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Comparison:
    """This method minus the other one under one protocol.

    Attributes:
        differences: by metric, with 95 % bootstrap intervals over the items both have.
        better, worse, same: items on which this method scores more, less, or the same.
        p: two-sided, of a sign test over the items that differ.
        count: items with a visible source that both have.
        only_here, only_there: items that one of them lacks.
    """

    differences: Mapping[str, Interval]
    better: int
    worse: int
    same: int
    p: float
    count: int
    only_here: int
    only_there: int

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        told = {
            name: {"difference": i.mean, "interval": [i.low, i.high]}
            for name, i in self.differences.items()
        }
        counts = {"better": self.better, "worse": self.worse, "same": self.same}
        only = {"only_here": self.only_here, "only_there": self.only_there}
        return {"differences": told, "p": self.p, "items": self.count, **counts, **only}


def compare(
    report: Report, other: Mapping[str, Any], units: Mapping[str, str]
) -> dict[str, Comparison]:
    """Compare with a report that was written before (`report.load`), under every common protocol.

    Items without a visible source have no cIoU, and are left out. So are protocols that score no
    single items, such as DenseAV's.

    Args:
        report: this method's.
        other: the other one's.
        units: what items go together, by id; items that are not in it stand alone.

    Raises:
        DataError: the two have no protocol, or no item, in common.
    """
    ours = {name: _sounding(verdict.items, report) for name, verdict in report.protocols.items()}
    theirs = {name: _sounding(one["items"], report) for name, one in other["protocols"].items()}
    common = [name for name in ours if name in theirs and _key(ours[name]) and _key(theirs[name])]
    if not common:
        has = ", ".join(name for name in theirs if _key(theirs[name])) or "none"
        raise DataError(f"--against: no protocol in common; that report has items of {has}")
    hashes = (other.get("sha256") or {}).get("list")
    mine = report.provenance.get("sha256", {}).get("list")
    if hashes and mine and set(hashes.values()) != set(mine.values()):
        raise DataError(
            f"--against: that report is about another list ({', '.join(hashes)}, other contents); "
            "score both methods on one list"
        )
    return {name: _paired(name, ours[name], theirs[name], units) for name in common}


def _sounding(items: Items, report: Report) -> Items:
    """Those of the items whose source is visible."""
    return {
        item: numbers
        for item, numbers in items.items()
        if report.groups.get(item, {}).get("sounds", True)
    }


def _key(items: Items) -> str:
    """What the items have of `KEYS`; "" where they have none."""
    first: Mapping[str, Any] = next(iter(items.values()), {})
    return next((key for key in KEYS if key in first), "")


def _paired(name: str, ours: Items, theirs: Items, units: Mapping[str, str]) -> Comparison:
    both = [item for item in ours if item in theirs]
    if not both:
        raise DataError(f"--against: {name}: no item in common with that report")
    key = _key(ours)
    here, there = (
        np.array([_number(numbers[item].get(key)) for item in both]) for numbers in (ours, theirs)
    )
    difference = here - there
    owners = [units.get(item, item) for item in both]
    columns = {f"mean_{key}": difference}
    if key == "ciou":
        won = (here >= 0.5) * 1.0 - (there >= 0.5)
        columns = {"ciou": won, "auc": areas(here) - areas(there), **columns}
    return Comparison(
        intervals([averages(columns, owners)]),
        better=int((difference > 0).sum()),
        worse=int((difference < 0).sum()),
        same=int((difference == 0).sum()),
        p=sign_test(difference),
        count=len(both),
        only_here=len(ours) - len(both),
        only_there=len(theirs) - len(both),
    )


def _number(value: float | None) -> float:
    """An undefined score counts as none at all, as success does."""
    return 0.0 if value is None or value != value else float(value)
