"""Symmetric InfoNCE, the plain contrastive baseline.

van den Oord et al. 2018 (arXiv 1807.03748), eq. 4, both ways as in Radford et al. 2021
(arXiv 2103.00020), figure 3.
"""

from __future__ import annotations

from dataclasses import dataclass

from avloc.objectives.contrast import Pooling, by_picture, by_sound, pool
from avloc.objectives.correspondence import Correspondence
from avloc.objectives.objective import OBJECTIVES, Loss, Objective, weighted
from avloc.options import Options, Positive


@OBJECTIVES.register("infonce")
class InfoNCE(Objective):
    """A picture must tell its sound from others, and a sound its picture.

    With s_ij the pooled map (b, s, h, w) of picture i and sound j over the temperature:

        loss = (mean_i cross_entropy(s_i., i) + mean_j cross_entropy(s_.j, j)) / 2

    The mean of a map is the product of the sound with the mean embedding of the picture.
    """

    @dataclass(frozen=True)
    class Config(Options):
        """Options of `InfoNCE`.

        Attributes:
            temperature: of both cross-entropies.
            pooling: of a map to a similarity, ``mean`` or ``max``.
        """

        temperature: Positive = 0.07
        pooling: Pooling = "mean"

    config: Config

    def compare(self, pairs: Correspondence) -> Loss:
        logits = pool(pairs.maps, self.config.pooling) / self.config.temperature
        return weighted(
            by_picture=(0.5, by_picture(logits, pairs)), by_sound=(0.5, by_sound(logits, pairs))
        )
