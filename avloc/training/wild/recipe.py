"""The recipe of the bundled model: photos and recordings on pretrained backbones."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from avloc.data.wild import Licences
from avloc.models.two_stream import NetworkConfig
from avloc.options import Amount, Positive, Rule, Share, Some
from avloc.training.reading import Values, build, overlay, read_values


def _positive_numbers(config: NetworkConfig) -> bool:
    numbers = (v for v in dataclasses.astuple(config) if isinstance(v, int | float))
    return all(0 < number < math.inf for number in numbers)


Count = Annotated[int, Rule("0 or more", lambda n: n >= 0)]
Side = Annotated[int, Rule("a positive multiple of 32", lambda n: n > 0 and n % 32 == 0)]
Sizes = Annotated[tuple[tuple[Side, Side], ...], Rule("one size or more", bool)]
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
    task: Literal["wild"] = "wild"


def read_recipe(path: Path, overrides: list[str] | None = None) -> Recipe:
    """The recipe at `path` with ``key.sub=value`` applied; errors as `reading.build`."""
    return build(Recipe, read_values(path, overrides, _seen_from), str(path))


def _seen_from(folder: Path, values: Values) -> Values:
    """A recipe of another `folder` with its path to the concept table beginning there."""
    data = values.get("data", {})
    concepts = data.get("concepts", DataConfig.concepts) if isinstance(data, dict) else None
    if not isinstance(concepts, str):
        return values  # `build` tells what is wrong.
    return overlay(values, {"data": {"concepts": (folder / concepts).as_posix()}})
