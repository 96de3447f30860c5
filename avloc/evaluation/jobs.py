"""Every protocol behind one interface: what it needs, one item's row, the numbers of all rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from avloc.errors import UsageError
from avloc.evaluation.canvas import Canvas
from avloc.evaluation.dense import DENSEAV
from avloc.evaluation.duet import DUET
from avloc.evaluation.negatives import KINDS, NEGATIVES, Thresholds
from avloc.evaluation.own import OWN
from avloc.evaluation.protocols import HALF, PROTOCOLS
from avloc.evaluation.scoring import score, summarise
from avloc.evaluation.search import ACL
from avloc.evaluation.segmentation import SEGMENTATION
from avloc.evaluation.truth import Truth
from avloc.registry import Registry


@dataclass(frozen=True, eq=False)
class Sample:
    """An item as protocols see it; canvases are shared by all of them."""

    id: str
    heat: Canvas
    truth: Truth
    mask: Truth | None = None
    group: str = ""
    label: str = ""
    objects: Canvas | None = None
    negatives: Mapping[str, Canvas] = field(default_factory=dict)
    confidence: float | None = None


@dataclass(frozen=True)
class Job:
    """A protocol ready to run.

    Attributes:
        name, source, note: For the report.
        score: A row of one sample, kept until the end.
        summarise: The numbers of all rows.
        item: What the report says of one row, by name.
        needs: Of "masks", "negatives" (maps), "silent" (items without a source), "pairs".
        silent: Whether it looks at items without a visible source at all.
        ceiling: Pixels of the best half picture, where the cut is at the median; else None.
    """

    name: str
    source: str
    note: str
    score: Callable[[Sample], Any]
    summarise: Callable[[Sequence[Any]], dict[str, float]]
    item: Callable[[Any], dict[str, float]]
    needs: frozenset[str] = frozenset()
    silent: bool = False
    ceiling: int | None = None


Maker = Callable[[str, Thresholds | None], Job]
JOBS: Registry[Maker] = Registry("protocol")
"""By name: makes the job for a list (its name) with universal thresholds for `negatives`."""


def _map_job(name: str) -> Maker:
    def make(benchmark: str, thresholds: Thresholds | None) -> Job:
        protocol = PROTOCOLS[name].on(benchmark)
        return Job(
            name,
            protocol.source,
            protocol.note,
            lambda one: score(protocol, one.heat, one.truth, one.objects, one.group),
            lambda rows: summarise(protocol, rows),
            lambda row: row.values,
            frozenset({"silent"} if protocol.negatives else ()),
            protocol.negatives,
            HALF if protocol.cut.half else None,
        )

    return make


def _segmentation_job(name: str) -> Maker:
    def make(benchmark: str, thresholds: Thresholds | None) -> Job:
        protocol = SEGMENTATION[name]
        return Job(
            name,
            protocol.source,
            protocol.note,
            lambda one: protocol.score(one.heat, one.mask or one.truth),
            protocol.summarise,
            lambda row: {"iou": float(row.iou)},
            frozenset({"masks"}),
        )

    return make


def _acl(benchmark: str, thresholds: Thresholds | None) -> Job:
    def finish(rows: Sequence[Any]) -> dict[str, float]:
        seen = [scores for scores, sample in rows if sample[0]]
        found = ACL.summarise(seen)
        confidences = [sample[1] for _, sample in rows]
        if len(seen) < len(rows) and None not in confidences:
            visible = np.array([sample[0] for _, sample in rows])
            area = np.array([sample[2] for _, sample in rows])
            tables = ACL.detections(
                [scores for scores, _ in rows], visible, np.array(confidences), area
            )
            found["ap"] = max(table.ap() for table in tables)
            found["max_f1"] = max(max(table.f1()) for table in tables)
        return found

    return Job(
        name=ACL.name,
        source=ACL.source,
        note=ACL.note,
        score=lambda one: (
            ACL.score(one.heat, one.truth),
            (one.truth.boxes > 0, one.confidence, one.truth.area),
        ),
        summarise=finish,
        silent=True,
        item=lambda row: {
            f"ciou@{at:g}": float(value) for at, value in zip(ACL.thresholds, row[0], strict=True)
        },
    )


def _negatives(benchmark: str, thresholds: Thresholds | None) -> Job:
    protocol = NEGATIVES.on(benchmark)

    def one(sample: Sample) -> Any:
        if thresholds is None:
            raise UsageError("the protocol 'negatives' needs thresholds; see Thresholds.of")
        found = protocol.score(
            sample.heat, sample.negatives, sample.truth, thresholds, sample.objects
        )
        return found, sample.group or sample.id

    return Job(
        protocol.name,
        protocol.source,
        protocol.note,
        one,
        lambda rows: protocol.summarise([row for row, _ in rows], [group for _, group in rows]),
        lambda row: dict(row[0]),
        frozenset({"negatives"}),
    )


def _own(benchmark: str, thresholds: Thresholds | None) -> Job:
    return Job(
        OWN.name,
        OWN.source,
        OWN.note,
        lambda one: OWN.score(one.heat, one.truth, one.group, one.confidence),
        OWN.summarise,
        lambda row: row.values,
        silent=True,
        ceiling=HALF,
    )


def _denseav(benchmark: str, thresholds: Thresholds | None) -> Job:
    return Job(
        DENSEAV.name,
        DENSEAV.source,
        DENSEAV.note,
        lambda one: DENSEAV.score(one.heat.values, one.mask or one.truth, one.label),
        DENSEAV.summarise,
        lambda row: {},
        frozenset({"masks"}),
    )


def _duet(benchmark: str, thresholds: Thresholds | None) -> Job:
    return Job(
        DUET.name,
        DUET.source,
        DUET.note,
        lambda one: DUET.score(one.heat, one.truth, one.group or one.id),
        DUET.summarise,
        lambda row: {"ciou": row.ciou, "pixel_ap": row.ap},
        frozenset({"pairs"}),
        ceiling=HALF,
    )


for _name in PROTOCOLS:
    JOBS.add(_name, _map_job(_name))
for _name in SEGMENTATION:
    JOBS.add(_name, _segmentation_job(_name))
for _name, _maker in (
    ("acl", _acl),
    ("negatives", _negatives),
    ("avloc", _own),
    ("denseav", _denseav),
    ("duet", _duet),
):
    JOBS.add(_name, _maker)


def negatives_of(job: Job, sample: Sample) -> Sample:
    """The sample with its heatmap as every negative, where a baseline has no others."""
    if "negatives" not in job.needs:
        return sample
    return replace(sample, negatives=dict.fromkeys(KINDS, sample.heat))
