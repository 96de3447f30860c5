"""Many inputs, one after the other: each failure is one line, the rest is still done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from avloc.cli.console import Reporter, put_json
from avloc.errors import AvlocError

STATES = ("complete", "partial", "skipped", "failed")


class Run:
    """What became of the inputs of one command, told while it happens.

    Args:
        as_json: put one JSON object an input on stdout.
    """

    def __init__(self, reporter: Reporter, as_json: bool = False) -> None:
        self.reporter = reporter
        self.as_json = as_json
        self._states: Counter[str] = Counter()
        self._codes: set[int] = set()

    def attempt(self, name: str, work: Callable[[], None]) -> None:
        """Do `work` for the input `name`; a failure is counted and told, and ends nothing else.

        A fault of avloc itself costs its own input only: somebody's other thousand clips go on.
        """
        try:
            work()
        except AvlocError as error:
            self.failed(name, error)
        except BrokenPipeError:
            raise
        except Exception as error:
            self.reporter.traceback()
            hint = "" if self.reporter.verbose else "; -v shows the traceback, please report it"
            told = f"{name}: unexpected {type(error).__name__}: {error}{hint}"
            self.failed(name, AvlocError(told))

    def ended(self, name: str, state: str, record: Mapping[str, Any]) -> None:
        """Count an input that came to an end in one of `STATES`."""
        self._states[state] += 1
        if self.as_json:
            put_json({"source": name, "status": state, **record})

    def failed(self, name: str, error: AvlocError) -> None:
        """Tell a failure in one line that names its input, and count it."""
        text = str(error)
        self.reporter.fail(text if name in text else f"{name}: {text}")
        self._codes.add(error.exit_code)
        self.ended(name, "failed", {"error": text})

    def close(self) -> int:
        """Sum up several inputs in a line, and the exit code they ask for.

        0 all done; 1 some failed or broke off; where all failed for one kind of reason, its code.
        """
        total = self._states.total()
        if total > 1:
            counts = [f"{self._states[state]} {state}" for state in STATES if self._states[state]]
            self.reporter.say(f"{total} inputs: {', '.join(counts)}")
        failed, partial = self._states["failed"], self._states["partial"]
        if failed and failed == total and len(self._codes) == 1:
            return next(iter(self._codes))
        return 1 if failed or partial else 0
