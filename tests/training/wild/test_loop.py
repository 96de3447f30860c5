"""Training on made-up data: every recipe runs, and a resumed run equals an uninterrupted one."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from avloc.data.concepts import Concepts
from avloc.data.pairs import held_out_pairs
from avloc.errors import DataError, RecipeError, UsageError
from avloc.models.two_stream import TwoStream
from avloc.models.weights import load_weights
from avloc.training.reading import build
from avloc.training.wild.loop import Trainer
from avloc.training.wild.recipe import DataConfig, OptimiserConfig, Recipe, read_recipe
from avloc.training.wild.train import train

RECIPES = Path(__file__).parents[3] / "recipes"
NOT_RECIPES = {"concepts.yaml"}
SMALL = [
    "optimiser.steps=2",
    "data.images=3",
    "data.recordings=2",
    "data.made_up=2",
    "data.sizes=[[64, 96]]",
    "data.pairs=3",
    "network.area=9216",
    "network.window=1.0",
]
CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def denormals():
    """Training leaves them out, for the whole process."""
    yield
    torch.set_flush_denormal(False)


def run(recipe, path, made_data, folder, **more):
    seen = []

    def progress(step, steps, terms):
        seen.append((step, steps, terms))

    target = train(recipe, path, made_data, folder, CPU, progress=progress, **more)
    return target, seen


@pytest.mark.parametrize(
    "path",
    [path for path in sorted((RECIPES / "wild").rglob("*.yaml")) if path.name not in NOT_RECIPES],
    ids=lambda path: str(path.relative_to(RECIPES)),
)
def test_every_recipe_trains_two_steps(path, made_data, tmp_path):
    recipe = read_recipe(path, SMALL)
    target, seen = run(recipe, path, made_data, tmp_path / "run")
    assert [(step, steps) for step, steps, _ in seen] == [(1, 2), (2, 2)]
    for _, _, terms in seen:
        assert set(terms) == {"loss", "contrast", "presence", "keep_image", "keep_sound"}
        assert np.isfinite(list(terms.values())).all()
    network, header = load_weights(target)
    assert all(torch.isfinite(tensor).all() for tensor in network.state_dict().values())
    assert header.id == recipe.name
    assert header.network == recipe.network
    assert len(header.tags) == recipe.network.tags
    assert len(header.calibration["high"]["weights"]) == 3
    # A result can be repeated from its file.
    assert build(Recipe, header.recipe, "header") == recipe
    stored = yaml.safe_load((tmp_path / "run" / "recipe.yaml").read_text())
    assert build(Recipe, stored, "stored") == recipe
    log = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert [row["step"] for row in log] == [1, 2]
    assert log[1]["loss"] == seen[1][2]["loss"]


def test_as_little_as_a_recipe_may_ask_for(made_data, tmp_path):
    words = ["images=1", "recordings=1", "made_up=0", "synthetic=0", "pairs=1"]
    words = [*SMALL, *(f"data.{word}" for word in words), "optimiser.warmup=0"]
    words += ["optimiser.early=0", "optimiser.early_every=1"]
    recipe = read_recipe(RECIPES / "wild" / "default.yaml", words)
    _, seen = run(recipe, RECIPES / "wild" / "default.yaml", made_data, tmp_path / "run")
    assert np.isfinite([value for _, _, terms in seen for value in terms.values()]).all()


def test_recipes_are_found():
    assert RECIPES / "wild" / "default.yaml" in RECIPES.rglob("*.yaml")


@pytest.fixture
def recipe():
    data = DataConfig(images=3, recordings=2, made_up=2, sizes=((64, 64),), synthetic=0.2, pairs=2)
    plan = OptimiserConfig(steps=4, warmup=1, early_every=2)
    made = Recipe("small", data=data, optimiser=plan, save_every=3)
    return replace(made, network=replace(made.network, area=4096, window=1.0))


def test_early_blocks_end_before_the_grid(recipe):
    network = TwoStream(recipe.network)
    most = replace(recipe, optimiser=replace(recipe.optimiser, early=network.image.fine))
    Trainer(network, most, CPU)
    more = replace(recipe, optimiser=replace(recipe.optimiser, early=network.image.fine + 1))
    with pytest.raises(RecipeError, match=f"early: expected {network.image.fine} or less"):
        Trainer(network, more, CPU)


def test_the_result_blends_trained_and_untrained_weights(recipe):
    torch.manual_seed(0)
    trainer = Trainer(TwoStream(recipe.network), recipe, CPU)
    with torch.no_grad():
        for tensor in trainer.average.module.parameters():
            tensor.add_(1.0)
    before = dict(trainer.before.named_parameters())
    for share in (0.0, 0.25, 1.0):
        plan = replace(recipe.optimiser, blend=share)
        trainer.recipe = replace(recipe, optimiser=plan)
        for name, tensor in trainer.result().named_parameters():
            torch.testing.assert_close(tensor, before[name] + share)


HERE = RECIPES / "wild" / "small.yaml"


class Stop(Exception):
    """What a user's Ctrl-C or a scheduler's SIGTERM becomes."""


def test_a_resumed_run_equals_an_uninterrupted_one(recipe, made_data, tmp_path):
    whole, seen = run(recipe, HERE, made_data, tmp_path / "whole")

    def stop(step, steps, terms):
        if step == 2:
            raise Stop

    broken = tmp_path / "broken"
    with pytest.raises(Stop):
        train(recipe, HERE, made_data, broken, CPU, progress=stop)
    assert not (broken / "best.safetensors").exists()
    with pytest.raises(UsageError, match="holds a run already"):
        train(recipe, HERE, made_data, broken, CPU)
    resumed, rest = run(recipe, HERE, made_data, broken, resume=True)
    assert [step for step, _, _ in rest] == [3, 4]
    assert [terms for _, _, terms in rest] == [terms for _, _, terms in seen[2:]]
    assert resumed.read_bytes() == whole.read_bytes()
    states = [torch.load(f / "last.pt", weights_only=True) for f in (whole.parent, broken)]
    assert states[0]["step"] == states[1]["step"] == 4
    for part in ("network", "average", "before", "objective"):
        for name, tensor in states[0][part].items():
            assert torch.equal(tensor, states[1][part][name]), f"{part}.{name}"


def test_data_that_nothing_can_be_learned_from(recipe, tmp_path):
    for name in ("images.json", "sounds.json"):
        (tmp_path / name).write_text("[]")
    with pytest.raises(DataError, match="no photos or recordings under the licences 'free'"):
        train(recipe, HERE, tmp_path, tmp_path / "run", CPU)
    with pytest.raises(DataError, match="no held-out photo"):
        held_out_pairs(tmp_path, Concepts.read(HERE.parent / "concepts.yaml"))


def test_training_moves_what_it_should(recipe, made_data, tmp_path):
    run(recipe, HERE, made_data, tmp_path / "run")
    state = torch.load(tmp_path / "run" / "last.pt", weights_only=True)
    before, after = state["before"], state["network"]
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    for part in ("image.blocks.16.", "sound.blocks.14.", "image_head.", "tagger.", "sound_head."):
        assert any(name.startswith(part) for name in moved), part
    # Statistics of the pretraining stay.
    assert not any("running_" in name for name in moved)
    assert state["average"]["n_averaged"] == 4
