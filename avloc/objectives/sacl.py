"""SACL: no negatives among sounds alike, and positives from one thing in two views.

Song et al. 2024, Enhancing Sound Source Localization via False Negative Elimination
(arXiv 2408.16448), its semantic-aware contrastive learning.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from avloc.objectives.contrast import by_picture, pool
from avloc.objectives.correspondence import Correspondence
from avloc.objectives.objective import OBJECTIVES, Loss, Objective, weighted
from avloc.options import Options, Positive, Share


@OBJECTIVES.register("sacl")
class SACL(Objective):
    """Contrast of two views over one thing's cells, against the sounds that are least alike.

    With S^v (b, s, h, w) the maps of view v and R_i^v the cells of picture i that count, 0 or 1:

        s_ij^v = max over cells of R_i^v * S_ij^v
        loss   = sum_v mean_i cross_entropy(s_i.^v / temperature over j in {i} + N_i, i)

    N_i: the `negatives` share of the batch whose sounds are least like i's. R_i: the cells above
    the `kept` quantile of the picture's own map (all, where none is), of the one segment in both
    views that holds most of them in the first; the whole segment, in a view where it holds none.

    The view ``other`` is of the same pictures otherwise cropped. Extras: ``likeness`` (b, n), how
    alike sounds are to features that are not trained; and of both views ``segments`` (b, H, W)
    whole numbers from 0 on, the same number for the same thing, all 0 (or missing) where none are
    known.
    """

    @dataclass(frozen=True)
    class Config(Options):
        """Options of `SACL`.

        Attributes:
            temperature: of both cross-entropies.
            negatives: share of the batch that is taken for negatives.
            kept: share of cells below those that may count.
            masked: cells that do not count are ``zero``, as published, so that a map of negative
                values learns nothing; or ``ignored``, for heads that are no cosines.
        """

        temperature: Positive = 0.005
        negatives: Share = 0.75
        kept: Share = 0.5
        masked: Literal["zero", "ignored"] = "zero"

    config: Config
    needs = ("views.other", "extras.likeness")

    def compare(self, pairs: Correspondence) -> Loss:
        other = pairs.views["other"]
        counting = self._counting(pairs, other)
        alike = self._alike(pairs)
        first, second = (
            by_picture(self._logits(view, cells).masked_fill(alike, -torch.inf), view)
            for view, cells in zip((pairs, other), counting, strict=True)
        )
        return weighted(first=(1.0, first), second=(1.0, second))

    def _logits(self, view: Correspondence, cells: Tensor) -> Tensor:
        """(b, s) over the temperature, of the cells (b, h, w) that count."""
        others = 0.0 if self.config.masked == "zero" else -torch.inf
        maps = view.maps.masked_fill(~cells[:, None], others)
        return pool(maps, "max") / self.config.temperature

    def _alike(self, pairs: Correspondence) -> Tensor:
        """(b, s) bool, sounds that are neither the picture's own nor negatives."""
        count = int(self.config.negatives * pairs.pairs)
        order = pairs.extras["likeness"].argsort(1)
        apart = torch.ones_like(pairs.matches())  # strangers are never alike
        apart[:, : pairs.pairs] = False
        apart.scatter_(1, order[:, :count], True)
        return ~(apart | pairs.matches())

    def _counting(self, pairs: Correspondence, other: Correspondence) -> tuple[Tensor, Tensor]:
        """The cells (b, h, w) of either view that count, bool."""
        bright = [self._bright(view) for view in (pairs, other)]
        if not all("segments" in view.extras for view in (pairs, other)):
            return bright[0], bright[1]
        labels = [self._labels(view) for view in (pairs, other)]
        count = int(max(one.max() for one in labels)) + 1
        parts = [functional.one_hot(one, count).movedim(3, 1) > 0 for one in labels]  # (b, k, h, w)
        shared = parts[0].any(3).any(2) & parts[1].any(3).any(2)
        held = (parts[0] & bright[0][:, None]).sum((2, 3)).masked_fill(~shared, -1)
        row = torch.arange(len(held), device=held.device)
        first, second = (part[row, held.argmax(1)] for part in parts)
        # Without segments, or without one in common, every cell may count.
        known = shared.any(1) & (labels[0].amax((1, 2)) > 0) & (labels[1].amax((1, 2)) > 0)
        known = known[:, None, None]
        return (
            torch.where(known, _or(first & bright[0], first), bright[0]),
            torch.where(known, _or(second & bright[1], second), bright[1]),
        )

    def _bright(self, view: Correspondence) -> Tensor:
        own = view.own(view.maps).detach()
        ordered = own.flatten(1).sort(1).values
        place = min(int(ordered.shape[1] * self.config.kept), ordered.shape[1] - 1)
        bright = own > ordered[:, place, None, None]
        return _or(bright, torch.ones_like(bright))

    def _labels(self, view: Correspondence) -> Tensor:
        labels = view.extras["segments"][:, None].float()
        return functional.interpolate(labels, view.maps.shape[2:])[:, 0].long()


def _or(cells: Tensor, others: Tensor) -> Tensor:
    """Cells (b, h, w), bool; of a picture that has none the others."""
    return torch.where(cells.flatten(1).any(1)[:, None, None], cells, others)
