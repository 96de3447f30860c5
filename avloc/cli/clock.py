"""Times as people write them."""

from __future__ import annotations

import math

from avloc.errors import UsageError


def parse_seconds(text: str | None, option: str) -> float | None:
    """Seconds from ``90``, ``1:30`` or ``00:01:30.5``; None stays None.

    Raises:
        UsageError: it is not a time, negative, or has 60 or more in a minute.
    """
    if text is None:
        return None
    try:
        parts = [float(part) for part in text.split(":")]
    except ValueError:
        parts = []
    good = 1 <= len(parts) <= 3 and all(math.isfinite(part) and part >= 0 for part in parts)
    whole = all(part.is_integer() for part in parts[:-1])
    if not good or not whole or any(part >= 60 for part in parts[1:]):
        raise UsageError(f"{option} {text!r} is not a time; give seconds or HH:MM:SS")
    return sum(part * 60**power for power, part in enumerate(reversed(parts)))


def show_seconds(seconds: float) -> str:
    """``4.2 s``, ``1:05`` or ``1:02:03``."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
