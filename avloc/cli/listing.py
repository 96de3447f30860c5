"""How models are listed: a few short lines each, which fit into any window."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Mapping

WIDEST = 100
"""Signs a line has at most: longer ones are hard to read."""

LABEL = 14
"""Signs before what a line tells."""


def heading(text: str) -> str:
    """A line over several entries."""
    return _bold(_wrapped(text, ""))


def entry(name: str, facts: Mapping[str, str]) -> str:
    """A name, and below it what is known."""
    lines = [_bold(name)]
    for label, fact in facts.items():
        if fact:
            lines.append(_wrapped(fact, f"  {label}".ljust(LABEL)))
    return "\n".join(lines)


def _wrapped(text: str, label: str) -> str:
    width = max(min(shutil.get_terminal_size().columns, WIDEST), 2 * LABEL)
    longest = max(map(len, text.split()), default=0)
    return textwrap.fill(
        text,
        width,
        initial_indent=label,
        subsequent_indent=" " * (len(label) if len(label) + longest <= width else len(label) // 3),
        break_long_words=False,  # addresses and paths are there to be copied
        break_on_hyphens=False,
    )


def _bold(text: str) -> str:
    from rich.console import Console
    from rich.text import Text

    if not sys.stdout.isatty():
        return text
    console = Console()
    with console.capture() as told:
        console.print(Text(text, "bold"), soft_wrap=True, end="")
    return told.get()
