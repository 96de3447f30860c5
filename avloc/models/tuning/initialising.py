"""How parameters begin that no weights are loaded into."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from avloc.registry import Registry

INITIALISATIONS: Registry[Callable[[nn.Module, torch.Generator | None], None]] = Registry(
    "initialisation"
)
"""By name: fills the parameters of one layer, those below it aside."""


@INITIALISATIONS.register("torch")
def as_built(layer: nn.Module, generator: torch.Generator | None) -> None:
    """As whoever wrote the network has it."""


@INITIALISATIONS.register("ezvsl")
def as_published(layer: nn.Module, generator: torch.Generator | None) -> None:
    """As EZ-VSL and its followers (Mo and Morgado 2022, the released code).

    Convolutions as He et al. 2015 (arXiv 1502.01852) by the channels they give; linear layers
    normal with deviation 0.01; the scale of normalisation normal around 1 with deviation 0.02.
    Biases of the first two stay as they are.
    """
    weight: Any = getattr(layer, "weight", None)
    if isinstance(layer, nn.Conv2d):
        nn.init.kaiming_normal_(weight, mode="fan_out", nonlinearity="relu", generator=generator)
    elif isinstance(layer, nn.Linear):
        nn.init.trunc_normal_(weight, std=0.01, generator=generator)
    elif isinstance(layer, (nn.BatchNorm2d, nn.GroupNorm)) and weight is not None:
        nn.init.normal_(weight, 1.0, 0.02, generator=generator)
        nn.init.zeros_(layer.bias)


def initialise(network: nn.Module, how: str, generator: torch.Generator | None = None) -> None:
    """Fill the parameters of every layer of `network`.

    Args:
        how: name in `INITIALISATIONS`.
        generator: of random numbers; None: torch's own.

    Raises:
        UsageError: there is no such way.
    """
    fill = INITIALISATIONS[how]
    for layer in network.modules():
        fill(layer, generator)
