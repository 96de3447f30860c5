"""Yes or no for each cell, with as much weight on yes as on no."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from torch.nn import functional


def presence(
    logits: Tensor, truth: Tensor, unsure: Tensor, ratio: Callable[[Tensor, Tensor], Tensor]
) -> Tensor:
    """Binary cross-entropy, the mean over what sounds and that over what does not, added.

    Objects are small: without balance "nothing sounds anywhere" would be nearly right.

    Args:
        logits: (b, ...), of "this cell sounds".
        truth: the same shape, in 0..1.
        unsure: the same shape, bool, cells that count neither way.
        ratio: `Correspondence.ratio`.
    """
    each = functional.binary_cross_entropy_with_logits(logits, truth, reduction="none")

    def mean(weights: Tensor) -> Tensor:
        weights = weights.masked_fill(unsure, 0.0).flatten(1)
        return ratio((each.flatten(1) * weights).sum(1), weights.sum(1))

    return mean(truth) + mean(1 - truth)
