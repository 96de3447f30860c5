"""Recipes: YAML read into frozen dataclasses, unknown keys refused."""

from __future__ import annotations

import dataclasses
import json
import math
import re
import typing
from collections.abc import Callable
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml

from avloc.data.wild import Licences
from avloc.errors import RecipeError
from avloc.models.two_stream import NetworkConfig

T = TypeVar("T")
SCIENTIFIC = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)e[-+]?\d+", re.IGNORECASE)


@dataclass(frozen=True)
class Rule:
    """What a value has to be, besides of its type; stands in the `Annotated` type of a field."""

    wanted: str
    holds: Callable[[Any], bool]


def _positive_numbers(config: NetworkConfig) -> bool:
    numbers = (v for v in dataclasses.astuple(config) if isinstance(v, int | float))
    return all(0 < number < math.inf for number in numbers)


Count = Annotated[int, Rule("0 or more", lambda n: n >= 0)]
Some = Annotated[int, Rule("1 or more", lambda n: n >= 1)]
Side = Annotated[int, Rule("a positive multiple of 32", lambda n: n > 0 and n % 32 == 0)]
Sizes = Annotated[tuple[tuple[Side, Side], ...], Rule("one size or more", bool)]
Share = Annotated[float, Rule("a number from 0 to 1", lambda v: 0 <= v <= 1)]
Amount = Annotated[float, Rule("a finite number from 0", lambda v: 0 <= v < math.inf)]
Positive = Annotated[float, Rule("a finite number above 0", lambda v: 0 < v < math.inf)]
Network = Annotated[NetworkConfig, Rule("positive numbers", _positive_numbers)]


@dataclass(frozen=True)
class DataConfig:
    """What is trained on.

    Attributes:
        concepts: the concept table, a path relative to the recipe that names it (where none
            does, to the one that extends no other).
        licences: ``free`` (CC0, CC BY, CC BY-SA, public domain, free use) or ``noncommercial``.
        sizes: (height, width) of composites, one drawn for each batch.
        images: composites in a batch.
        synthetic: share of them that are synthetic scenes.
        poor: share of the others that look like frames of a poor video.
        recordings: sounds in a batch taken from recordings.
        made_up: sounds in a batch without a recording, as class probabilities.
        crowded: photo labels in which people may be seen without being labelled.
        pairs: held-out pairs of each kind that the confidence is fitted on.
    """

    concepts: str = "concepts.yaml"
    licences: Licences = "free"
    sizes: Sizes = ((320, 320), (256, 384), (384, 256))
    images: Some = 16
    synthetic: Share = 0.15
    poor: Share = 0.0
    recordings: Some = 16
    made_up: Count = 16
    crowded: tuple[str, ...] = ()
    pairs: Some = 200


@dataclass(frozen=True)
class OptimiserConfig:
    """AdamW with a cosine schedule after a linear warm-up.

    Attributes:
        steps: updates.
        warmup: updates until the full learning rate.
        head: learning rate of projections.
        image, sound: learning rates of the two backbones (the tagger goes with the sound).
        decay: weight decay.
        average: momentum of the averaged weights that are kept.
        blend: share of those in the result; the rest are the weights before training, which know
            more classes than the data shows (Wortsman et al. 2022, arXiv 2109.01903, sec. 3).
        early, early_every: the first blocks of the image backbone, which cost half of an update,
            are trained in every so many updates only.
    """

    steps: Some = 2000
    warmup: Count = 50
    head: Amount = 1e-3
    image: Amount = 1e-4
    sound: Amount = 2e-5
    decay: Amount = 1e-4
    average: Share = 0.995
    blend: Share = 1.0
    early: Count = 6
    early_every: Some = 4


@dataclass(frozen=True)
class ObjectiveConfig:
    """Weights of the terms of the loss; `keep` holds the networks to what they knew."""

    temperature: Positive = 0.07
    contrast: Amount = 1.0
    presence: Amount = 1.0
    keep_image: Amount = 0.1
    keep_sound: Amount = 1.0


@dataclass(frozen=True)
class Recipe:
    """Everything that makes a training run."""

    name: str
    network: Network = field(default_factory=NetworkConfig)
    data: DataConfig = field(default_factory=DataConfig)
    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)
    objective: ObjectiveConfig = field(default_factory=ObjectiveConfig)
    seed: Count = 0
    save_every: Some = 100


