"""`avloc localize`: videos in, their heatmap videos out."""

from __future__ import annotations

import math
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from avloc.cli import options as opt
from avloc.cli.batch import Run
from avloc.cli.clock import parse_seconds, show_seconds
from avloc.cli.console import Reporter
from avloc.cli.inputs import gather
from avloc.cli.outputs import NAME, Job, parse_kinds, plan
from avloc.errors import UsageError

if TYPE_CHECKING:
    from avloc.inference import Localizer
    from avloc.types import Localization


def localize(
    inputs: opt.Inputs,
    out: opt.Out = None,
    name: opt.Name = NAME,
    save: opt.Save = "video,json",
    overwrite: opt.Overwrite = False,
    fps: opt.Fps = 5.0,
    model: opt.Model = "bundled",
    quality: opt.Quality = opt.QualityName.DEFAULT,
    device: opt.Device = "auto",
    runtime: opt.Runtime = None,
    ogl: opt.Ogl = None,
    ogl_weight: opt.OglWeight = None,
    as_json: opt.AsJson = False,
    quiet: opt.Quiet = False,
    verbose: opt.Verbose = False,
    start: opt.Start = None,
    end: opt.End = None,
    audio: opt.Audio = None,
    audio_track: opt.AudioTrack = None,
    no_audio: opt.NoAudio = False,
    codec: opt.Codec = None,
    rotation: opt.Rotation = opt.RotationRule.BAKE,
    colormap: opt.Colormap = "turbo",
    alpha: opt.Alpha = 0.55,
    contour: opt.Contour = True,
    box: opt.Box = False,
    peak: opt.Peak = False,
    side_by_side: opt.SideBySide = False,
    strip: opt.Strip = False,
    legend: opt.Legend = False,
    tags: opt.Tags = True,
) -> None:
    """Show where the sound of a video comes from: clip.mp4 in, clip.avloc.mp4 out."""
    from avloc.media.style import Style

    style = Style(
        colormap=colormap,
        alpha=alpha,
        contour=contour,
        box=box,
        peak=peak,
        side_by_side=side_by_side,
        strip=strip,
        legend=legend,
        tags=tags,
    )
    kinds = parse_kinds(save)
    if not (math.isfinite(fps) and 0 < fps <= 1000):
        raise UsageError(f"--fps {fps:g} is out of range; give heatmaps a second, such as 5")
    begin, stop = parse_seconds(start, "--start"), parse_seconds(end, "--end")
    if stop is not None and stop <= (begin or 0.0):
        raise UsageError(f"--end {end} does not lie after the start")
    if no_audio and audio is not None:
        raise UsageError("--audio and --no-audio exclude each other; give one of them")
    if ogl_weight is not None and ogl is None:
        raise UsageError("--ogl-weight weighs objectness; name what sees it (--ogl BACKBONE)")

    run = Run(Reporter(quiet, verbose), as_json)
    sources, missing = gather(inputs, sys.stdin)
    jobs, results = plan(sources, kinds, out, name)
    for path in results:
        run.reporter.say(f"{path}: a result of another input, left out")
    for word in missing:
        run.failed(word.name, word.error)
    settings = {
        "fps": fps,
        "start": begin,
        "end": stop,
        "audio": audio,
        "audio_track": audio_track,
        "use_audio": not no_audio,
        "codec": None if codec is None else codec.value,
        "rotation": rotation.value,
        "style": style,
    }
    localizer: Localizer | None = None
    for job in jobs:
        wanted = job if overwrite else _not_yet_there(job, run)
        if wanted is not None:
            localizer = localizer or _load(
                model, device, quality, runtime, ogl, ogl_weight, run.reporter
            )
            run.attempt(str(job.source), partial(_localize_one, localizer, wanted, settings, run))
    raise typer.Exit(run.close())


def _not_yet_there(job: Job, run: Run) -> Job | None:
    """The job less the outputs that exist; None where nothing is left to do."""
    there = {kind: path for kind, path in job.outputs.items() if path.exists()}
    wanted = {kind: path for kind, path in job.outputs.items() if kind not in there}
    if there:
        names = " and ".join(str(path) for path in there.values())
        verb = "exists" if len(there) == 1 else "exist"
        run.reporter.say(f"{job.source}: {names} {verb}, skipped; --overwrite renews")
    if wanted:
        return Job(job.source, wanted)
    run.ended(str(job.source), "skipped", {"outputs": _texts(there)})
    return None


def _load(
    model: str,
    device: str,
    quality: opt.QualityName,
    runtime: opt.RuntimeName | None,
    ogl: str | None,
    ogl_weight: float | None,
    reporter: Reporter,
) -> Localizer:
    from avloc.inference import load_model

    guide = None
    if ogl is not None:
        from avloc.models.object_guides import ObjectGuide

        guide = ObjectGuide.parse(ogl, ogl_weight)
    high = quality is opt.QualityName.HIGH
    localizer = load_model(model, device, "high" if high else "default", guide, runtime=runtime)
    reporter.detail(f"model {localizer.id} on {localizer.device}")
    return localizer


def _localize_one(localizer: Localizer, job: Job, settings: dict[str, Any], run: Run) -> None:
    began = time.monotonic()
    with run.reporter.progress(job.source.name) as advance:
        result = localizer.localize(job.source, job.outputs, progress=advance, **settings)
    took = time.monotonic() - began
    _tell(result, job, took, run.reporter)
    # Peaks and boxes of a long video take a while: only where they are asked for.
    record = {**result.to_json(), "outputs": _texts(job.outputs)} if run.as_json else {}
    run.ended(str(job.source), result.status, record)


def _tell(result: Localization, job: Job, took: float, reporter: Reporter) -> None:
    first = next(iter(job.outputs.values()))
    length = show_seconds(result.duration)
    reporter.say(f"{job.source} -> {first} ({length} of video in {show_seconds(took)})")
    for path in list(job.outputs.values())[1:]:
        reporter.detail(f"{job.source} -> {path}")
    for note in result.notes:
        reporter.warn(f"{job.source}: {note}")
    if result.status == "partial":
        lost = show_seconds(result.lost_seconds)
        reporter.fail(f"{job.source}: partial, {lost} could not be read")


def _texts(outputs: Any) -> dict[str, str]:
    return {kind: str(Path(path)) for kind, path in outputs.items()}
