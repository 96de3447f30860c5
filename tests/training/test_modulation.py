"""Gradient modulation against the equations of Peng et al. 2022, worked out by hand."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from avloc.training.modulation import TEMPERATURE, factors, modulate, telling
from avloc.training.preparing import prepare
from avloc.training.ranks import Ranks

# Of tanh, from a table: tanh(0.2) and tanh(0.6).
TANH = {0.2: 0.197375320, 0.6: 0.537049567}


def test_how_well_clips_are_told_apart_is_the_mean_probability_of_each():
    rows = np.random.default_rng(0).standard_normal((5, 3))
    shares = []
    for i, row in enumerate(rows):
        cosines = [row @ one / np.linalg.norm(row) / np.linalg.norm(one) for one in rows]
        raised = [math.exp(cosine / TEMPERATURE) for cosine in cosines]
        shares.append(raised[i] / sum(raised))
    assert float(telling(torch.from_numpy(rows))) == pytest.approx(np.mean(shares), rel=1e-9)


def test_clips_that_are_all_alike_are_told_apart_by_chance():
    assert float(telling(torch.ones(8, 4))) == pytest.approx(1 / 8)


@pytest.mark.parametrize(
    ("image", "sound", "strength", "expected"),
    [
        (0.6, 0.3, 0.1, (1 - TANH[0.2], 1.0)),  # ratio 2
        (0.3, 0.6, 0.1, (1.0, 1 - TANH[0.2])),
        (0.9, 0.3, 0.2, (1 - TANH[0.6], 1.0)),  # ratio 3
        (0.4, 0.4, 0.5, (1.0, 1.0)),
    ],
)
def test_only_the_better_modality_is_slowed_down(image, sound, strength, expected):
    assert factors(image, sound, strength) == pytest.approx(expected, abs=1e-8)


def test_a_modality_that_tells_nothing_divides_by_no_zero():
    assert factors(0.5, 0.0, 0.1) == (0.0, 1.0)


def of_convolution(spread):
    parameter = nn.Parameter(torch.zeros(64, 64, 3, 3))
    torch.manual_seed(0)
    parameter.grad = torch.randn_like(parameter) * spread + 0.5 * spread
    return parameter


@pytest.mark.parametrize("spread", [3.0, 1e-4])
def test_noise_has_the_spread_of_the_gradient(spread):
    parameter = of_convolution(spread)
    before = parameter.grad.clone()
    modulate([parameter], 0.25)
    noise = parameter.grad - 0.25 * before
    assert float(noise.std()) == pytest.approx(float(before.std()), rel=0.02)
    assert abs(float(noise.mean())) < 0.02 * float(before.std())
    together = torch.corrcoef(torch.stack([noise.flatten(), before.flatten()]))[0, 1]
    assert abs(float(together)) < 0.02


def test_convolutions_alone_are_modulated():
    others = [nn.Parameter(torch.zeros(4)), nn.Parameter(torch.zeros(4, 4))]
    for parameter in others:
        parameter.grad = torch.ones_like(parameter)
    modulate([*others, nn.Parameter(torch.zeros(1, 1, 1, 1))], 0.5)
    assert all(parameter.grad.eq(1).all() for parameter in others)


def test_a_factor_of_one_leaves_gradients_alone():
    parameter = of_convolution(1.0)
    before = parameter.grad.clone()
    modulate([parameter], 1.0)
    assert torch.equal(parameter.grad, before)


def after_one_update(small, clips, strength):
    recipe = small(
        loop={"precision": "float32", "modulation": strength},
        optimiser={"name": "sgd", "momentum": 0.0, "tuning": {"rate": 1.0}},
    )
    made = prepare(recipe, clips, torch.device("cpu"), Ranks())
    values = made.trainer.update(next(made.feed.updates(0, 1)))
    network = made.trainer.network
    return values, [
        {name: parameter.detach().clone() for name, parameter in part.named_parameters()}
        for part in (network.image, network.sound)
    ]


def test_an_update_slows_the_better_tower_and_leaves_the_other(small, clips):
    values, modulated = after_one_update(small, clips, 0.5)
    _, free = after_one_update(small, clips, 0.0)
    better = 0 if values["image_tells"] > values["sound_tells"] else 1
    told = values["image_tells"], values["sound_tells"]
    expected = 1 - math.tanh(0.5 * told[better] / told[1 - better])
    found = values["image_factor"], values["sound_factor"]
    assert found[better] == pytest.approx(expected, rel=1e-5)
    assert found[1 - better] == 1.0
    for name, parameter in free[1 - better].items():
        assert torch.equal(modulated[1 - better][name], parameter), name
    for name, parameter in free[better].items():
        assert torch.equal(modulated[better][name], parameter) == (parameter.ndim != 4), name
