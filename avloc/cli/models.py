"""`avloc models`: what is installed, what others published, and how one becomes the other."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from avloc.cli.console import Reporter, put, put_json, put_rich
from avloc.cli.export import export

if TYPE_CHECKING:
    from avloc.models.published.methods import Method

app = typer.Typer(
    help="List models, show their cards, convert published checkpoints.",
    invoke_without_command=True,
)

AsJson = Annotated[bool, typer.Option("--json", help="JSON on stdout.")]

app.command("export")(export)


@app.callback()
def default(context: typer.Context) -> None:
    """List models, show their cards, convert published checkpoints; without a verb, list."""
    if context.invoked_subcommand is None:
        show_all()


@app.command("list")
def show_all(as_json: AsJson = False) -> None:
    """List the installed models, and the published ones that can be converted."""
    from avloc.models.catalogue import available_models, read_card
    from avloc.models.published.cards import grid_of, input_of
    from avloc.models.published.methods import METHODS

    cards = [read_card(name) for name in available_models()]
    if as_json:
        installed = [{**_without_text(asdict(card)), "installed": True} for card in cards]
        put_json([*installed, *(_record(method) for method in METHODS.values())])
        return
    from rich.table import Table

    table = Table("name", "licence", "parameters", "size", "grid", "trained on", title="Installed")
    for card in cards:
        numbers = (f"{card.parameters / 1e6:.2f} M", f"{card.size / 1e6:.1f} MB")
        table.add_row(card.name, card.licence, *numbers, card.grid, card.trained_on)
    put_rich(table)
    title = "Published: fetch the weights (avloc models show NAME), then avloc models convert"
    table = Table("name", "code", "input", "grid", "trained on", title=title)
    for method in METHODS.values():
        config = method.config
        table.add_row(
            method.name, method.licence, input_of(config), grid_of(config), method.trained_on
        )
    put_rich(table)


@app.command("show")
def show(
    name: Annotated[str, typer.Argument(help="A name from the list, or a weight file.")],
    as_json: AsJson = False,
) -> None:
    """Print the card of a model."""
    from avloc.models.catalogue import available_models, read_card
    from avloc.models.published.cards import card_of
    from avloc.models.published.methods import METHODS

    if name in METHODS and name not in available_models():
        if as_json:
            put_json(_record(METHODS[name]))
        else:
            _put_text(card_of(METHODS[name]))
        return
    card = read_card(name)
    if as_json:
        put_json(asdict(card))
        return
    facts = f"{card.parameters:,} parameters, {card.size / 1e6:.1f} MB, sha256 {card.sha256}"
    put(f"{card.name} ({card.id}): {facts}\n")
    _put_text(card.text)


@app.command("convert")
def convert(
    checkpoint: Annotated[
        list[Path],
        typer.Argument(help="best.pth and the like; of several files all, or their folder."),
    ],
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="A .safetensors file, or a folder.")
    ] = None,
    method: Annotated[
        str | None, typer.Option(help="Which method it is of, where several have its names.")
    ] = None,
    unused: Annotated[
        str, typer.Option(metavar="NAMES", help="Leave out tensors whose names begin so.")
    ] = "",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Renew a file there.")] = False,
    as_json: AsJson = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Failures only.")] = False,
) -> None:
    """Turn a published checkpoint into weights that every --model takes."""
    from avloc.models.published.converting import convert as to_weights

    reporter = Reporter(quiet)
    words = tuple(word.strip() for word in unused.split(",") if word.strip())
    done = to_weights(checkpoint, out, method, words, overwrite)
    names = ", ".join(map(str, checkpoint))
    if done.others:
        others = " and ".join(done.others)
        reporter.warn(
            f"{names}: taken for {done.method}; {others} would fit as well, --method decides"
        )
    if done.dropped:
        reporter.say(f"{names}: {len(done.dropped)} tensors left out that no map depends on")
    if as_json:
        put_json({**asdict(done), "path": str(done.path)})
    reporter.say(f"{names} -> {done.path} ({done.id})")


def _record(method: Method) -> dict[str, Any]:
    """A published method for programs."""
    from avloc.models.published.cards import grid_of, input_of

    return {
        "name": method.name,
        "title": method.title,
        "licence": method.licence,
        "repository": method.repository,
        "input": input_of(method.config),
        "grid": grid_of(method.config),
        "trained_on": method.trained_on,
        "downloads": method.downloads,
        "protocol": method.protocol,
        "note": method.note,
        "installed": False,
    }


def _without_text(card: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in card.items() if key != "text"}


def _put_text(text: str) -> None:
    """Markdown, drawn on a terminal; it is itself easy to read, and to paste, elsewhere."""
    import sys

    from rich.markdown import Markdown

    if sys.stdout.isatty():
        put_rich(Markdown(text))
    else:
        put(text.rstrip())
