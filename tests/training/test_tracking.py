"""Runs as TensorBoard and trackio are told of them."""

import sys
from types import SimpleNamespace

import pytest
import torch

from avloc.errors import EnvironmentProblem
from avloc.training.recipe import resolved
from avloc.training.tracking import TRACKERS, flat
from avloc.training.train import train

ROW = {"loss": 2.0, "validation": {"ciou": 0.5, "none": None}, "steps": 3, "name": "x"}


def test_flat():
    assert flat(ROW) == {"loss": 2.0, "validation/ciou": 0.5, "steps": 3.0}


def test_tensorboard(small, clips, tmp_path):
    events = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    recipe = small(
        optimiser={"steps": 2}, data={"validation": "watched.jsonl"}, validation={"steps": 2}
    )
    folder = tmp_path / "run"
    watch = TRACKERS["tensorboard"]("run", folder, resolved(recipe))
    losses = []

    def note(step, row):
        if "loss" in row:
            losses.append(row["loss"])

    train(recipe, clips, folder, torch.device("cpu"), watchers=[watch, note])
    read = events.EventAccumulator(str(folder / "tensorboard"))
    read.Reload()
    found = [(event.step, event.value) for event in read.Scalars("loss")]
    assert [step for step, _ in found] == [1, 2]
    assert [value for _, value in found] == pytest.approx(losses)
    assert read.Scalars("validation/true_size_mean")[0].step == 2


def test_trackio(monkeypatch, tmp_path):
    told = []
    run = SimpleNamespace(log=lambda values, step: told.append((step, values)))
    fake = SimpleNamespace(init=lambda **words: told.append(words) or run)
    monkeypatch.setitem(sys.modules, "trackio", fake)
    watch = TRACKERS["trackio"]("name", tmp_path / "folder", {"seed": 1})
    watch(7, ROW)
    assert told[0] == {"project": "avloc", "name": "name-folder", "config": {"seed": 1}}
    assert told[1] == (7, flat(ROW))


@pytest.mark.parametrize("name", TRACKERS)
def test_what_is_not_installed(name, monkeypatch, tmp_path):
    missing = {"tensorboard": "torch.utils.tensorboard", "trackio": "trackio"}
    monkeypatch.setitem(sys.modules, missing[name], None)
    with pytest.raises(
        EnvironmentProblem, match=rf"--track {name}: .*pip install 'avloc\[track\]'"
    ):
        TRACKERS[name]("name", tmp_path, {})
