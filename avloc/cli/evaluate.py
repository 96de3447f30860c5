"""`avloc evaluate`: heatmaps in, scores under published protocols out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from avloc.cli import options as opt
from avloc.cli import scores
from avloc.cli.asking import Choice, located
from avloc.cli.console import Reporter, put, put_rich
from avloc.cli.drawing import drawn
from avloc.cli.scoring import Scored, baselines, maps_of_file, maps_of_model
from avloc.errors import DataError, UsageError
from avloc.files import replacing

if TYPE_CHECKING:
    from avloc.data.benchmarks import Benchmark


def evaluate(
    model: Annotated[
        str | None, typer.Argument(help="A name from avloc models, or a weight file.")
    ] = None,
    benchmark: Annotated[
        str | None, typer.Argument(help="Its name (vggss, flickr, is3, ...), a list or a folder.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Folder with annotations, and frames and sounds.")
    ] = None,
    maps: Annotated[
        Path | None, typer.Option(help="Score these heatmaps: an npz, one array for each id.")
    ] = None,
    annotations: Annotated[
        Path | None, typer.Option(help="The list as its authors ship it, such as vggss.json.")
    ] = None,
    protocol: Annotated[
        str, typer.Option(metavar="NAMES", help="Such as lvs,ezvsl; or all that apply.")
    ] = "all",
    scale: Annotated[
        str | None, typer.Option(help="What the maps are: cosine or logit.", metavar="SCALE")
    ] = None,
    json_out: Annotated[
        str | None, typer.Option("--json", metavar="FILE", help="Write the report; - is stdout.")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write a page with figures.")] = None,
    against: Annotated[
        Path | None, typer.Option(help="Compare with a report written by --json.")
    ] = None,
    allow_missing: Annotated[
        bool, typer.Option("--allow-missing", help="Score what is there, and say what is not.")
    ] = False,
    baselines_only: Annotated[
        bool, typer.Option("--baselines-only", help="Centre, whole, best half, random; no maps.")
    ] = False,
    trained_on: Annotated[
        Path | None, typer.Option(help="Training list; says what of the test stands in it.")
    ] = None,
    trained_media: Annotated[
        Path | None, typer.Option(help="Frames and sounds of that list, compared by content.")
    ] = None,
    keep: Annotated[
        Path | None, typer.Option(help="Keep a model's maps here, and go on from there.")
    ] = None,
    quality: opt.Quality = opt.QualityName.DEFAULT,
    device: opt.Device = "auto",
    quiet: opt.Quiet = False,
    verbose: opt.Verbose = False,
) -> None:
    """Score heatmaps as published scripts do, with ceilings and baselines beside."""
    from avloc.evaluation.choosing import parse
    from avloc.evaluation.report import dumps, load

    reporter = Reporter(quiet, verbose)
    names = parse(protocol)
    if scale not in (None, "cosine", "logit"):
        raise UsageError(f"--scale {scale}: give cosine or logit")
    if html is not None:
        from avloc.evaluation.figures import check_plots

        check_plots()
    other = None if against is None else load(against)
    benchmark, model = _shifted(model, benchmark, maps, annotations, baselines_only)
    listed = _list(benchmark, annotations, data)
    media = data or (annotations.parent if annotations is not None else None)
    scored: Scored | None
    if baselines_only:
        scored = baselines(listed, names, allow_missing, reporter)
    elif maps is not None:
        scored = maps_of_file(maps, listed, names, scale, allow_missing, reporter)
    elif model is not None:
        choice = Choice(quality.value, device, keep, allow_missing)
        listed = located(listed, media, benchmark)
        scored = maps_of_model(model, listed, names, choice, reporter)
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

        units = {item.id: item.group or item.id for item in listed.items}
        compared = compare(report, other, units)
        told = {name: one.to_json() for name, one in compared.items()}
        report = replace(report, comparison={"report": str(against), "protocols": told})
    if json_out == "-":
        put(dumps(report))
    else:
        put_rich(scores.table(report, verbose))
        if compared is not None:
            put()
            put_rich(scores.comparison(compared, str(against)))
    for note in scores.notes(report):
        reporter.say(note)
    if json_out not in (None, "-"):
        _write(Path(json_out), dumps(report, indent=1) + "\n")
        reporter.say(f"report: {json_out}")
    if html is not None:
        _write(html, drawn(replace(scored, report=report), media))
        reporter.say(f"page: {html}")


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
