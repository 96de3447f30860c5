"""What is known of each model: numbers from its weight file, words from the card beside it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from safetensors import safe_open

from avloc.errors import UsageError, WeightsError
from avloc.home import model_folder
from avloc.models.published.cards import card_of, grid_of
from avloc.models.published.methods import METHODS
from avloc.models.weights import BUNDLED, Header, checksum, read_header

NAMES = {"bundled": BUNDLED}
"""Models that are part of avloc."""


@dataclass(frozen=True)
class Card:
    """A model as its weight file and the Markdown file beside it describe it.

    Attributes:
        name: how ``--model`` calls it.
        id: what the weights call themselves; stands in every result.
        licence, grid, trained_on: from the front matter of the card, or of the method that the
            weights were converted from; "" where nothing is known.
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
    """Names of the models that are installed: the bundled one, and those in the model folder."""
    cached = sorted(path.stem for path in model_folder().glob("*.safetensors"))
    bundled = [name for name, path in NAMES.items() if path.exists()]
    return bundled + [name for name in cached if name not in NAMES]


def find_weights(name: str) -> Path:
    """The weight file of a name or a path.

    Raises:
        UsageError: there is neither; says where the weights of a published method are.
        WeightsError: weights that belong to avloc are missing.
    """
    if name in NAMES:
        if not NAMES[name].is_file():
            raise WeightsError(
                f"{NAMES[name]}: the weights of {name!r} are missing; reinstall avloc"
            )
        return NAMES[name]
    cached = model_folder() / f"{name}.safetensors"
    for path in (cached, Path(name)):
        if path.is_file():
            return path
    if name in METHODS:
        raise UsageError(
            f"{name} is a published method whose weights are yours to fetch: "
            f"{METHODS[name].downloads}; then run avloc models convert FILE -o {cached}"
        )
    known = ", ".join(dict.fromkeys([*NAMES, *available_models(), *METHODS]))
    raise UsageError(f"no model {name!r}; known: {known}, or a path to weights")


def read_card(name: str) -> Card:
    """Everything known of the installed model `name`."""
    path = find_weights(name)
    header = read_header(path)
    front, text = _split(path.with_suffix(".md"))
    if header.source and not text:
        try:
            front, text = _converted(header)
        except (KeyError, TypeError, AttributeError, ValueError, UsageError) as error:
            raise WeightsError(f"{path}: the header is damaged ({error})") from error
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


def _converted(header: Header[Any]) -> tuple[dict[str, Any], str]:
    """As `_split`, of weights that `avloc models convert` wrote."""
    method = METHODS[header.source["method"]]
    front = {
        "license": f"its authors' (code: {method.licence})",
        "grid": grid_of(header.network),
        "trained_on": f"one of {method.trained_on}",
    }
    return front, card_of(method, header.source)


def _split(path: Path) -> tuple[dict[str, Any], str]:
    """The YAML front matter of a Markdown file, and the rest; both empty without a file."""
    if not path.is_file():
        return {}, ""
    text = path.read_text("utf-8")
    if not text.startswith("---\n"):
        return {}, text
    front, _, rest = text[4:].partition("\n---\n")
    return yaml.safe_load(front) or {}, rest.lstrip("\n")
