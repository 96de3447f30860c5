"""`avloc synth`: a scene whose sounding object is known, with the truth beside it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from avloc.cli import options as opt
from avloc.cli.console import Reporter, put_json
from avloc.errors import UsageError


def synth(
    path: Annotated[Path, typer.Argument(help="The video, .mp4; its truth gets .json.")],
    objects: Annotated[
        int | None, typer.Option(help="How many things are to be seen; 3 if not told.")
    ] = None,
    sounding: Annotated[int | None, typer.Option(help="How many of them ever sound.")] = None,
    turns: Annotated[
        bool, typer.Option("--turns", help="Two things that sound strictly in turn.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Another number, another scene.")] = 7,
    seconds: Annotated[float, typer.Option(help="Duration.")] = 6.0,
    size: Annotated[str, typer.Option(metavar="WxH", help="Of the picture.")] = "640x360",
    fps: Annotated[float, typer.Option(help="Frames a second.")] = 25.0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Renew a scene.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    quiet: opt.Quiet = False,
) -> None:
    """Make a synthetic scene: scene.mp4, and who sounds when and where in scene.json."""
    width, height = _parse_size(size)
    if turns and (objects is not None or sounding is not None):
        raise UsageError("--turns has two objects that both sound; leave --objects and --sounding")
    things = 3 if objects is None else objects
    reporter = Reporter(quiet)
    truth = path.with_suffix(".json")
    there = [str(file) for file in (path, truth) if file.exists()]
    if there and not overwrite:
        reporter.say(f"{' and '.join(there)} there already, skipped; --overwrite renews")
        state = "skipped"
    else:
        from avloc.data.synthetic import Scene, write

        if turns:
            scene = Scene.turns(seed, seconds, width=width, height=height, fps=fps)
        else:
            scene = Scene.random(seed, things, seconds, width, height, fps, sounding)
        write(scene, path)
        names = ", ".join(thing.name for thing in scene.things)
        reporter.say(f"{path}: {seconds:g} s with {names}; the truth is in {truth}")
        state = "complete"
    if as_json:
        put_json({"status": state, "video": str(path), "truth": str(truth)})


def _parse_size(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{1,5})x(\d{1,5})", text)
    if not found:
        raise UsageError(f"--size {text!r} is not a size; give width x height, such as 640x360")
    return int(found[1]), int(found[2])
