"""A joint embedding with a margin between what belongs together and what does not.

Schroff et al. 2015 (arXiv 1503.03832), eq. 2; for maps of pictures and sounds Harwath et al. 2018,
Jointly Discovering Visual Objects and Spoken Words (arXiv 1804.01452), section 3.4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor
from torch.nn import functional

from avloc.objectives.contrast import Pooling, of_sounds, pool
from avloc.objectives.correspondence import Correspondence
from avloc.objectives.objective import OBJECTIVES, Loss, Objective, weighted
from avloc.options import Options, Positive


@OBJECTIVES.register("triplet")
class Triplet(Objective):
    """Every picture is nearer to its sound than to others by a margin, and the other way.

    With s_ij the pooled map (b, s, h, w) of picture i and sound j:

        loss = mean over i, j != i of max(0, margin + s_ij - s_ii)
             + mean over i, j != i of max(0, margin + s_ji - s_ii)

    Harwath et al. draw one j for each i; this is the mean over all draws.
    """

    @dataclass(frozen=True)
    class Config(Options):
        """Options of `Triplet`.

        Attributes:
            margin: between similarities.
            pooling: of a map to a similarity, ``max`` or ``mean``.
            negatives: ``all`` of the batch, or the ``hardest`` one of each picture and sound
                (Faghri et al. 2018, arXiv 1707.05612, eq. 6).
        """

        margin: Positive = 0.2
        pooling: Pooling = "max"
        negatives: Literal["all", "hardest"] = "all"

    config: Config

    def compare(self, pairs: Correspondence) -> Loss:
        similarity = pool(pairs.maps, self.config.pooling)
        matches = pairs.matches()
        own = pairs.own(similarity)[:, None]
        by_sound = of_sounds(similarity, pairs)
        return weighted(
            by_picture=(1.0, self._hinge(similarity - own, matches)),
            by_sound=(1.0, self._hinge(by_sound - own, matches[:, : pairs.pairs])),
        )

    def _hinge(self, excess: Tensor, matches: Tensor) -> Tensor:
        """Of excesses (b, k), those of what belongs together left out."""
        hinges = functional.relu(self.config.margin + excess).masked_fill(matches, 0.0)
        if self.config.negatives == "hardest":
            return hinges.amax(1).mean()
        return hinges.sum() / (~matches).sum().clamp(min=1)
