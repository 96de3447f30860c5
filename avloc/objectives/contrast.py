"""Shared by contrastive objectives: maps to similarities, similarities to cross-entropies."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from avloc.errors import UsageError
from avloc.objectives.correspondence import Correspondence

Pooling = Literal["max", "mean"]


def pool(maps: Tensor, how: Pooling) -> Tensor:
    """One similarity for each map: (..., h, w) -> (...)."""
    return maps.amax((-2, -1)) if how == "max" else maps.mean((-2, -1))


def with_margin(similarity: Tensor, pairs: Correspondence, margin: float) -> Tensor:
    """`similarity` (b, s) with the margin taken from what belongs together."""
    return similarity - margin * pairs.matches().to(similarity)


def by_picture(logits: Tensor, pairs: Correspondence) -> Tensor:
    """Mean cross-entropy of each picture's own sound among all: logits (b, s) -> scalar."""
    return functional.cross_entropy(logits, pairs.places)


def of_sounds(similarity: Tensor, pairs: Correspondence) -> Tensor:
    """The rows of this process's sounds, against all pictures: (b, s) -> (b, n).

    Raises:
        UsageError: there are not as many pictures as sounds.
    """
    gathered = pairs.gather(similarity)
    if len(gathered) != pairs.pairs:
        raise UsageError(
            f"{len(gathered)} pictures for {pairs.pairs} sounds; say how many sounds are strangers"
        )
    return gathered.index_select(1, pairs.places).T


def by_sound(logits: Tensor, pairs: Correspondence) -> Tensor:
    """Mean cross-entropy of each sound's own picture among all: logits (b, s) -> scalar."""
    return functional.cross_entropy(of_sounds(logits, pairs), pairs.places)


def weighted_mean(maps: Tensor, log_weights: Tensor) -> Tensor:
    """Means over cells under weights given by their logarithms, which may be too small for floats.

    (..., h, w) twice -> (...).
    """
    shares = torch.softmax(log_weights.flatten(-2), -1)
    return (maps.flatten(-2) * shares).sum(-1)
