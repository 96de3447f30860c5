"""Yes or no for each cell, with as much weight on yes as on no."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional


def presence(logits: Tensor, truth: Tensor, unsure: Tensor) -> Tensor:
    """Binary cross-entropy, the mean over what sounds and that over what does not, added.

    Objects are small: without balance "nothing sounds anywhere" would be nearly right.

    Args:
        logits: of any shape, of "this cell sounds".
        truth: the same shape, in 0..1.
        unsure: the same shape, bool, cells that count neither way.
    """
    each = functional.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    each = each.masked_fill(unsure, 0.0)
    positive = truth * ~unsure
    negative = (1 - truth) * ~unsure
    inside = (each * positive).sum() / positive.sum().clamp(min=1)
    return inside + (each * negative).sum() / negative.sum().clamp(min=1)
