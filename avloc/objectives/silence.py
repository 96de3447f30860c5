"""Silence, noise and sounds from elsewhere: nothing in the picture may answer to them.

Sounds that are no picture's enter as strangers: the last columns of the maps. They are negatives
of every contrastive objective without further ado, as Juanola et al. 2025, Learning from Silence
and Noise for Visual Sound Source Localization (arXiv 2508.21761), propose; this objective beside
it presses their maps down.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from avloc.objectives.correspondence import Correspondence
from avloc.objectives.objective import OBJECTIVES, Loss, Objective, weighted
from avloc.options import Finite, Options


@OBJECTIVES.register("silence")
class Silence(Objective):
    """Maps of strangers are empty.

    With S (b, s, h, w) the maps, of which the last sounds are strangers, and x = S - level:

        loss = mean over pictures, strangers and cells of |x|, x^2 or max(0, x)

    The first two are the silence terms of DenseAV (Hamilton et al. 2024, arXiv 2406.05629).
    """

    @dataclass(frozen=True)
    class Config(Options):
        """Options of `Silence`.

        Attributes:
            penalty: ``absolute``, ``square`` or ``above``, which leaves cells below `level` alone.
            level: what a map without source has.
        """

        penalty: Literal["absolute", "square", "above"] = "absolute"
        level: Finite = 0.0

    config: Config
    needs = ("strangers",)
    negatives = False

    def compare(self, pairs: Correspondence) -> Loss:
        excess = pairs.maps[:, pairs.pairs :] - self.config.level
        if self.config.penalty == "square":
            costs = excess.square()
        elif self.config.penalty == "absolute":
            costs = excess.abs()
        else:
            costs = excess.relu()
        return weighted(silence=(1.0, costs.mean()))
