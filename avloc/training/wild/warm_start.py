"""The network before training: two pretrained backbones joined through a table of concepts.

The image head's hidden units begin as ImageNet classes, standardised over photos and thresholded;
a concept is the sum of the units of its classes and has one axis of the common space; the sound
projection puts the probability of a sound class on the axes of the concepts that make the sound.
The last axis belongs to empty cells, the one before it to things in general.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from avloc.data.concepts import Concepts
from avloc.errors import DataError, RecipeError
from avloc.features.image import normalise
from avloc.models.pretrained import fill, read_tensors, timm_names, torchvision_names
from avloc.models.two_stream import NetworkConfig, TwoStream

IMAGE_FILE = "weights/image_mobilenetv2_100_imagenet.safetensors"
SOUND_FILE = "weights/audio_mobilenetv3_large_w040_audioset.safetensors"
LABELS_FILE = "weights/labels.json"

THRESHOLD = 2.0  # standard deviations that a class must exceed to switch its unit on
EMPTY = 2.0  # length of what an empty cell embeds to
FAINT = 0.1  # how much of any sound points to things in general


def tag_names(root: Path) -> list[str]:
    """The names of the sound classes."""
    path = root / LABELS_FILE
    try:
        return list(json.loads(path.read_text(encoding="utf-8"))["audioset"])
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"{path}: no list of sound classes ({error})") from error


def warm_start(
    config: NetworkConfig, root: Path, concepts: Concepts, frames: Iterable[np.ndarray], seed: int
) -> TwoStream:
    """The untrained network.

    Args:
        root: the data folder with the pretrained weights.
        frames: photos (3, H, W) uint8 that the classes are standardised over.
    """
    if config.embedding < len(concepts) + 2:
        raise RecipeError(f"network.embedding must be at least {len(concepts) + 2}")
    torch.manual_seed(seed)
    network = TwoStream(config)
    image = fill(network.image, read_tensors(root / IMAGE_FILE), timm_names(network.image))
    sound = fill(network.sound, read_tensors(root / SOUND_FILE), torchvision_names(network.sound))
    network.tagger.inner.load_state_dict(_layer(sound, "classifier.0"))
    network.tagger.outer.load_state_dict(_layer(sound, "classifier.3"))
    network.eval()
    chosen = _units(concepts, config.hidden, seed)
    # Row 0 of the classifier is the background class.
    rows = torch.tensor([index + 1 for index in chosen])
    weight, bias = image["classifier.weight"][rows], image["classifier.bias"][rows]
    mean, spread = _standard(network, weight, bias, frames)
    with torch.no_grad():
        _image_head(network, concepts, chosen, weight, (bias - mean) / spread, spread)
        _sound_head(network, concepts)
    return network


def _layer(tensors: dict[str, Tensor], name: str) -> dict[str, Tensor]:
    return {kind: tensors[f"{name}.{kind}"] for kind in ("weight", "bias")}


def _units(concepts: Concepts, hidden: int, seed: int) -> list[int]:
    """ImageNet classes for the hidden units: those of concepts, filled up with others."""
    narrow = [classes for classes in concepts.image if len(classes) < 200]
    wanted = sorted({index for classes in narrow for index in classes})
    if len(wanted) > hidden:
        raise RecipeError(f"network.hidden must be at least {len(wanted)}")
    others = np.setdiff1d(np.arange(1000), wanted)
    extra = np.random.default_rng(seed).permutation(others)[: hidden - len(wanted)]
    return wanted + sorted(int(index) for index in extra)


@torch.inference_mode()
def _standard(
    network: TwoStream, weight: Tensor, bias: Tensor, frames: Iterable[np.ndarray]
) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of class scores over all cells of `frames`."""
    scores = []
    for frame in frames:
        features = network.image(normalise(torch.from_numpy(frame)[None]))[0].flatten(1)
        scores.append(weight @ features + bias[:, None])
    joined = torch.cat(scores, 1)
    return joined.mean(1).clone(), joined.std(1).clone()


def _image_head(
    network: TwoStream,
    concepts: Concepts,
    chosen: list[int],
    weight: Tensor,
    bias: Tensor,
    spread: Tensor,
) -> None:
    head = network.image_head
    looks = (weight / spread[:, None])[:, :, None, None]
    head.looks.load_state_dict({"weight": looks, "bias": bias - THRESHOLD})
    join = torch.randn_like(head.join.weight) * 0.01
    place = {index: unit for unit, index in enumerate(chosen)}
    for k, classes in enumerate(concepts.image):
        units = [place[index] for index in classes if index in place]
        if units:
            join[k, units, 0, 0] += 1 / len(units) ** 0.5
    join[-2, :, 0, 0] += 1 / len(chosen) ** 0.5
    empty = torch.zeros(len(join))
    empty[-1] = EMPTY
    head.join.load_state_dict({"weight": join, "bias": empty})
    for parameter in head.refine.parameters():
        parameter.zero_()


def _sound_head(network: TwoStream, concepts: Concepts) -> None:
    head = network.sound_head
    head.weight.normal_(std=0.002)
    head.weight[: len(concepts)] += torch.from_numpy(concepts.sound)
    head.bias.zero_()
    head.bias[-2] = FAINT
