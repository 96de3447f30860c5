"""Whether a run folder can be gone on with: the same recipe, and a state that can be read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
import yaml

from avloc.errors import TrainingError, UsageError
from avloc.training.reading import build, plain
from avloc.training.wild.loop import Trainer
from avloc.training.wild.recipe import Recipe

PARTS = ("network", "average", "before", "objective", "optimiser", "schedule", "step")


def check_same_recipe(recipe: Recipe, stored: Path) -> None:
    """Refuse to go on with another recipe than the one at `stored`.

    Not even a larger number of steps is allowed: the learning rate is a function of it from the
    first step on.
    """
    begun = plain(_stored(stored))
    for key, before, now in _differences(begun, plain(recipe)):
        raise UsageError(
            f"--resume: the run in {stored.parent} has {key} = {before}, the recipe {now}; "
            "give it the same recipe or another --out"
        )


def _stored(path: Path) -> Recipe:
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise TrainingError(
            f"{path}: missing, so that nobody knows the recipe of the run; begin anew with another "
            "--out"
        ) from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise TrainingError(
            f"{path}: cannot be read ({reason}); begin anew with another --out"
        ) from error
    if not isinstance(raw, dict):
        raise TrainingError(f"{path}: not a recipe; begin anew with another --out")
    return build(Recipe, raw, str(path))


def _differences(
    one: dict[str, Any], other: dict[str, Any], parents: str = ""
) -> Iterator[tuple[str, Any, Any]]:
    """The keys (``data.images``) whose values differ, with both values."""
    for key, value in one.items():
        if isinstance(value, dict):
            yield from _differences(value, other[key], f"{parents}{key}.")
        elif value != other[key]:
            yield parents + key, value, other[key]


def read_state(path: Path) -> dict[str, Any]:
    """What `Trainer.save` wrote to `path`, in the computer's main memory."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise TrainingError(f"{path}: cannot be read ({error.strerror or error})") from error
    with file:
        try:
            state = torch.load(file, map_location="cpu", weights_only=True)
        except Exception as error:  # Damaged bytes make the unpickler fail in any way there is.
            raise _damaged(path) from error
    if not isinstance(state, dict) or any(part not in state for part in PARTS):
        raise _damaged(path)
    return state


def go_on(trainer: Trainer, state: dict[str, Any], path: Path) -> None:
    """Bring `trainer` to the `state` that was read from `path`."""
    try:
        trainer.load(state)
    except (RuntimeError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _damaged(path) from error


def _damaged(path: Path) -> TrainingError:
    return TrainingError(
        f"{path}: damaged, cut off or of another version; delete it to begin anew, or pass another "
        "--out"
    )
