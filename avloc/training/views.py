"""What objectives need beside a batch: the same clips turned, seen by a teacher, heard twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional

from avloc.errors import UsageError
from avloc.objectives import Correspondence
from avloc.objectives.turning import draw_turns, turned
from avloc.registry import Registry

if TYPE_CHECKING:
    from avloc.training.pairing import Glance

Seen = tuple[Correspondence, Mapping[str, Tensor]]

VIEWS: Registry[Callable[[Glance, Correspondence], Seen]] = Registry("view")
"""By the name that objectives need them by: a view, and extras of the batch that describe it."""


@VIEWS.register("turned")
def turned_pictures(glance: Glance, pairs: Correspondence) -> Seen:
    """Pictures turned, mirrored and shrunk (SSL-TIE), with the sounds of the batch."""
    pictures = glance.picture()
    side = pictures.shape[-1]
    count = len(pictures) * glance.pairing.ranks.count
    turns, scale = draw_turns(count, glance.chance, side=side)
    turns = turns[pairs.offset : pairs.offset + len(pictures)].to(pictures)
    smaller = (round(side * scale), round(pictures.shape[-2] * scale))
    cells = glance.pairing.see(turned(pictures, turns, smaller, side))
    return glance.pairing.meet(cells, glance.sounds()), {"turns": turns}


@VIEWS.register("teacher")
def by_teacher(glance: Glance, pairs: Correspondence) -> Seen:
    """The batch as the slow teacher sees and hears it; without gradient."""
    pairing = glance.pairing
    if pairing.teacher is None:
        raise UsageError("the objective needs a teacher; give loop.teacher its momentum, as 0.999")
    with torch.no_grad():
        cells = pairing.see(glance.picture(), pairing.teacher)
        heard = pairing.hear(glance.spectrograms[0], pairing.teacher)
        return pairing.meet(cells, glance.everyones(heard)), {}


@VIEWS.register("other")
def other_pictures(glance: Glance, pairs: Correspondence) -> Seen:
    """The second picture of each clip, with the sounds of the batch."""
    if glance.frames.shape[1] < 2:
        raise UsageError("the objective needs two pictures of a clip; give data.views=2")
    return glance.pairing.meet(glance.cells(1), glance.sounds()), {}


@VIEWS.register("second")
def second_sounds(glance: Glance, pairs: Correspondence) -> Seen:
    """The same pictures with the second sound of each clip."""
    if len(glance.spectrograms) < 2:
        raise UsageError("the objective needs two clips in a picture; give data.mix=true")
    return glance.pairing.meet(glance.cells(), glance.sounds(1)), {}


def combined(glance: Glance) -> dict[str, Correspondence]:
    """Every picture of a clip with every sound of it, but for the first of both."""
    return {
        f"{picture}{sound}": glance.pairing.meet(glance.cells(picture), glance.sounds(sound))
        for picture in range(glance.frames.shape[1])
        for sound in range(len(glance.spectrograms))
        if picture or sound
    }


def likeness(glance: Glance) -> Tensor:
    """How alike the sounds of the batch are to features that nobody trains: (b, n) cosines.

    The features are the mean and the spread of each band over time, standardised over the batch.
    """
    bands = glance.spectrograms[0][: len(glance.frames)]
    if bands.ndim == 5:  # VGGish's examples (b, k, 1, t, f)
        bands = bands.permute(0, 4, 1, 2, 3).flatten(2)
    bands = bands.flatten(1, -2)
    spread, mean = torch.std_mean(bands, dim=-1)
    everyone = glance.pairing.ranks.gather(torch.cat([mean, spread], 1))
    everyone = functional.normalize(everyone - everyone.mean(0))
    place = glance.pairing.ranks.rank * len(bands)
    return everyone[place : place + len(bands)] @ everyone.T
