"""What readers and writers have in common: they are closed where their ``with`` block ends."""

from __future__ import annotations

from types import TracebackType
from typing import Self


class Closing:
    """Holds files open until `close`, which a ``with`` block calls at its end."""

    def close(self) -> None:
        """Finish, and let go of the files."""
        raise NotImplementedError

    def abandon(self) -> None:
        """Let go after an error; writers need not finish what they began."""
        self.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.abandon()
