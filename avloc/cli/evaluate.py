"""`avloc evaluate`: heatmaps in, scores under published protocols out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from avloc.cli import evaluate_options as opt
from avloc.cli import options as common
from avloc.cli import scores
from avloc.cli.asking import Choice, located
from avloc.cli.console import Reporter, put, put_rich
from avloc.cli.drawing import drawn
from avloc.cli.scoring import Asked, Scored, baselines, maps_of_file, maps_of_model
from avloc.errors import DataError, UsageError
from avloc.files import replacing

if TYPE_CHECKING:
    from avloc.data.benchmarks import Benchmark
    from avloc.evaluation.comparing import Comparison
    from avloc.evaluation.report import Report
    from avloc.models.object_guides import ObjectGuide


def evaluate(
    model: opt.Model = None,
    benchmark: opt.Benchmark = None,
    data: opt.Data = None,
    maps: opt.Maps = None,
    annotations: opt.Annotations = None,
    baselines_only: opt.BaselinesOnly = False,
    protocol: opt.Protocols = "all",
    thresholds: opt.Thresholds = None,
    scale: opt.Scale = None,
    allow_missing: opt.AllowMissing = False,
    json_out: opt.Json = None,
    html: opt.Html = None,
    against: opt.Against = None,
    trained_on: opt.TrainedOn = None,
    trained_media: opt.TrainedMedia = None,
    keep: opt.Keep = None,
    ogl: opt.Ogl = None,
    ogl_weight: opt.OglWeight = None,
    quality: common.Quality = common.QualityName.DEFAULT,
    device: common.Device = "auto",
    quiet: common.Quiet = False,
    verbose: common.Verbose = False,
) -> None:
    """Score heatmaps as published scripts do, with ceilings and baselines beside."""
    from avloc.evaluation.choosing import parse
    from avloc.evaluation.report import load

    reporter = Reporter(quiet, verbose)
    asked = Asked(parse(protocol), scale, thresholds, allow_missing, ogl_weight)
    _refuse(
        {
            "--thresholds: only the protocol negatives has any; add it to --protocol": (
                thresholds is not None and asked.names and not asked.foreign
            ),
            "--scale says what the heatmaps of --maps are; there are none": (
                scale is not None and maps is None
            ),
            "--keep is for the heatmaps of a model; there is none": (
                keep is not None and (maps is not None or baselines_only)
            ),
            "--ogl sees objectness for a model; those of --maps bring theirs along": (
                ogl is not None and (maps is not None or baselines_only)
            ),
            "--ogl-weight weighs objectness; there is none without --ogl or --maps": (
                ogl_weight is not None and ogl is None and maps is None
            ),
            "--against compares heatmaps; there are none with --baselines-only": (
                against is not None and baselines_only
            ),
            "--trained-media: name the list of these media, too (--trained-on LIST)": (
                trained_media is not None and trained_on is None
            ),
        }
    )
    if html is not None:
        from avloc.evaluation.figures import check_plots

        check_plots()
    other = None if against is None else load(against)
    benchmark, model = _shifted(model, benchmark, maps, annotations, baselines_only)
    listed = _list(benchmark, annotations, data)
    media = data or (annotations.parent if annotations is not None else None)
    scored: Scored | None
    if baselines_only:
        scored = baselines(listed, asked, reporter)
    elif maps is not None:
        scored = maps_of_file(maps, listed, asked, reporter)
    elif model is not None:
        guide = None if ogl is None else _guide(ogl, ogl_weight)
        choice = Choice(quality.value, device, keep, allow_missing, guide=guide)
        listed = located(listed, media, benchmark)
        scored = maps_of_model(model, listed, asked, choice, reporter)
    else:
        raise UsageError("no model and no --maps; name one, or ask for --baselines-only")
    if scored is None:  # a helper of several processes; the first one has the report
        return
    report = scored.report
    if trained_on is not None:
        report = replace(report, contamination=_seen(trained_on, trained_media, listed, data))
    compared = None
    if other is not None:
        from avloc.evaluation.comparing import compare

        compared = compare(report, other, {item.id: item.unit for item in listed.items})
        told = {name: one.to_json() for name, one in compared.items()}
        report = replace(report, comparison={"report": str(against), "protocols": told})
    _tell(report, compared, str(against), json_out, reporter)
    if html is not None:
        _write(html, drawn(replace(scored, report=report), media))
        reporter.say(f"page: {html}")


def _guide(ogl: str, weight: float | None) -> ObjectGuide:
    from avloc.models.object_guides import ObjectGuide

    return ObjectGuide.parse(ogl, weight)


def _refuse(wrong: Mapping[str, object]) -> None:
    """End with the first message whose condition holds: options that would say nothing."""
    for message, holds in wrong.items():
        if holds:
            raise UsageError(message)


def _tell(
    report: Report,
    compared: Mapping[str, Comparison] | None,
    other: str,
    json_out: str | None,
    reporter: Reporter,
) -> None:
    """The report on stdout and in a file, and what is to be known of it on stderr."""
    from avloc.evaluation.report import dumps

    if json_out == "-":
        put(dumps(report))
    else:
        put_rich(scores.table(report, reporter.verbose))
        if compared is not None:
            put()
            put_rich(scores.comparison(compared, other))
    for note in scores.notes(report):
        reporter.say(note)
    if json_out not in (None, "-"):
        _write(Path(json_out), dumps(report, indent=1) + "\n")
        reporter.say(f"report: {json_out}")


def _shifted(
    model: str | None,
    benchmark: str | None,
    maps: Path | None,
    annotations: Path | None,
    baselines_only: bool,
) -> tuple[str | None, str | None]:
    """Benchmark and model: without a need for a model, a single word is the benchmark."""
    if maps is not None and baselines_only:
        raise UsageError("--maps and --baselines-only exclude each other; give one of them")
    if maps is not None or baselines_only:
        if model is not None and benchmark is not None:
            raise UsageError(f"no model is needed here, {model!r} is one word too many")
        benchmark, model = benchmark or model, None
    if benchmark is not None and annotations is not None:
        raise UsageError(f"--annotations and the benchmark {benchmark!r}: give one of them")
    return benchmark, model


def _list(benchmark: str | None, annotations: Path | None, data: Path | None) -> Benchmark:
    from avloc.data.benchmarks import read_benchmark

    if annotations is not None:
        if not annotations.exists():
            raise DataError(f"{annotations}: no such file; name the list as its authors ship it")
        return read_benchmark(annotations)
    if benchmark is None:
        raise UsageError("no benchmark; name one with its --data, or a list with --annotations")
    return read_benchmark(benchmark, data)


def _seen(
    trained_on: Path, trained_media: Path | None, listed: Benchmark, data: Path | None
) -> dict[str, Any]:
    from avloc.data.contamination import clips_of, contamination, read_clips

    if trained_media is not None and data is None:
        raise UsageError("--trained-media: name the folder of the test's media, too (--data DIR)")
    found = contamination(
        read_clips(trained_on),
        clips_of(listed),
        trained_media,
        data if trained_media is not None else None,
    )
    return {"list": str(trained_on), **found.to_json()}


def _write(path: Path, text: str) -> None:
    with replacing(path) as part:
        part.write_text(text, encoding="utf-8")
