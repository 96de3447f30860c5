"""EZ-VSL: the best cell of a picture answers for it.

Mo and Morgado 2022, Localizing Visual Sounds the Easy Way (arXiv 2203.09324), section 3.2.
"""

from __future__ import annotations

from dataclasses import dataclass

from avloc.objectives.contrast import by_picture, by_sound, pool
from avloc.objectives.correspondence import Correspondence
from avloc.objectives.objective import OBJECTIVES, Loss, Objective, weighted
from avloc.options import Options, Positive


@OBJECTIVES.register("ezvsl")
class EZVSL(Objective):
    """Multiple-instance contrast: at least one cell must fit the picture's own sound.

    With S (b, s, h, w) the maps and s_ij = max over cells of S_ij / temperature:

        loss = mean_i cross_entropy(s_i., i) + mean_j cross_entropy(s_.j, j)
    """

    @dataclass(frozen=True)
    class Config(Options):
        """Options of `EZVSL`.

        Attributes:
            temperature: of both cross-entropies.
        """

        temperature: Positive = 0.03

    config: Config

    def compare(self, pairs: Correspondence) -> Loss:
        logits = pool(pairs.maps, "max") / self.config.temperature
        return weighted(
            by_picture=(1.0, by_picture(logits, pairs)), by_sound=(1.0, by_sound(logits, pairs))
        )
