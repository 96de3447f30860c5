"""How checkpoints of DenseAV become plain tensors, and what sizes they have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from torch import Tensor

from avloc.models.dual_encoder import DualConfig
from avloc.models.published.lora import merged
from avloc.models.trunks.speech import HEAD

ALPHA = 32
"""Its code scales all low-rank updates by this over their rank."""

CONVOLUTION = "audio_model.model.encoder.pos_conv_embed.conv."
LENGTH = ("weight_g", "parametrizations.weight.original0")
DIRECTION = ("weight_v", "parametrizations.weight.original1")
"""How old and new versions of PyTorch name what a normalised weight is split into."""

Config = dict[str, tuple[str, int]]
"""An option of a trunk, and which axis of which tensor tells it."""

PICTURE: Config = {
    "channels": ("image_aligner.layer.weight", 0),
    "width": ("image_aligner.norm.norm.weight", 0),
}
SOUND: Config = {
    "channels": ("audio_aligner.mod_list.2.layer.weight", 0),
    "width": ("audio_aligner.mod_list.1.norm.weight", 0),
    "hidden": ("audio_model.model.encoder.layers.0.feed_forward.intermediate_dense.weight", 0),
    "convolutions": ("audio_model.model.feature_extractor.conv_layers.0.conv.weight", 0),
}
DEPTHS = {
    "image": ("image_model.model.blocks.", ".norm1.weight"),
    "sound": ("audio_model.model.encoder.layers.", ".layer_norm.weight"),
}
"""How the names of a tensor begin and end that each layer of a trunk has."""


def adapt(
    tensors: Mapping[str, Tensor], config: DualConfig
) -> tuple[dict[str, Tensor], DualConfig]:
    """The tensors of a checkpoint without low-rank updates and split weights; its sizes.

    Raises:
        WeightsError: low-rank updates do not fit their weights.
    """
    plain = _joined(merged(tensors, ALPHA))
    return plain, replace(
        config,
        image_options=_sizes(plain, PICTURE, "image"),
        sound_options=_sizes(plain, SOUND, "sound"),
    )


def _joined(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """With the weight of the positional convolution in place of its length and direction."""
    names = [
        next((CONVOLUTION + word for word in words if CONVOLUTION + word in tensors), "")
        for words in (LENGTH, DIRECTION)
    ]
    if all(names):
        length, direction = (tensors.pop(name).float() for name in names)
        if direction.ndim == 3 and length.shape == (1, 1, direction.shape[2]):
            norm = direction.norm(dim=(0, 1), keepdim=True)
            tensors[f"{CONVOLUTION}weight"] = length * direction / norm
    return tensors


def _sizes(tensors: Mapping[str, Tensor], told: Config, trunk: str) -> dict[str, Any]:
    """The options of a trunk; those of the published one where the tensors do not tell."""
    sizes = {
        word: tensors[name].shape[axis]
        for word, (name, axis) in told.items()
        if name in tensors and tensors[name].ndim
    }
    begins, ends = DEPTHS[trunk]
    sizes["depth"] = sum(key.startswith(begins) and key.endswith(ends) for key in tensors)
    fits = sizes.get("width", HEAD) % HEAD == 0
    return {word: size for word, size in sizes.items() if size} if fits else {}
