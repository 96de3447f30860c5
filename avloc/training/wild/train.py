"""From a recipe to a run folder: recipe.yaml, log.jsonl, last.pt, best.safetensors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import yaml

from avloc.data.batches import Batches, Counts
from avloc.data.composites import Composer
from avloc.data.concepts import Concepts
from avloc.data.listening import Recordings
from avloc.data.pairs import held_out_pairs
from avloc.data.pictures import Pictures
from avloc.data.scenes import SyntheticSource
from avloc.data.wild import photos, recordings
from avloc.errors import DataError, UsageError
from avloc.features.spectrogram import RATE
from avloc.models.weights import Header, save_weights
from avloc.training.reading import plain
from avloc.training.wild.calibrate import calibrate, observe
from avloc.training.wild.guess import guess_boxes
from avloc.training.wild.loop import Trainer, fit
from avloc.training.wild.recipe import Recipe
from avloc.training.wild.resuming import check_same_recipe, go_on, read_state
from avloc.training.wild.warm_start import tag_names, warm_start

SAMPLE = 300  # photos that image classes are standardised over


def train(
    recipe: Recipe,
    recipe_path: Path,
    data: Path,
    folder: Path,
    device: torch.device,
    resume: bool = False,
    progress: Callable[[int, int, dict[str, float]], None] = lambda step, steps, terms: None,
) -> Path:
    """Run `recipe`; returns the path of the trained weights in `folder`."""
    state = folder / "last.pt"
    if state.exists() and not resume:
        raise UsageError(f"{folder} holds a run already; pass --resume or another --out")
    begun = None
    if state.exists():
        # Before anything is written or waited for.
        check_same_recipe(recipe, folder / "recipe.yaml")
        begun = read_state(state)
    folder.mkdir(parents=True, exist_ok=True)
    resolved = plain(recipe)
    (folder / "recipe.yaml").write_text(yaml.safe_dump(resolved, sort_keys=False))
    torch.manual_seed(recipe.seed)
    # Gradients of a well-trained backbone hold many denormal numbers, which CPUs compute slowly.
    torch.set_flush_denormal(True)

    concepts = Concepts.read(recipe_path.parent / recipe.data.concepts)
    licences = recipe.data.licences
    shown = photos(data, concepts, licences)
    heard = recordings(data, concepts, licences)
    if not any(photo.concepts for photo in shown) or not heard:
        raise DataError(f"{data}: no photos or recordings under the licences {licences!r}")
    if "person" not in concepts.names:
        raise DataError(f"{recipe.data.concepts}: the concept table lacks 'person'")
    pictures = Pictures(frozenset(recipe.data.crowded))
    rng = np.random.default_rng(recipe.seed)
    whole = np.array([0.0, 0.0, 1.0, 1.0])
    sample = [shown[i] for i in rng.permutation(len(shown))[:SAMPLE]]
    frames = (
        np.ascontiguousarray(pictures.crop(photo, whole, (320, 320), False).transpose(2, 0, 1))
        for photo in sample
    )
    network = warm_start(recipe.network, data, concepts, frames, recipe.seed)
    guess_boxes(network, shown, pictures)

    trainer = Trainer(network, recipe, device)
    if begun is not None:
        go_on(trainer, begun, state)
        del begun
    plan = recipe.data
    tags = tag_names(data)
    scenes = SyntheticSource(concepts, tags, RATE, recipe.network.window)
    batches = Batches(
        Composer(shown, pictures, scenes.rows, concepts.names.index("person"), plan.poor),
        concepts,
        heard,
        Recordings(RATE, recipe.network.window),
        scenes,
        plan.sizes,
        Counts(plan.images, plan.recordings, plan.made_up, plan.synthetic),
        recipe.seed,
        recipe.optimiser.steps,
    )
    fit(trainer, batches, folder, progress)
    target = folder / "best.safetensors"
    trained = trainer.result()
    pairs = held_out_pairs(data, concepts, plan.pairs)
    observed = observe(trained, pairs)
    calibration = {quality: calibrate(rows, pairs) for quality, rows in observed.items()}
    header = Header(recipe.name, recipe.network, calibration, tags, resolved)
    save_weights(target, trained, header)
    return target
