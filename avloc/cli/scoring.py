"""What `avloc evaluate` scores: references alone, maps from a file, or a model's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from avloc.cli.asking import Choice, answers, fitting, place
from avloc.cli.console import Reporter
from avloc.errors import UsageError

if TYPE_CHECKING:
    import numpy as np

    from avloc.data.benchmarks import Benchmark
    from avloc.evaluation.choosing import Panel
    from avloc.evaluation.maps import ItemMaps
    from avloc.evaluation.report import Report
    from avloc.evaluation.thresholds import Thresholds

WORKERS = 2  # that score; beside a model they are threads, and more would wait for each other
OWN = "own"
OBJECTNESS = "objectness"


def _none(ids: Sequence[str]) -> dict[str, np.ndarray]:
    return {}


@dataclass(frozen=True)
class Asked:
    """What is asked of the maps.

    Attributes:
        names: the protocols; none: all that list and maps have what they need for.
        scale: "cosine" or "logit", what the maps are; None: whatever a protocol's original gets.
        thresholds: whose `negatives` takes: "own", or a key of `thresholds.PUBLISHED`.
        allow_missing: score what is there.
        share: weight of the heatmap where objectness is mixed in; None: each protocol's own.
    """

    names: tuple[str, ...] = ()
    scale: Any = None
    thresholds: str | None = None
    allow_missing: bool = False
    share: float | None = None

    @property
    def foreign(self) -> bool:
        """Whether `negatives` was asked for by name."""
        from avloc.evaluation.negatives import NEGATIVES

        return NEGATIVES.name in self.names


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


def baselines(listed: Benchmark, asked: Asked, reporter: Reporter) -> Scored:
    """The references alone."""
    from avloc.evaluation.choosing import panel
    from avloc.evaluation.negatives import KINDS
    from avloc.evaluation.provenance import provenance
    from avloc.evaluation.run import evaluate as run
    from avloc.evaluation.thresholds import PUBLISHED

    if asked.thresholds == OWN:
        raise UsageError(
            "--thresholds own: there are no heatmaps to make them of; name a method "
            f"({', '.join(PUBLISHED)})"
        )
    # References answer any sound; only where it is asked for, since nobody has such maps.
    extras = KINDS if asked.foreign else ()
    thresholds = PUBLISHED[asked.thresholds] if asked.thresholds else None
    chosen = panel(asked.names, listed, extras, thresholds, asked.allow_missing)
    _tell_left_out(chosen, reporter)
    with reporter.progress(listed.name, "items") as advance:
        report = run(None, listed, chosen, workers=WORKERS, processes=True, progress=advance)
    return Scored(replace(report, provenance=provenance(listed)), listed, chosen)


def maps_of_file(path: Path, listed: Benchmark, asked: Asked, reporter: Reporter) -> Scored:
    """The maps in an npz."""
    from avloc.evaluation.choosing import panel
    from avloc.evaluation.maps import MapFile, match, read_all
    from avloc.evaluation.negatives import KINDS, NEGATIVES
    from avloc.evaluation.provenance import provenance
    from avloc.evaluation.run import evaluate as run

    file = MapFile(path)
    found = match(file, [item.id for item in listed.items], listed.name, asked.allow_missing)
    thresholds = None
    if set(KINDS) <= set(found.extras) and NEGATIVES.name in (asked.names or (NEGATIVES.name,)):
        foreign = replace(found, extras=KINDS)
        # `run` tells what is wrong with maps, or leaves them out.
        thresholds = _thresholds(asked, (maps for _, maps in read_all(file, foreign, True, {})))
    if asked.share is not None and OBJECTNESS not in found.extras:
        raise UsageError(f"--ogl-weight: the heatmaps of {path} bring no ID/{OBJECTNESS} to weigh")
    chosen = panel(asked.names, listed, found.extras, thresholds, asked.allow_missing, asked.share)
    _tell_left_out(chosen, reporter)
    faults: dict[str, str] = {}
    with reporter.progress(path.name, "items") as advance:
        report = run(
            read_all(file, found, asked.allow_missing, faults),
            listed,
            chosen,
            asked.scale,
            path.name,
            WORKERS,
            processes=True,
            progress=advance,
        )
    report = replace(
        report,
        missing=found.missing,
        faults=faults,
        unknown=found.unknown,
        without=found.partly,
        provenance={"scale": asked.scale, **provenance(listed, [path])},
    )

    def again(ids: Sequence[str]) -> dict[str, np.ndarray]:
        return {item: file.read(item, ()).values for item in ids}

    return Scored(report, listed, chosen, asked.scale, again)


def maps_of_model(
    model: str, listed: Benchmark, asked: Asked, choice: Choice, reporter: Reporter
) -> Scored | None:
    """The maps that a model makes; None in all processes but the first of several."""
    from avloc.evaluation.choosing import panel
    from avloc.evaluation.negatives import KINDS, NEGATIVES
    from avloc.evaluation.provenance import provenance
    from avloc.evaluation.run import evaluate as run
    from avloc.models.catalogue import find_weights

    asked = replace(asked, scale="cosine")
    guide = choice.guide
    extras = ("confidence", *(KINDS if asked.foreign else ()))
    extras += () if guide is None else (OBJECTNESS,)
    chosen = panel(asked.names, listed, extras, None, asked.allow_missing, asked.share)
    if guide is not None and not any(judge.fusion for judge in chosen.judges):
        raise UsageError(
            "--ogl: none of these protocols mixes objectness in; add one that does, such as ezvsl, "
            "slavc or sslalign"
        )
    costs = "three more looks at every picture; ask for it by name"
    _tell_left_out(chosen, reporter, {NEGATIVES.name: costs})
    weights = find_weights(model)
    faults: dict[str, str] = {}
    with ExitStack() as stack:
        if asked.foreign and choice.keep is None and place() == (0, 1):
            # Thresholds are made of all maps before the first one is scored.
            choice = replace(choice, keep=Path(stack.enter_context(TemporaryDirectory())))
        source = answers(weights, listed, replace(choice, foreign=asked.foreign), reporter)
        if source is None:
            return None
        if asked.foreign:
            maps = (one for _, one in fitting(source(), {}, asked.allow_missing))
            found = _thresholds(asked, maps)
            chosen = panel(asked.names, listed, extras, found, asked.allow_missing, asked.share)
        with reporter.progress(listed.name, "items") as advance:
            report = run(
                fitting(source(), faults, asked.allow_missing),
                listed,
                chosen,
                asked.scale,
                model if guide is None else f"{model} + OGL {guide.name}",
                WORKERS,
                progress=advance,
            )
    missing = tuple(name for name in report.missing if name not in faults)
    told: dict[str, Any] = {"quality": choice.quality, "scale": asked.scale}
    if guide is not None:
        told["ogl"] = {**guide.describe(), "weight": guide.share}
    report = replace(report, missing=missing, faults=faults)
    report = replace(report, provenance={**told, **provenance(listed, [weights])})

    def again(ids: Sequence[str]) -> dict[str, np.ndarray]:
        few = replace(listed, items=tuple(item for item in listed.items if item.id in ids))
        source = answers(weights, few, replace(choice, keep=None, guide=None), Reporter(quiet=True))
        return {
            name: maps.values for name, maps in fitting(source() if source else iter(()), {}, True)
        }

    return Scored(report, listed, chosen, asked.scale, again)


def _thresholds(asked: Asked, maps: Iterable[ItemMaps]) -> Thresholds:
    """The universal thresholds that were asked for, of cosines."""
    from avloc.evaluation.maps import greatest
    from avloc.evaluation.normals import TEMPERATURE
    from avloc.evaluation.thresholds import PUBLISHED, Thresholds

    if asked.thresholds is not None and asked.thresholds != OWN:
        return PUBLISHED[asked.thresholds]
    return Thresholds.of(greatest(maps) * (TEMPERATURE if asked.scale == "logit" else 1))


def _tell_left_out(
    chosen: Panel, reporter: Reporter, reasons: Mapping[str, str] | None = None
) -> None:
    for name, lack in chosen.left_out.items():
        why = (reasons or {}).get(name, lack.removeprefix(f"{name}: "))
        reporter.detail(f"{name} is left out: {why}")
