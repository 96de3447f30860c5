"""Whether a run folder can be gone on with: the same recipe, and a state that can be read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from avloc.training import state
from avloc.training.reading import build, plain
from avloc.training.wild.loop import Trainer
from avloc.training.wild.recipe import Recipe

PARTS = ("network", "average", "before", "objective", "optimiser", "schedule", "step")


def check_same_recipe(recipe: Recipe, stored: Path) -> None:
    """Refuse to go on with another recipe than the one at `stored`; errors as of `check_same`."""
    begun = build(Recipe, state.stored_recipe(stored), str(stored))
    state.check_same(plain(begun), plain(recipe), stored.parent)


def read_state(path: Path) -> dict[str, Any]:
    """What `Trainer.save` wrote to `path`, in the computer's main memory."""
    return state.read_state(path, PARTS)


def go_on(trainer: Trainer, begun: dict[str, Any], path: Path) -> None:
    """Bring `trainer` to the state that was read from `path`."""
    try:
        trainer.load(begun)
    except (RuntimeError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise state.damaged(path) from error
