"""Every objective with every correlation head."""

from dataclasses import fields, replace

import pytest
import torch

from avloc.models.heads import HEADS
from avloc.objectives import OBJECTIVES
from avloc.options import configured

B, C = 3, 8
FITTING = {"channels": C, "features": C, "hidden": 8, "heads": 2, "side": 32}
OPEN = {"rectified": False, "masked": "ignored"}
"""What lets maps of negative values learn, where published losses were made for cosines."""


def fitted(registry, name):
    """With the sizes here, where it has any."""
    known = {field.name for field in fields(registry[name].Config)}
    options = {key: value for key, value in (FITTING | OPEN).items() if key in known}
    return configured(registry, name, **options).double()


def headed(pairs, head):
    """The batch and its views with the head's maps instead of cosines."""
    views = {name: headed(view, head) for name, view in pairs.views.items()}
    return replace(pairs, maps=head(pairs.cells, pairs.sounds), views=views)


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("head", HEADS)
def test_a_loss_that_teaches(head, objective, made):
    torch.manual_seed(0)
    correlate, loss = fitted(HEADS, head), fitted(OBJECTIVES, objective)
    batch = made(B, C, (2, 3), 1, 2 if objective == "denseav" else None)
    answer = loss(headed(batch.pairs(), correlate)).total
    assert torch.isfinite(answer)
    answer.backward()
    for leaf in batch.leaves:
        assert leaf.grad is not None
        assert torch.isfinite(leaf.grad).all()
        assert leaf.grad.abs().sum() > 0
    slopes = [parameter.grad for parameter in correlate.parameters()]
    if loss.reads_maps and slopes:
        assert all(torch.isfinite(slope).all() for slope in slopes)
        assert sum(float(slope.abs().sum()) for slope in slopes) > 0


@pytest.mark.parametrize("name", OBJECTIVES)
def test_whether_maps_are_read_is_told(name, made):
    objective = fitted(OBJECTIVES, name)
    pairs = made(B, C, (2, 3), 1, 2 if name == "denseav" else None).pairs()
    maps = pairs.maps.detach().requires_grad_()
    objective(replace(pairs, maps=maps)).total.backward()
    assert (maps.grad is not None) == objective.reads_maps
