"""Options of things that are chosen by name: frozen dataclasses that check their own values.

>>> @dataclass(frozen=True)
... class Config(Options):
...     temperature: Positive = 0.07
>>> Config(temperature=-1)
Traceback (most recent call last):
avloc.errors.UsageError: option temperature: expected a finite number above 0, got -1
"""

from __future__ import annotations

import math
import typing
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Annotated, Any, ClassVar, Protocol, TypeVar

from avloc.errors import UsageError
from avloc.registry import Registry


@dataclass(frozen=True)
class Rule:
    """What a value has to be, besides of its type; stands in the `Annotated` type of a field."""

    wanted: str
    holds: Callable[[Any], bool]


Some = Annotated[int, Rule("1 or more", lambda n: n >= 1)]
Share = Annotated[float, Rule("a number from 0 to 1", lambda v: 0 <= v <= 1)]
Amount = Annotated[float, Rule("a finite number from 0", lambda v: 0 <= v < math.inf)]
Positive = Annotated[float, Rule("a finite number above 0", lambda v: 0 < v < math.inf)]
Finite = Annotated[float, Rule("a finite number", math.isfinite)]


@dataclass(frozen=True)
class Options:
    """Base of such dataclasses. A value of the wrong type or range raises `UsageError`."""

    def __post_init__(self) -> None:
        kinds = typing.get_type_hints(type(self), include_extras=True)
        for field in fields(self):
            value, kind = getattr(self, field.name), kinds[field.name]
            _check(field.name, value, kind)
            if _plain(kind) is float:  # 1 is as good as 1.0, but its tensor would not be
                object.__setattr__(self, field.name, float(value))


def _plain(kind: Any) -> Any:
    """The type that rules were added to."""
    return typing.get_args(kind)[0] if typing.get_origin(kind) is Annotated else kind


def _check(name: str, value: Any, kind: Any) -> None:
    if typing.get_origin(kind) is Annotated:
        plain, *rules = typing.get_args(kind)
        _check(name, value, plain)
        for rule in rules:
            if not rule.holds(value):
                raise UsageError(f"option {name}: expected {rule.wanted}, got {value!r}")
    elif typing.get_origin(kind) is typing.Literal:
        if value not in typing.get_args(kind):
            known = ", ".join(map(repr, typing.get_args(kind)))
            raise UsageError(f"option {name}: expected one of {known}, got {value!r}")
    else:
        plain = typing.get_origin(kind) or kind  # of tuple[str, ...] the tuple
        accepted = (int, float) if plain is float else plain
        if not isinstance(value, accepted) or (isinstance(value, bool) and plain is not bool):
            raise UsageError(f"option {name}: expected {plain.__name__}, got {value!r}")


class Configured(Protocol):
    """A class that is built from one `Options`, its own ``Config``."""

    Config: ClassVar[Any]

    def __init__(self, config: Any) -> None: ...


T = TypeVar("T", bound=Configured)


def configured(registry: Registry[type[T]], name: str, **options: Any) -> T:
    """The entry `name` of `registry`, built with `options`.

    Raises:
        UsageError: there is no such entry or option, with the nearest one, or a value is wrong.
    """
    kind = registry[name]
    known: Registry[None] = Registry(f"option of {registry.kind} {name!r}:")
    for field in fields(kind.Config):
        known.add(field.name, None)
    for option in options:
        known[option]
    return kind(kind.Config(**options))
