"""MarginNCE: contrast with a margin, negative to bear pairs that do not fit.

Park, Senocak and Chung 2023, MarginNCE: Robust Sound Localization with a Negative Margin
(arXiv 2211.01966). No training code is public; the network it is used with is EZ-VSL's.
"""

from __future__ import annotations

from dataclasses import dataclass

from avloc.objectives.contrast import Pooling, by_picture, by_sound, pool, with_margin
from avloc.objectives.correspondence import Correspondence
from avloc.objectives.objective import OBJECTIVES, Loss, Objective, weighted
from avloc.options import Finite, Options, Positive


@OBJECTIVES.register("marginnce")
class MarginNCE(Objective):
    """Contrast in which what belongs together needs only come near.

    With s_ij the pooled map (b, s, h, w) of picture i and sound j, m the margin and t the
    temperature:

        loss_i = -log e^((s_ii - m) / t) / (e^((s_ii - m) / t) + sum_{j != i} e^(s_ij / t))

    summed over the mean of pictures and the same of sounds. m < 0 moves the boundary away from
    pairs; m = 0 and maximum pooling is EZ-VSL.
    """

    @dataclass(frozen=True)
    class Config(Options):
        """Options of `MarginNCE`.

        Attributes:
            temperature: of both cross-entropies.
            margin: taken from the similarity of what belongs together.
            pooling: of a map to a similarity, ``max`` or ``mean``.
        """

        temperature: Positive = 0.03
        margin: Finite = -0.2
        pooling: Pooling = "max"

    config: Config

    def compare(self, pairs: Correspondence) -> Loss:
        plan = self.config
        similarity = with_margin(pool(pairs.maps, plan.pooling), pairs, plan.margin)
        logits = similarity / plan.temperature
        return weighted(
            by_picture=(1.0, by_picture(logits, pairs)), by_sound=(1.0, by_sound(logits, pairs))
        )
