"""A network made ready for training, as a recipe says."""

from __future__ import annotations

from pathlib import Path

import torch

from avloc.models.dual_encoder import DualEncoder
from avloc.models.tuning.freezing import freeze
from avloc.models.tuning.initialising import initialise
from avloc.models.tuning.loading import load_network, load_tower
from avloc.models.tuning.lora import add_lora
from avloc.models.tuning.plans import ALL, Adapting
from avloc.models.tuning.towers import Side, root_of


def adapt(
    network: DualEncoder,
    image: Adapting,
    sound: Adapting,
    init: str = "torch",
    generator: torch.Generator | None = None,
    start: str = "",
) -> DualEncoder:
    """Fill `network`, load weights into its towers, freeze what is not trained; in place.

    Args:
        image, sound: what becomes of the towers.
        init: how parameters without weights begin, a name in `INITIALISATIONS`.
        generator: of random numbers; None: torch's own.
        start: a file with weights of all of it, under those of the towers; "": none.

    Raises:
        UsageError: a name fits nothing.
        WeightsError: weights cannot be had, or do not fit.
    """
    initialise(network, init, generator)
    if start:
        load_network(network, Path(start))
    plans: tuple[tuple[Side, Adapting], ...] = (("image", image), ("sound", sound))
    for side, plan in plans:
        if plan.weights:
            load_tower(network, side, plan.weights)
        root = root_of(network, side)
        # Beside low-rank terms nothing moves.
        names = ALL if plan.lora_rank else plan.frozen
        freeze(network, root, names, plan.norms == "frozen")
        if plan.lora_rank:
            module = network.get_submodule(root)
            add_lora(module, plan.lora_on, plan.lora_rank, plan.lora_alpha, generator)
    return network
