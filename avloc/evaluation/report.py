"""What an evaluation found, as data."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SCHEMA = 1


@dataclass(frozen=True)
class ProtocolReport:
    """One protocol on one list. Fractions in 0..1.

    Attributes:
        source, note: What it repeats, and what to know before comparing.
        metrics: Its numbers by name.
        baselines: The same numbers of heatmaps that anybody can make: "centre", "whole", "random",
            and "half_oracle", the best possible half picture.
        interval: 95 % bootstrap interval of "ciou", where the protocol has it.
        tied: The share of maps in which more than one pixel equals the one in the middle.
        items: What is known of every item, by id.
        count: Items that were scored.
    """

    source: str
    note: str
    metrics: Mapping[str, float]
    baselines: Mapping[str, Mapping[str, float]]
    interval: tuple[float, float] | None
    tied: float | None
    items: Mapping[str, Mapping[str, float]]
    count: int


@dataclass(frozen=True)
class Report:
    """All protocols on one list.

    Attributes:
        benchmark: The list's name.
        protocols: By name, in the order in which they were asked for.
        missing: Ids of the list without a map.
        unknown: Ids of maps that are not in the list.
        skipped: Protocols that were left out, each with the reason.
        about: What else is worth keeping: versions, hashes, options.
    """

    benchmark: str
    protocols: Mapping[str, ProtocolReport]
    missing: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    skipped: Mapping[str, str] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        """The report as strict JSON; what is no number becomes null."""
        whole = {
            "schema": SCHEMA,
            "benchmark": self.benchmark,
            "about": self.about,
            "missing": self.missing,
            "unknown": self.unknown,
            "skipped": self.skipped,
            "protocols": {name: vars(one) for name, one in self.protocols.items()},
        }
        return json.dumps(_strict(whole), indent=1, allow_nan=False)


def _strict(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _strict(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_strict(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if hasattr(value, "item"):  # a NumPy scalar
        return _strict(value.item())
    return value
