"""How the program is stopped from outside, and leaves nothing half done."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

INTERRUPTED = 130
TERMINATED = 143


@contextmanager
def stoppable() -> Iterator[None]:
    """SIGTERM unwinds the stack as an exit with 143, so that unfinished files are removed."""

    def stop(signum: int, frame: object) -> NoReturn:
        raise SystemExit(TERMINATED)

    previous = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


def abandon_stdout() -> None:
    """After the reader of a pipe went away: let Python flush into nothing when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
