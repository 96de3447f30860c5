"""Additive attention."""

from __future__ import annotations

from torch import Tensor

from avloc.models.heads.fusion import Fusion
from avloc.models.heads.head import HEADS


@HEADS.register("additive")
class Additive(Fusion):
    """w . tanh(W v + U a): the score of a cell before the softmax.

    Bahdanau et al. 2015 (arXiv 1409.0473), section 3.1; over the cells of a picture Xu et al. 2015,
    Show, Attend and Tell (arXiv 1502.03044), eq. 4.
    """

    def join(self, seen: Tensor, heard: Tensor) -> Tensor:
        return (seen + heard).tanh()
