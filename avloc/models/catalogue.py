"""What is known of each model: numbers from its weight file, words from the card beside it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from safetensors import safe_open

from avloc.errors import UsageError, WeightsError
from avloc.models.weights import BUNDLED, checksum, read_header

NAMES = {"bundled": BUNDLED}
"""Models that are known by a name; every other name is the path of a weight file."""


@dataclass(frozen=True)
class Card:
    """A model as its weight file and the Markdown file beside it describe it.

    Attributes:
        name: how ``--model`` calls it.
        id: what the weights call themselves; stands in every result.
        licence, grid, trained_on: from the front matter of the card, "" where it is silent.
        parameters: how many numbers the network has.
        size: of the weight file in bytes.
        sha256: of the weight file.
        text: the card without its front matter, Markdown.
    """

    name: str
    id: str
    licence: str
    grid: str
    trained_on: str
    parameters: int
    size: int
    sha256: str
    text: str


def available_models() -> list[str]:
    """Names of the models that are installed."""
    return [name for name, path in NAMES.items() if path.exists()]


def find_weights(name: str) -> Path:
    """The weight file of a name or a path."""
    path = NAMES.get(name, Path(name))
    if not path.is_file():
        if name in NAMES:
            raise WeightsError(f"{path}: the weights of {name!r} are missing; reinstall avloc")
        raise UsageError(f"no model {name!r}; known: {', '.join(NAMES)}, or a path to weights")
    return path


def read_card(name: str) -> Card:
    """Everything known of the model `name`."""
    path = find_weights(name)
    header = read_header(path)
    front, text = _split(path.with_suffix(".md"))
    with safe_open(path, framework="pt") as file:
        shapes = [file.get_slice(key).get_shape() for key in file.keys()]  # noqa: SIM118
    return Card(
        name=name,
        id=header.id,
        licence=str(front.get("license", "")),
        grid=str(front.get("grid", "")),
        trained_on=str(front.get("trained_on", "")),
        parameters=sum(math.prod(shape) for shape in shapes),
        size=path.stat().st_size,
        sha256=checksum(path),
        text=text,
    )


def _split(path: Path) -> tuple[dict[str, Any], str]:
    """The YAML front matter of a Markdown file, and the rest; both empty without a file."""
    if not path.is_file():
        return {}, ""
    text = path.read_text("utf-8")
    if not text.startswith("---\n"):
        return {}, text
    front, _, rest = text[4:].partition("\n---\n")
    return yaml.safe_load(front) or {}, rest.lstrip("\n")