def read_recipe(path: Path, overrides: list[str] | None = None) -> Recipe:
    """The recipe at `path`, its ``extends:`` chain resolved, then ``key.sub=value`` applied."""
    raw = _read(path, ())
    for override in overrides or []:
        key, mark, text = override.partition("=")
        if not mark:
            raise RecipeError(f"override {override!r}: expected key=value")
        *parents, leaf = key.split(".")
        level = raw
        for parent in parents:
            level = level.setdefault(parent, {})
            if not isinstance(level, dict):
                raise RecipeError(f"override {override!r}: {parent!r} holds no keys")
        level[leaf] = _parsed(text, f"override {override!r}")
    return build(Recipe, raw, str(path))


def recipe_dictionary(recipe: Recipe) -> dict[str, Any]:
    """The resolved recipe as plain values."""
    return json.loads(json.dumps(dataclasses.asdict(recipe)))


def _parsed(text: str, where: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())
        raise RecipeError(f"{where}: not readable as YAML ({reason})") from error


def _read(path: Path, seen: tuple[Path, ...]) -> dict[str, Any]:
    if path.resolve() in seen:
        raise RecipeError(f"{path}: extends itself")
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise RecipeError(f"{path}: no such recipe") from None
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path}: cannot be read ({error})") from error
    raw = _parsed(text, str(path))
    if not isinstance(raw, dict):
        raise RecipeError(f"{path}: a recipe is a mapping of keys to values")
    base = raw.pop("extends", None)
    if base is None:
        return raw
    inherited = _read(path.parent / str(base), (*seen, path.resolve()))
    return overlay(_seen_from(Path(str(base)).parent, inherited), raw)


def _seen_from(folder: Path, raw: dict[str, Any]) -> dict[str, Any]:
    """A recipe of another `folder` with its path to the concept table beginning there."""
    data = raw.get("data", {})
    concepts = data.get("concepts", DataConfig.concepts) if isinstance(data, dict) else None
    if not isinstance(concepts, str):
        return raw  # `build` tells what is wrong.
    return overlay(raw, {"data": {"concepts": (folder / concepts).as_posix()}})


def overlay(base: dict[str, Any], top: dict[str, Any]) -> dict[str, Any]:
    """`base` with the values of `top` over it, mappings merged key by key."""
    merged = dict(base)
    for key, value in top.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = overlay(merged[key], value) if both else value
    return merged


def build(kind: type[T], raw: dict[str, Any], where: str) -> T:
    """A frozen dataclass of `kind` from plain values; each value is coerced to its field's type."""
    types = typing.get_type_hints(kind, include_extras=True)
    for key in raw:
        if key not in types:
            near = get_close_matches(str(key), types, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(types)}"
            raise RecipeError(f"{where}: unknown key {key!r}{hint}")
    missing = [
        f.name
        for f in dataclasses.fields(kind)  # type: ignore[arg-type]
        if f.name not in raw
        and f.default is dataclasses.MISSING
        and f.default_factory is dataclasses.MISSING
    ]
    if missing:
        raise RecipeError(f"{where}: missing key {missing[0]!r}")
    return kind(
        **{key: _coerce(value, types[key], f"{where}: {key}") for key, value in raw.items()}
    )


def _coerce(value: Any, kind: Any, where: str) -> Any:
    if typing.get_origin(kind) is Annotated:
        plain, *rules = typing.get_args(kind)
        coerced = _coerce(value, plain, where)
        for rule in rules:
            if not rule.holds(coerced):
                raise RecipeError(f"{where}: expected {rule.wanted}, got {value!r}")
        return coerced
    if dataclasses.is_dataclass(kind):
        if not isinstance(value, dict):
            raise RecipeError(f"{where}: expected a mapping, got {value!r}")
        return build(typing.cast(type, kind), value, where)
    if typing.get_origin(kind) is tuple:
        if not isinstance(value, list | tuple):
            raise RecipeError(f"{where}: expected a list, got {value!r}")
        kinds = typing.get_args(kind)
        if kinds[-1] is Ellipsis:
            kinds = kinds[:1] * len(value)
        if len(kinds) != len(value):
            raise RecipeError(f"{where}: expected {len(kinds)} values, got {value!r}")
        return tuple(_coerce(item, one, where) for item, one in zip(value, kinds, strict=True))
    if typing.get_origin(kind) is typing.Literal:
        if value not in typing.get_args(kind):
            known = ", ".join(map(repr, typing.get_args(kind)))
            raise RecipeError(f"{where}: expected one of {known}, got {value!r}")
        return value
    # YAML reads 1e-4 and 1.5e3 as text: it wants a dot and a sign in a float.
    if kind is float and isinstance(value, str) and SCIENTIFIC.fullmatch(value):
        return float(value)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise RecipeError(f"{where}: expected {kind.__name__}, got {value!r}")
    return value
