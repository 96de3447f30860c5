"""A made-up batch with all that any objective needs."""

import pytest
import torch
from torch.nn import functional

from avloc.objectives import Correspondence
from avloc.objectives.turning import turns


class Made:
    """Its embeddings are leaves; `pairs` makes a batch of them.

    Args:
        steps: of each sound; None: sounds are without time.
    """

    def __init__(self, count=4, channels=8, grid=(3, 4), strangers=1, steps=None, seed=0):
        random = torch.Generator().manual_seed(seed)
        sounds = count + strangers
        wave = (sounds, channels) if steps is None else (sounds, steps, channels)

        def rand(*shape):
            return torch.rand(*shape, generator=random, dtype=torch.float64)

        def randn(*shape):
            return torch.randn(*shape, generator=random, dtype=torch.float64)

        self.strangers = strangers
        self.leaves = [
            randn(count, channels, *grid).requires_grad_(),
            randn(*wave).requires_grad_(),
        ]
        self.other = [randn(count, channels, *grid), randn(*wave)]
        large = (count, 2 * grid[0], 3 * grid[1])
        all_pairs = (count, sounds, *grid)
        self.extras = {
            "truth": (rand(*large) < 0.3).double(),
            "unsure": rand(*large) < 0.1,
            "truths": rand(*all_pairs) * (rand(*all_pairs) < 0.5),
            "unsures": rand(*all_pairs) < 0.2,
            "likeness": rand(count, count),
            "segments": (4 * rand(*large)).long(),
            "sound_features": randn(sounds, channels),
            "heard": rand(sounds, steps or 1) < 0.8,
            "spliced": rand(sounds, steps or 1),
            "shown": rand(*large),
            "part": rand(*large),
            "turns": turns(90 * rand(count) - 45, 1.0, True, side=32),
        }
        shared = rand(count, sounds) < 0.2
        self.view_extras = {
            "segments": (4 * rand(*large)).long(),
            "shared": shared,
        }

    def pairs(self, cells=None, sounds=None):
        """The batch, with other embeddings where they are given."""
        cells, sounds = (self.leaves[k] if x is None else x for k, x in enumerate((cells, sounds)))
        view = listened(*self.other, strangers=self.strangers, extras=self.view_extras)
        views = dict.fromkeys(("turned", "other", "second", "teacher"), view)
        return listened(cells, sounds, strangers=self.strangers, extras=self.extras, views=views)


def listened(cells, sounds, **further):
    """Cosines, means over the steps of sounds."""
    cells, sounds = functional.normalize(cells), functional.normalize(sounds, dim=-1)
    steps = sounds if sounds.ndim == 3 else sounds[:, None]
    maps = torch.einsum("bchw,stc->bsthw", cells, steps).mean(2)
    return Correspondence(maps, cells, sounds, **further)


@pytest.fixture(scope="session")
def made():
    return Made
