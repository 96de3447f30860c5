"""Sounds that are not in a picture: silence, noise, and what sounds in another one."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from avloc.data.benchmarks.offscreen import seeded
from avloc.data.benchmarks.types import Item
from avloc.inference.questions import Sound, own_sound

SECONDS = 3.0  # of silence and noise, which is what the original takes from a clip


def silence(item: Item, rate: int) -> np.ndarray:
    """Nothing, (n,) float32."""
    return np.zeros(round(SECONDS * rate), np.float32)


def noise(item: Item, rate: int) -> np.ndarray:
    """Gaussian noise of deviation 1, the same for each item every time, (n,) float32."""
    return seeded(item.id).standard_normal(round(SECONDS * rate)).astype(np.float32)


def sounds(elsewhere: Mapping[str, Item]) -> dict[str, Sound]:
    """By kind, what an item is heard with; `elsewhere` says which item's sound is off-screen."""
    return {
        "silence": silence,
        "noise": noise,
        "offscreen": lambda item, rate: own_sound(elsewhere[item.id], rate),
    }
