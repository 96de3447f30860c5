"""SLAVC: one space says which sound, another says where, and slow teachers answer.

Mo and Morgado 2022, A Closer Look at Weakly-Supervised Audio-Visual Source Localization
(arXiv 2209.09634), section 3.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from avloc.objectives.contrast import by_picture
from avloc.objectives.correspondence import Correspondence
from avloc.objectives.objective import OBJECTIVES, Loss, Objective, weighted
from avloc.options import Options, Positive


@OBJECTIVES.register("slavc")
class SLAVC(Objective):
    """Contrast of the chance that a sound is picture i's, averaged over where it is.

    Embeddings are of two spaces side by side, "which" and "where": cells (b, 2c, h, w), sounds
    (s, 2c). With S1, S2 the cosines in them over the temperature, of the student's picture i and
    the teacher's sound j:

        r_ij = log sum_cells softmax_sounds(S1_i.)_j * softmax_cells(S2_ij)
        loss = mean_i cross_entropy(r_i., i), and the same of the teacher's pictures with the
               student's sounds

    The view ``teacher`` holds its cells and sounds; its parameters are the running average of the
    student's (`avloc.objectives.teaching`). The paper drops 9 of 10 features of pictures before
    the two projections, which belongs to the network.
    """

    @dataclass(frozen=True)
    class Config(Options):
        """Options of `SLAVC`.

        Attributes:
            temperature: of both softmaxes.
        """

        temperature: Positive = 0.03

    config: Config
    needs = ("cells", "sounds", "views.teacher")
    reads_maps = False

    def compare(self, pairs: Correspondence) -> Loss:
        cells, sounds = pairs.embeddings
        slow_cells, slow_sounds = pairs.views["teacher"].embeddings
        return weighted(
            by_picture=(1.0, self._contrast(cells, slow_sounds.detach(), pairs)),
            by_sound=(1.0, self._contrast(slow_cells.detach(), sounds, pairs)),
        )

    def _contrast(self, cells: Tensor, sounds: Tensor, pairs: Correspondence) -> Tensor:
        which, where = (
            torch.einsum(
                "bchw,sc->bshw", functional.normalize(seen), functional.normalize(heard)
            ).flatten(2)
            / self.config.temperature
            for seen, heard in zip(cells.chunk(2, 1), sounds.chunk(2, 1), strict=True)
        )
        chances = which.log_softmax(1) + where.log_softmax(2)
        return by_picture(chances.logsumexp(2), pairs)
