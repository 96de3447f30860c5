"""Each head against its formula, one cell and step at a time."""

import math

import numpy as np
import pytest
import torch

from avloc.models.heads import HEADS
from avloc.options import configured

C, K = 6, 4


def relu(x):
    return np.maximum(x, 0)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def layer(linear):
    bias = linear.bias.detach().numpy()
    return lambda x: linear.weight.detach().numpy() @ x + bias


def cosine(head):
    return lambda v, a: v @ a / np.linalg.norm(v) / np.linalg.norm(a)


def dot(head):
    return lambda v, a: v @ a / math.sqrt(C)


def dense(head):
    return lambda v, a: max(v[:3] @ a[:3], v[3:] @ a[3:])


def with_last(join):
    def of(head):
        last = layer(head.last)
        return lambda v, a: last(join(head, v, a))[0]

    return of


@with_last
def added(head, v, a):
    return relu(layer(head.of_cells)(v + a))


@with_last
def concat(head, v, a):
    both = torch.cat([head.of_cells.weight, head.of_sounds.weight], 1).detach().numpy()
    bias = (head.of_cells.bias + head.of_sounds.bias).detach().numpy()
    return relu(both @ np.concatenate([v, a]) + bias)


@with_last
def film(head, v, a):
    scale, shift = np.split(layer(head.of_sounds)(a), 2)
    return relu((1 + scale) * layer(head.of_cells)(v) + shift)


@with_last
def gated(head, v, a):
    cell, sound = layer(head.of_cells)(v), layer(head.of_sounds)(a)
    gate = sigmoid(cell[K:] + sound[K:])
    return gate * np.tanh(cell[:K]) + (1 - gate) * np.tanh(sound[:K])


@with_last
def additive(head, v, a):
    return np.tanh(layer(head.of_cells)(v) + layer(head.of_sounds)(a))


FORMULAS = {
    "cosine": cosine,
    "dot": dot,
    "dense": dense,
    "sum": added,
    "concat": concat,
    "film": film,
    "gated": gated,
    "additive": additive,
}


@pytest.mark.parametrize("name", FORMULAS)
def test_formula(name):
    torch.manual_seed(2)
    fits = hasattr(HEADS[name].Config, "hidden")
    head = configured(HEADS, name, **({"channels": C, "hidden": K} if fits else {})).double()
    cells = torch.randn(2, C, 2, 3, dtype=torch.float64)
    sounds = torch.randn(3, 4, C, dtype=torch.float64)
    heard = torch.rand(3, 4, dtype=torch.float64)
    value = FORMULAS[name](head)
    maps = head(cells, sounds, heard).detach().numpy()
    for i, j, y, x in np.ndindex(maps.shape):
        v, shares = cells[i, :, y, x].numpy(), (heard[j] / heard[j].sum()).numpy()
        expected = sum(
            share * value(v, step) for share, step in zip(shares, sounds[j].numpy(), strict=True)
        )
        assert maps[i, j, y, x] == pytest.approx(expected, rel=1e-9)


def test_every_head_but_the_transformer_has_one():
    assert set(HEADS) - set(FORMULAS) == {"transformer"}


def test_the_transformer_hears_in_any_order():
    """Steps have no place, and those without weight do not exist."""
    torch.manual_seed(0)
    head = configured(HEADS, "transformer", channels=C, hidden=8, heads=2).double()
    cells = torch.randn(2, C, 2, 3, dtype=torch.float64)
    sounds = torch.randn(3, 4, C, dtype=torch.float64)
    maps = head(cells, sounds)
    torch.testing.assert_close(head(cells, sounds.flip(1)), maps)
    longer = torch.cat([sounds, 9 * sounds[:, :1]], 1)
    heard = torch.tensor([[1.0, 1, 1, 1, 0]]).expand(3, -1)
    torch.testing.assert_close(head(cells, longer, heard), maps)
    nothing = torch.zeros(3, 4)
    torch.testing.assert_close(head(cells, sounds, nothing), maps)
