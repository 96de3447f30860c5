"""What people read: lines and progress bars on stderr, results on stdout."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from rich.console import Console
from rich.markup import escape

if TYPE_CHECKING:
    from rich.progress import Progress

PLAIN_SECONDS = 30.0
"""How often a log, which has no bar, is told how far a file has come."""

LABEL_LENGTH = 31
"""Signs of a name that stand beside a bar."""


class Advance(Protocol):
    """Called with how much is done, how much there is where that is known, and a remark."""

    def __call__(self, done: float, total: float | None, remark: str = "") -> None: ...


def put(text: str = "") -> None:
    """One line on stdout: what the command was asked for."""
    print(text, flush=True)


def put_json(value: Mapping[str, Any] | list[Any]) -> None:
    """One JSON value on one line of stdout."""
    put(json.dumps(value, ensure_ascii=False))


def put_rich(renderable: Any) -> None:
    """A table or a page on stdout, as wide as it needs to be where nobody sees its edges."""
    wide = None if sys.stdout.isatty() else 160
    Console(width=wide).print(renderable)


class Reporter:
    """Tells people on stderr what happens. Colours obey ``NO_COLOR``, bars need a terminal."""

    def __init__(self, quiet: bool = False, verbose: bool = False) -> None:
        self.quiet = quiet
        self.verbose = verbose
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)

    def say(self, text: str) -> None:
        """A line that ``-q`` takes away."""
        if not self.quiet:
            self._console.print(escape(text))

    def detail(self, text: str) -> None:
        """A line that only ``-v`` shows."""
        if self.verbose and not self.quiet:
            self._console.print(f"[dim]{escape(text)}[/dim]")

    def warn(self, text: str) -> None:
        """Something that went on, but not as asked."""
        if not self.quiet:
            self._console.print(f"[yellow]{escape(text)}[/yellow]")

    def fail(self, text: str) -> None:
        """One line for each failure, whatever ``-q`` says."""
        self._console.print(f"[red]{escape(' '.join(text.split()))}[/red]")

    def traceback(self) -> None:
        """The exception now handled, whole, for ``-v``."""
        if self.verbose:
            self._console.print_exception(max_frames=20)

    @contextmanager
    def progress(self, label: str, unit: str = "s", width: int = 30) -> Iterator[Advance]:
        """How far one thing has come: a bar on a terminal, now and then a line in a log.

        Args:
            label: what it is.
            unit: that is counted.
            width: signs of the bar; few where long remarks stand beside it.
        """
        if self.quiet:
            yield _unseen
        elif self._console.is_terminal:
            with self._bar(width) as bar:
                task = bar.add_task(escape(_shortened(label)), total=None, remark="")

                def advance(done: float, total: float | None, remark: str = "") -> None:
                    bar.update(task, completed=done, total=total, remark=escape(remark))

                yield advance
        else:
            yield self._lines(label, unit)

    def _bar(self, width: int) -> Progress:
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
        from rich.progress import TimeRemainingColumn as TimeLeft

        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=width),
            TaskProgressColumn(),
            TimeLeft(compact=True),
            TextColumn("{task.fields[remark]}"),
        )
        return Progress(*columns, console=self._console, transient=True)

    def _lines(self, label: str, unit: str) -> Advance:
        told = time.monotonic()

        def advance(done: float, total: float | None, remark: str = "") -> None:
            nonlocal told
            if time.monotonic() - told >= PLAIN_SECONDS:
                told = time.monotonic()
                share = f" ({done / total:.0%})" if total else ""
                self.say(f"{label}: {done:.0f} {unit} done{share} {remark}".rstrip())

        return advance


def _shortened(label: str) -> str:
    """A long name without its middle, so that the bar beside it fits into 80 columns."""
    if len(label) <= LABEL_LENGTH:
        return label
    half = (LABEL_LENGTH - 1) // 2
    return f"{label[:half]}\N{HORIZONTAL ELLIPSIS}{label[-half:]}"


def _unseen(done: float, total: float | None, remark: str = "") -> None:
    """What progress is when nobody wants to see it."""
