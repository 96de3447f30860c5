"""Low-rank updates of linear layers, added to the weights that they belong to."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from avloc.errors import WeightsError

DOWN, UP = ".lora_A.default.weight", ".lora_B.default.weight"
"""End the names of the two factors, as the library peft calls them."""

WRAPPED, BASE = ".base_model.model.", ".base_layer."
"""What peft puts between the names of a network and its parts, and of a layer and its weights."""


def merged(tensors: Mapping[str, Tensor], alpha: float) -> dict[str, Tensor]:
    """Tensors without what peft added: W + alpha / r * B A in place of W, A and B, in float32.

    Hu et al. 2021 (arXiv 2106.09685), section 4.1. Factors without a weight, or without each
    other, stay.

    Args:
        tensors: by their names in a file.
        alpha: what the update was scaled by, times its rank r.

    Raises:
        WeightsError: factors do not fit each other or their weight.
    """
    plain = {key.replace(WRAPPED, ".").replace(BASE, "."): one for key, one in tensors.items()}
    for key in [key for key in plain if key.endswith(DOWN)]:
        stem = key.removesuffix(DOWN)
        names = (f"{stem}.weight", stem + UP)
        if not all(name in plain for name in names):
            continue
        weight, up, down = plain[names[0]], plain.pop(names[1]), plain.pop(key)
        if (down.ndim, up.ndim) != (2, 2) or (up.shape[1:], weight.shape) != (
            down.shape[:1],
            (*up.shape[:1], *down.shape[1:]),
        ):
            shapes = ", ".join(" x ".join(map(str, one.shape)) for one in (weight, up, down))
            raise WeightsError(f"{stem}: a weight and its low-rank factors do not fit ({shapes})")
        update = up.float() @ down.float()
        plain[names[0]] = weight.float() + alpha / max(1, len(down)) * update
    return plain
