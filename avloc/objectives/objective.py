"""The face of a training objective, and the objectives by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from avloc.errors import UsageError
from avloc.objectives.correspondence import Correspondence
from avloc.options import Options
from avloc.registry import Registry


@dataclass(frozen=True, eq=False)
class Loss:
    """What an objective answers.

    Attributes:
        total: scalar, to be minimised; its mean over processes is the loss of the whole batch.
        terms: what it is made of, by name, before weighting.
    """

    total: Tensor
    terms: Mapping[str, Tensor]


def weighted(**terms: tuple[float, Tensor]) -> Loss:
    """The sum of terms, each given as (weight, value)."""
    total = torch.stack([weight * value for weight, value in terms.values()]).sum()
    return Loss(total, {name: value.detach() for name, (_, value) in terms.items()})


class Objective(nn.Module):
    """Base of the objectives: `Config`, what they need, and `compare`.

    Attributes:
        Config: their options, a frozen dataclass; the only argument of the constructor.
        needs: beside maps: ``cells``, ``sounds``, ``strangers``, ``extras.NAME``, ``views.NAME``.
            One without needs works with any correlation head.
        negatives: whether each pair is compared with others, so that a batch needs two at least
            and maps of all pairs.
        reads_maps: whether the loss is of the maps; if not, it is of the embeddings alone, and a
            correlation head with parameters of its own would learn nothing.
        combines: whether further views of the batch, whatever their names, are taken as well.
    """

    Config: ClassVar[type[Options]] = Options

    needs: tuple[str, ...] = ()
    negatives: bool = True
    reads_maps: bool = True
    combines: bool = False
    config: Any

    def __init__(self, config: Options | None = None) -> None:
        super().__init__()
        self.config = self.Config() if config is None else config

    def forward(self, pairs: Correspondence) -> Loss:
        """The loss of `pairs`.

        Raises:
            UsageError: something the objective needs is not there.
        """
        self._check(pairs)
        return self.compare(pairs)

    def compare(self, pairs: Correspondence) -> Loss:
        """The loss of `pairs`, which hold all that the objective needs."""
        raise NotImplementedError

    def _check(self, pairs: Correspondence) -> None:
        title = type(self).__name__
        for need in self.needs:
            place, _, name = need.partition(".")
            there = getattr(pairs, place)
            if there is None or (name and name not in there) or (need == "strangers" and not there):
                raise UsageError(f"{title} needs {need}, which the batch lacks; give it")
        if self.negatives and not pairs.complete:
            raise UsageError(
                f"{title} compares pictures with other sounds; give maps of all pairs, not of "
                "matching ones alone"
            )
        if self.negatives and pairs.maps.shape[1] < 2:
            raise UsageError(
                f"{title} compares a pair with others and the batch has one alone; give 2 or more"
            )


OBJECTIVES: Registry[type[Objective]] = Registry("objective")
