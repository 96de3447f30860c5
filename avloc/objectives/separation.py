"""Mix and separate: two sounds at once, two things in one picture, each to its own.

Mixtures as in Zhao et al. 2018, The Sound of Pixels (arXiv 1804.03160), section 3; as in Ryu et al.
2025, Seeing Speech and Sound (arXiv 2503.18880), no sound is rebuilt, its embedding is told apart.
Which separated sound is whose is free, as in Yu et al. 2017 (arXiv 1607.00325), section 2.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from avloc.objectives.contrast import Pooling, by_picture, pool
from avloc.objectives.correspondence import Correspondence
from avloc.objectives.grid import on_grid
from avloc.objectives.objective import OBJECTIVES, Loss, Objective, weighted
from avloc.options import Amount, Options, Positive


@OBJECTIVES.register("separation")
class Separation(Objective):
    """Pictures that show two clips; both sounds belong to the picture, each to its own part.

    The two sounds of picture i, x_i and y_i, were separated from their mixture, or are the two
    clips' own where the network separates nothing. The batch has the maps X (b, s, h, w) of the
    x, the view ``second`` the maps Y of the y. With m_i the share of each cell that shows the
    first clip, and t the temperature:

        contrast = mean_i of cross_entropy(pool(X_i.) / t, i) + cross_entropy(pool(Y_i.) / t, i)
        D(m)_i   = mean over cells of the cross-entropy of softmax(X_ii / t, Y_ii / t), (m, 1 - m)
        loss     = contrast / 2 + cells * mean_i of D(m)_i, or min(D(m)_i, D(1 - m)_i) where `free`

    Extras: ``part`` (b, H, W) in 0..1, that share; of the batch and the view, optional, ``shared``
    (b, s) bool: sounds of other pictures that this one shows the thing of, too, no negatives.
    """

    @dataclass(frozen=True)
    class Config(Options):
        """Options of `Separation`.

        Attributes:
            temperature: of all cross-entropies.
            cells: weight of telling the two sounds apart in each cell.
            free: whether the network may give the two sounds in either order.
            pooling: of a map to a similarity, ``max`` or ``mean``.
        """

        temperature: Positive = 0.07
        cells: Amount = 1.0
        free: bool = True
        pooling: Pooling = "max"

    config: Config
    needs = ("extras.part", "views.second")

    def compare(self, pairs: Correspondence) -> Loss:
        second = pairs.views["second"]
        part = on_grid(pairs.extras["part"], pairs.maps)
        maps = torch.stack([view.own(view.maps) for view in (pairs, second)], 1)
        logs = (maps / self.config.temperature).log_softmax(1)
        right, turned = (
            -(share * logs[:, 0] + (1 - share) * logs[:, 1]).mean((1, 2))
            for share in (part, 1 - part)
        )
        apart = torch.minimum(right, turned) if self.config.free else right
        return weighted(
            first=(0.5, self._contrast(pairs)),
            second=(0.5, self._contrast(second)),
            cells=(self.config.cells, apart.mean()),
        )

    def _contrast(self, view: Correspondence) -> Tensor:
        logits = pool(view.maps, self.config.pooling) / self.config.temperature
        if "shared" in view.extras:
            logits = logits.masked_fill(view.extras["shared"] & ~view.matches(), -torch.inf)
        return by_picture(logits, view)
