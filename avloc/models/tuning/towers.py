"""The towers of a network by the names that their own libraries give the parts of them."""

from __future__ import annotations

from typing import Literal

from torch import nn

from avloc.models.dual_encoder import DualEncoder
from avloc.models.trunks import Pooled
from avloc.models.trunks.from_timm import TimmTrunk
from avloc.models.trunks.from_transformers import TransformersTrunk

Side = Literal["image", "sound"]


def trunk_of(network: DualEncoder, side: Side) -> nn.Module:
    """The trunk of a tower, without its pooling."""
    tower: nn.Module = getattr(network, side)
    return tower.trunk if isinstance(tower, Pooled) else tower


def root_of(network: DualEncoder, side: Side) -> str:
    """Where in `network` the module stands from which names in a recipe count."""
    root = f"{side}.trunk" if isinstance(getattr(network, side), Pooled) else side
    inside = isinstance(network.get_submodule(root), (TimmTrunk, TransformersTrunk))
    return f"{root}.network" if inside else root
