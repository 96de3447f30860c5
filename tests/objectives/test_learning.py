"""Each objective, alone, teaches linear embeddings where in a picture the thing that sounds is.

A picture is a grid of noise with the look of one of twelve classes in 2x2 of 4x4 cells; its sound
is that class's, in another space and with noise. Nothing says which cells count, but to the
objectives that need truth; no class is twice in a batch.
"""

from dataclasses import fields

import pytest
import torch
from torch.nn import functional

from avloc.objectives import OBJECTIVES, Correspondence
from avloc.objectives.teaching import follow
from avloc.objectives.turning import turned, turns
from avloc.options import configured

KINDS, RAW, C, SIDE = 12, 12, 16, 4
NOISE = 0.7
OPTIONS = {"channels": C, "features": C, "side": SIDE, "heads": 2}
LINEAR = {"positive": 0.2, "negative": 0.0, "sharpness": 0.1}
TUNED = {
    "lvs": LINEAR,
    "ssltie": LINEAR,
    "alignment": {"threshold": 0.2, "sharpness": 0.1},
    "ezvsl": {"temperature": 0.1},
    "marginnce": {"temperature": 0.1},
    "slavc": {"temperature": 0.1},
    "sacl": {"temperature": 0.05},
    "fnac": {"sounds": 1.0, "foreground_weight": 1.0, "pictures": 1.0, "temperature": 0.1},
}
"""Thresholds and weights that suit linear embeddings, and few steps."""


class World:
    """Pictures, sounds and what is true of them."""

    def __init__(self, random):
        self.random = random
        self.looks = 3 * functional.normalize(self.randn(KINDS, RAW), dim=1)
        self.calls = 3 * functional.normalize(self.randn(KINDS, RAW), dim=1)

    def randn(self, *shape):
        return torch.randn(*shape, generator=self.random)

    def draw(self, count):
        """Pictures (b, r, h, w), sounds (b, r), classes (b,) and truth (b, h, w)."""
        kinds = torch.arange(count) % KINDS
        truth = torch.zeros(count, SIDE, SIDE)
        for one in truth:
            y, x = torch.randint(SIDE - 1, (2,), generator=self.random)
            one[y : y + 2, x : x + 2] = 1
        pictures = NOISE * self.randn(count, RAW, SIDE, SIDE)
        pictures = pictures + self.looks[kinds][:, :, None, None] * truth[:, None]
        return pictures, self.calls[kinds] + NOISE * self.randn(count, RAW), kinds, truth


class Linear(torch.nn.Module):
    """One matrix for looks, one for sounds."""

    def __init__(self):
        super().__init__()
        self.looks, self.calls = torch.nn.Linear(RAW, C), torch.nn.Linear(RAW, C)

    def meet(self, pictures, sounds, **further):
        cells = functional.normalize(self.looks(pictures.movedim(1, -1)).movedim(-1, 1))
        sounds = functional.normalize(self.calls(sounds))
        maps = torch.einsum("bchw,sc->bshw", cells, sounds)
        return Correspondence(maps, cells, sounds, **further)


def batch(net, teacher, world):
    """What every objective but one needs, made of the world."""
    pictures, sounds, kinds, truth = world.draw(KINDS)
    same = (kinds[:, None] == kinds).float()
    turn = turns(90 * torch.ones(KINDS), 1.0, True, SIDE)
    with torch.no_grad():
        slow = teacher.meet(pictures, sounds)
    views = {
        "turned": net.meet(turned(pictures, turn, (SIDE, SIDE), SIDE), sounds),
        "other": net.meet(pictures + NOISE * world.randn(*pictures.shape), sounds),
        "teacher": slow,
    }
    truths = truth[:, None] * same[:, :, None, None]
    extras = {
        "truth": truth,
        "truths": truths,
        "unsures": torch.zeros_like(truths, dtype=torch.bool),
        "likeness": same,
        "turns": turn,
    }
    return net.meet(pictures, sounds, extras=extras, views=views)


def mixed(net, teacher, world):
    """Two clips side by side, the sounds of both separated, in an order that nobody knows."""
    pictures, sounds, _, _ = world.draw(KINDS)
    partner = pictures.roll(1, 0)
    both = torch.cat([pictures, partner], 3)
    part = torch.cat([torch.ones(KINDS, SIDE, SIDE), torch.zeros(KINDS, SIDE, SIDE)], 2)
    shared = torch.eye(KINDS, dtype=torch.bool)
    extras = {"part": part, "shared": shared.roll(-1, 1) | shared.roll(1, 1)}
    second = net.meet(both, sounds.roll(1, 0), extras={"shared": shared.roll(1, 1)})
    return net.meet(both, sounds, extras=extras, views={"second": second})


def hits(net, world):
    """The share of pictures whose map is highest where the thing is; by chance a quarter."""
    pictures, sounds, _, truth = world.draw(200)
    with torch.no_grad():
        pairs = net.meet(pictures, sounds)
    best = pairs.own(pairs.maps).flatten(1).argmax(1)
    return truth.flatten(1)[range(200), best].mean().item()


LOCALIZING = sorted(set(OBJECTIVES) - {"silence"})


@pytest.mark.parametrize("name", LOCALIZING)
def test_it_finds_what_sounds(name):
    torch.manual_seed(0)
    world = World(torch.Generator().manual_seed(1))
    net, teacher = Linear(), Linear()
    teacher.load_state_dict(net.state_dict())
    known = {field.name for field in fields(OBJECTIVES[name].Config)}
    options = {k: v for k, v in OPTIONS.items() if k in known} | TUNED.get(name, {})
    objective = configured(OBJECTIVES, name, **options)
    optimiser = torch.optim.Adam([*net.parameters(), *objective.parameters()], lr=0.03)
    assert hits(net, world) < 0.3
    make = mixed if name == "separation" else batch
    for _ in range(100):
        optimiser.zero_grad()
        objective(make(net, teacher, world)).total.backward()
        optimiser.step()
        follow(teacher, net, 0.9)
    assert hits(net, world) > 0.45
