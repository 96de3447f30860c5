"""What `avloc evaluate` scores: references alone, maps from a file, or a model's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from avloc.cli.asking import Choice, fitting, parts
from avloc.cli.console import Reporter

if TYPE_CHECKING:
    import numpy as np

    from avloc.data.benchmarks import Benchmark
    from avloc.evaluation.choosing import Panel
    from avloc.evaluation.report import Report

WORKERS = 2  # threads that score; more wait for each other


def _none(ids: Sequence[str]) -> dict[str, np.ndarray]:
    return {}


@dataclass(frozen=True, eq=False)
class Scored:
    """A report, and what a page about it is drawn from.

    Attributes:
        report: what came out.
        listed: the benchmark, with its media where they were found.
        panel: the protocols.
        scale: what the maps are.
        again: gives the maps of some items once more.
    """

    report: Report
    listed: Benchmark
    panel: Panel
    scale: Any = None
    again: Callable[[Sequence[str]], dict[str, np.ndarray]] = _none


def baselines(
    listed: Benchmark, names: tuple[str, ...], allow_missing: bool, reporter: Reporter
) -> Scored:
    from avloc.evaluation.choosing import panel
    from avloc.evaluation.negatives import KINDS, NEGATIVES
    from avloc.evaluation.provenance import provenance
    from avloc.evaluation.run import evaluate as run

    # References answer any sound; only where it is asked for, since nobody has such maps.
    extras = KINDS if NEGATIVES.name in names else ()
    chosen = panel(names, listed, extras, allow_missing=allow_missing)
    with reporter.progress(listed.name, "items") as advance:
        report = run(None, listed, chosen, workers=WORKERS, progress=advance)
    return Scored(replace(report, provenance=provenance(listed)), listed, chosen)


def maps_of_file(
    path: Path,
    listed: Benchmark,
    names: tuple[str, ...],
    scale: Any,
    allow_missing: bool,
    reporter: Reporter,
) -> Scored:
    from avloc.evaluation.choosing import panel
    from avloc.evaluation.maps import MapFile, greatest, match, read_all
    from avloc.evaluation.negatives import KINDS, NEGATIVES, Thresholds
    from avloc.evaluation.provenance import provenance
    from avloc.evaluation.run import evaluate as run

    file = MapFile(path)
    found = match(file, [item.id for item in listed.items], listed.name, allow_missing)
    thresholds = None
    if set(KINDS) <= set(found.extras) and (not names or NEGATIVES.name in names):
        thresholds = Thresholds.of(greatest(file, found))
    chosen = panel(names, listed, found.extras, thresholds, allow_missing)
    for name, why in chosen.left_out.items():
        reporter.detail(f"{name} is left out: {why.removeprefix(f'{name}: ')}")
    faults: dict[str, str] = {}
    with reporter.progress(path.name, "items") as advance:
        report = run(
            read_all(file, found, allow_missing, faults),
            listed,
            chosen,
            scale,
            path.name,
            WORKERS,
            advance,
        )
    report = replace(
        report,
        missing=found.missing,
        faults=faults,
        unknown=found.unknown,
        provenance={"scale": scale, **provenance(listed, [path])},
    )

    def again(ids: Sequence[str]) -> dict[str, np.ndarray]:
        return {item: file.read(item, ()).values for item in ids}

    return Scored(report, listed, chosen, scale, again)


def maps_of_model(
    model: str, listed: Benchmark, names: tuple[str, ...], choice: Choice, reporter: Reporter
) -> Scored | None:
    from avloc.evaluation.choosing import panel
    from avloc.evaluation.provenance import provenance
    from avloc.evaluation.run import evaluate as run
    from avloc.models.catalogue import find_weights

    chosen = panel(names, listed, ("confidence",), allow_missing=choice.allow_missing)
    weights = find_weights(model)
    faults: dict[str, str] = {}
    source = parts(weights, listed, choice, reporter)
    if source is None:
        return None
    with reporter.progress(listed.name, "items") as advance:
        report = run(
            fitting(source, faults, choice.allow_missing),
            listed,
            chosen,
            "cosine",
            model,
            WORKERS,
            advance,
        )
    missing = tuple(name for name in report.missing if name not in faults)
    told = {"quality": choice.quality, "scale": "cosine", **provenance(listed, [weights])}
    report = replace(report, missing=missing, faults=faults, provenance=told)

    def again(ids: Sequence[str]) -> dict[str, np.ndarray]:
        few = replace(listed, items=tuple(item for item in listed.items if item.id in ids))
        source = parts(weights, few, replace(choice, keep=None), Reporter(quiet=True))
        return {name: maps.values for name, maps in fitting(source or iter(()), {}, True)}

    return Scored(report, listed, chosen, "cosine", again)
