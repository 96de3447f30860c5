"""`avloc train`: a recipe in, a run folder with weights out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from avloc.cli import options as opt
from avloc.cli.console import Reporter, put_json
from avloc.errors import DataError


def train(
    recipe: Annotated[Path, typer.Argument(help="A recipe, such as recipes/wild/default.yaml.")],
    overrides: Annotated[
        list[str] | None, typer.Argument(help="key=value, such as optimiser.steps=100.")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(envvar="AVLOC_DATA", help="Folder of the training data."),
    ] = None,
    out: Annotated[Path | None, typer.Option("-o", "--out", help="The run folder.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out.")] = False,
    device: opt.Device = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    quiet: opt.Quiet = False,
    verbose: opt.Verbose = False,
) -> None:
    """Train a recipe; the run folder gets recipe.yaml, log.jsonl, last.pt, best.safetensors."""
    from avloc.inference.engine import choose_device
    from avloc.training.wild.recipe import read_recipe
    from avloc.training.wild.train import train as run

    reporter = Reporter(quiet, verbose)
    plan = read_recipe(recipe, overrides)
    if data is None:
        raise DataError("no training data: pass its folder with --data or set AVLOC_DATA")
    if not data.is_dir():
        raise DataError(f"{data}: no such folder; pass the training data with --data")
    folder = out or Path("runs", plan.name)
    where = choose_device(device)
    reporter.say(f"{recipe} on {where}, run folder {folder}")
    with reporter.progress(plan.name, "steps") as advance:

        def tell(step: int, steps: int, terms: dict[str, float]) -> None:
            advance(step, steps, f"loss {terms['loss']:.4f}")

        weights = run(plan, recipe, data, folder, where, resume, tell)
    reporter.say(f"weights: {weights}")
    if as_json:
        put_json({"recipe": str(recipe), "folder": str(folder), "weights": str(weights)})
