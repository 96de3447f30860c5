"""Audio-visual correspondence: do this picture and this sound belong together, yes or no?

Arandjelovic and Zisserman 2017, Look, Listen and Learn (arXiv 1705.08168), over fused features;
2018, Objects that Sound (arXiv 1712.06651), section 4, over the best cell of a map.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from avloc.objectives.contrast import Pooling, pool
from avloc.objectives.correspondence import Correspondence
from avloc.objectives.objective import OBJECTIVES, Loss, Objective, weighted
from avloc.options import Finite, Options, Positive


@OBJECTIVES.register("l3")
class L3(Objective):
    """Binary classification of pairs.

    With s_ij the pooled map (b, s, h, w) of picture i and sound j, a and b learned:

        p_ij = sigmoid(a s_ij + b)
        loss = -(mean_i log p_ii + mean over j != i of log(1 - p_ij)) / 2

    Look, Listen and Learn joins features of picture and sound and classifies them: the head
    ``concat`` with pooling ``mean``; Objects that Sound: the head ``cosine`` with ``max``.
    """

    @dataclass(frozen=True)
    class Config(Options):
        """Options of `L3`.

        Attributes:
            pooling: of a map to a similarity, ``max`` or ``mean``.
            scale, shift: where the learned a and b begin.
        """

        pooling: Pooling = "max"
        scale: Positive = 10.0
        shift: Finite = -5.0

    config: Config

    def __init__(self, config: Config | None = None) -> None:
        super().__init__(config)
        self.scale = nn.Parameter(torch.tensor(self.config.scale))
        self.shift = nn.Parameter(torch.tensor(self.config.shift))

    def compare(self, pairs: Correspondence) -> Loss:
        logits = self.scale * pool(pairs.maps, self.config.pooling) + self.shift
        wrong = ~pairs.matches()
        apart = functional.softplus(logits).masked_fill(~wrong, 0.0).sum() / wrong.sum()
        return weighted(
            together=(0.5, functional.softplus(-pairs.own(logits)).mean()), apart=(0.5, apart)
        )
