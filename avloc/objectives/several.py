"""Several objectives in one run, over one batch."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from avloc.errors import UsageError
from avloc.objectives.correspondence import Correspondence
from avloc.objectives.objective import Loss, Objective


class Several(Objective):
    """The weighted sum of objectives: total = sum of weight * total of each.

    Args:
        parts: by a name for the log, each objective with its weight.

    Raises:
        UsageError: there are none.
    """

    def __init__(self, parts: Mapping[str, tuple[float, Objective]]) -> None:
        super().__init__()
        if not parts:
            raise UsageError("no objective to train; name one or more")
        self.parts = nn.ModuleDict({name: part for name, (_, part) in parts.items()})
        self.weights = {name: float(weight) for name, (weight, _) in parts.items()}
        objectives = [part for _, part in parts.values()]
        self.needs = tuple(sorted({need for part in objectives for need in part.needs}))
        self.negatives = any(part.negatives for part in objectives)
        self.reads_maps = any(part.reads_maps for part in objectives)
        self.combines = any(part.combines for part in objectives)

    def compare(self, pairs: Correspondence) -> Loss:
        losses = {name: part(pairs) for name, part in self.parts.items()}
        total = torch.stack([self.weights[name] * loss.total for name, loss in losses.items()])
        terms = {
            f"{name}.{term}": value
            for name, loss in losses.items()
            for term, value in loss.terms.items()
        }
        return Loss(total.sum(), terms)
