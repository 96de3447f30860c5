"""`avloc contamination`: has training seen the test?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from avloc.cli import options as opt
from avloc.cli.console import Reporter, put
from avloc.errors import UsageError
from avloc.files import replacing

if TYPE_CHECKING:
    from avloc.data.contamination import Contamination


def contamination(
    trained: Annotated[
        Path, typer.Argument(help="Training list: text, CSV, JSON or JSON lines; a clip a row.")
    ],
    benchmark: Annotated[
        str, typer.Argument(help="The test: a name (vggss, flickr, is3, ...), a list or a folder.")
    ],
    data: Annotated[
        Path | None, typer.Option(help="Folder with the test's annotations, frames and sounds.")
    ] = None,
    trained_media: Annotated[
        Path | None, typer.Option(help="Frames, sounds or clips of training, to compare contents.")
    ] = None,
    json_out: Annotated[
        str | None,
        typer.Option("--json", metavar="FILE", help="Write what was found; - is stdout."),
    ] = None,
    quiet: opt.Quiet = False,
    verbose: opt.Verbose = False,
) -> None:
    """Tell which test clips stand in a training list, by name and by what they show and sound."""
    from avloc.data.benchmarks import read_benchmark
    from avloc.data.contamination import clips_of, read_clips
    from avloc.data.contamination import contamination as compare

    reporter = Reporter(quiet, verbose)
    listed = read_benchmark(benchmark, data)
    if trained_media is not None and data is None:
        raise UsageError("--trained-media: name the folder of the test's media, too (--data DIR)")
    with reporter.progress("contents", "files") as advance:
        found = compare(
            read_clips(trained),
            clips_of(listed),
            trained_media,
            data if trained_media is not None else None,
            lambda what, done, of: advance(done, of, what),
        )
    report = {"list": str(trained), "benchmark": listed.name, **found.to_json()}
    if json_out == "-":
        put(json.dumps(report, ensure_ascii=False))
        return
    for line in _told(found, str(trained), listed.name, verbose):
        put(line)
    for problem in found.problems:
        reporter.detail(f"{problem.id}: {problem.what}")
    if json_out is not None:
        with replacing(Path(json_out)) as part:
            part.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", "utf-8")
        reporter.say(f"report: {json_out}")


def _told(found: Contamination, trained: str, name: str, everything: bool) -> list[str]:
    """What was found, a line each; with `everything` each clip on a line of its own."""
    lines = [f"{name}: {found.tested} clips; {trained}: {found.trained} clips"]
    for names, what in (
        (found.ids, "stand in both, by name"),
        (found.videos, "are other pieces of videos that training has"),
    ):
        lines.append(f"{_share(len(names), found.tested)} {what}")
        lines += [f"  {name}" for name in names] * everything
    if found.alike is None:
        lines.append("contents were not compared; name media with --trained-media and --data")
        return lines
    for kind, verb, unit in (("picture", "look", "bits"), ("sound", "sound", "of the peaks")):
        pairs = [pair for pair in found.alike if pair.by == kind]
        clips = len({pair.test for pair in pairs})
        lines.append(f"{_share(clips, found.tested)} {verb} like a training clip of another name")
        lines += [f"  {p.test} = {p.train} ({p.amount:.3g} {unit})" for p in pairs] * everything
    if found.problems:
        lines.append(f"{len(found.problems)} files could not be compared; -v and --json name them")
    return lines


def _share(count: int, of: int) -> str:
    return f"{count:6} ({count / of:6.1%})"
