"""`avloc models push`: a model as a folder for the Hugging Face Hub, and there."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from avloc.cli import options as opt
from avloc.cli.console import Reporter, put_json
from avloc.errors import UsageError


def push(
    model: Annotated[
        str, typer.Argument(help="A name from avloc models, a weight file, or hf://owner/name.")
    ],
    out: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="FOLDER", help="Write the folder here.")
    ] = None,
    repo: Annotated[
        str, typer.Option(metavar="OWNER/NAME", help="Upload it; HF_TOKEN says who you are.")
    ] = "",
    private: Annotated[
        bool, typer.Option("--private", help="A new repository is for you alone.")
    ] = False,
    licence: Annotated[
        str,
        typer.Option("--licence", "--license", metavar="ID", help="Of the weights: cc-by-4.0, ..."),
    ] = "",
    yes_i_may: Annotated[
        bool, typer.Option("--yes-i-may", help="Upload weights of others: their authors agreed.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Renew files there.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    quiet: opt.Quiet = False,
) -> None:
    """Write a model as a folder for the Hugging Face Hub; with --repo, upload it."""
    from huggingface_hub.utils import disable_progress_bars

    from avloc.models.pushing import method_of, upload, write_folder

    if out is None and not repo:
        raise UsageError("nowhere to write; give -o FOLDER, --repo OWNER/NAME, or both")
    others = method_of(model)
    if repo and others and not yes_i_may:
        raise UsageError(
            f"{model}: not uploaded: these weights belong to the authors of {others}, who gave "
            "them no licence that avloc knows of; with their leave add --yes-i-may, without --repo "
            "the folder is written for yourself"
        )
    reporter = Reporter(quiet)
    with TemporaryDirectory() as spare:
        done = write_folder(model, out or Path(spare), repo, licence, overwrite)
        if not done.licence:
            reporter.warn(f"{model}: its licence is not known; --licence names one")
        if done.others:
            reporter.warn(f"{model}: weights of the authors of {others}; its card says so")
        if out is not None:
            reporter.say(f"{model} -> {out}")
        if quiet:
            disable_progress_bars()
        address = upload(done.folder, repo, private) if repo else None
    if address:
        reporter.say(f"{model} -> {address}")
    if as_json:
        put_json({**asdict(done), "folder": out and str(out), "address": address})
