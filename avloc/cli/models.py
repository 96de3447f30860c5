"""`avloc models`: what is installed, under which licence, trained on what."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from avloc.cli.console import put, put_json, put_rich

app = typer.Typer(help="List the models and show their cards.", invoke_without_command=True)

AsJson = Annotated[bool, typer.Option("--json", help="JSON on stdout.")]


@app.callback()
def default(context: typer.Context) -> None:
    """List the models and show their cards; without a verb, list."""
    if context.invoked_subcommand is None:
        show_all()


@app.command("list")
def show_all(as_json: AsJson = False) -> None:
    """List the installed models."""
    from avloc.models.catalogue import available_models, read_card

    cards = [read_card(name) for name in available_models()]
    if as_json:
        put_json([{key: value for key, value in asdict(c).items() if key != "text"} for c in cards])
        return
    from rich.table import Table

    table = Table("name", "licence", "parameters", "size", "grid", "trained on")
    for card in cards:
        numbers = (f"{card.parameters / 1e6:.2f} M", f"{card.size / 1e6:.1f} MB")
        table.add_row(card.name, card.licence, *numbers, card.grid, card.trained_on)
    put_rich(table)


@app.command("show")
def show(
    name: Annotated[str, typer.Argument(help="A name from the list, or a weight file.")],
    as_json: AsJson = False,
) -> None:
    """Print the card of a model."""
    from avloc.models.catalogue import read_card

    card = read_card(name)
    if as_json:
        put_json(asdict(card))
        return
    import sys

    from rich.markdown import Markdown

    facts = f"{card.parameters:,} parameters, {card.size / 1e6:.1f} MB, sha256 {card.sha256}"
    put(f"{card.name} ({card.id}): {facts}\n")
    # Markdown is itself easy to read, and to paste, where nobody draws it.
    if sys.stdout.isatty():
        put_rich(Markdown(card.text))
    else:
        put(card.text.rstrip())
