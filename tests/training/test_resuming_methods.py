"""Runs that stop and go on: the numbers are those of a run that never stopped."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
import torch
import yaml

from avloc.errors import TrainingError, UsageError
from avloc.training.recipe import resolved
from avloc.training.train import train

CPU = torch.device("cpu")
OF_TIME = ("clips_per_second",)


class Stop(Exception):
    """What goes wrong."""


def rows(folder):
    found = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [{k: v for k, v in row.items() if k not in OF_TIME} for row in found]


def same_state(one, other):
    states = [torch.load(f / "last.pt", weights_only=True) for f in (one, other)]
    assert states[0]["step"] == states[1]["step"]
    for part in ("pairing", "average"):
        if states[0][part] is None:
            assert states[1][part] is None
            continue
        for name, tensor in states[0][part].items():
            assert torch.equal(tensor, states[1][part][name]), f"{part}.{name}"


@pytest.mark.parametrize(
    "over",
    [
        {},
        {"network": {"dropout": 0.5}, "loop": {"average": 0.9, "accumulate": 2}},
        {
            "network": {"projections": 2, "dropout": 0.5},
            "objectives": {"ezvsl": None, "slavc": {}},
            "loop": {"teacher": 0.99},
        },
        {"optimiser": {"warmup": 2, "schedule": "cosine", "clip": 1.0, "name": "sgd"}},
    ],
    ids=["plain", "dropout, average, accumulated", "teacher", "schedule"],
)
def test_a_resumed_run_equals_an_uninterrupted_one(over, small, clips, tmp_path):
    more = {
        "optimiser": {"steps": 5, **over.get("optimiser", {})},
        "loop": {"save_every": 2, **over.get("loop", {})},
        "data": {"validation": "watched.jsonl", "augment": "ezvsl"},
        "validation": {"steps": 2},
    }
    recipe = small(**{**over, **more})
    train(recipe, clips, tmp_path / "whole", CPU)

    def stop(step, row):
        if step == 3:
            raise Stop

    with pytest.raises(Stop):
        train(recipe, clips, tmp_path / "broken", CPU, watchers=[stop])
    with pytest.raises(UsageError, match="holds a run already"):
        train(recipe, clips, tmp_path / "broken", CPU)
    train(recipe, clips, tmp_path / "broken", CPU, resume=True)
    assert rows(tmp_path / "whole") == rows(tmp_path / "broken")
    same_state(tmp_path / "whole", tmp_path / "broken")
    best = [(tmp_path / name / "best.safetensors").read_bytes() for name in ("whole", "broken")]
    assert best[0] == best[1]


def started(recipe, clips, folder, *more):
    path = folder.parent / f"{folder.name}.yaml"
    path.write_text(yaml.safe_dump(resolved(recipe)))
    words = ["train", str(path), "--data", str(clips), "-o", str(folder), "--device", "cpu", *more]
    return subprocess.Popen(
        [sys.executable, "-m", "avloc", *words],
        stderr=subprocess.PIPE,
        start_new_session=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        text=True,
    )


def wait_for(path, text):
    until = time.monotonic() + 120
    while not (path.exists() and text in path.read_text()):
        assert time.monotonic() < until
        time.sleep(0.02)


def test_killed_and_terminated_runs_go_on(small, clips, tmp_path):
    recipe = small(
        optimiser={"steps": 60}, loop={"save_every": 7}, data={"workers": 2, "augment": "ezvsl"}
    )
    train(recipe, clips, tmp_path / "whole", CPU)
    folder = tmp_path / "stopped"
    killed = started(recipe, clips, folder)
    wait_for(folder / "log.jsonl", '"step": 17')
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    ended = started(recipe, clips, folder, "--resume")
    wait_for(folder / "log.jsonl", '"step": 25')
    # As torchrun and schedulers do it: readers hear of it, too.
    os.killpg(ended.pid, signal.SIGTERM)
    ended.communicate()
    assert ended.returncode == 143
    state = torch.load(folder / "last.pt", weights_only=True)
    assert state["step"] == rows(folder)[-1]["step"] < 60
    last = started(recipe, clips, folder, "--resume")
    assert last.communicate() is not None
    assert last.returncode == 0
    assert rows(folder) == rows(tmp_path / "whole")
    same_state(tmp_path / "whole", folder)


def test_readers_do_not_outlive_an_error(small, clips, tmp_path):
    recipe = small(optimiser={"steps": 90, "tuning": {"rate": 1e30}}, data={"workers": 2})
    process = started(recipe, clips, tmp_path / "run")
    _, told = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "the loss is" in told


def test_another_recipe_is_refused(small, clips, tmp_path):
    train(small(optimiser={"steps": 1}), clips, tmp_path / "run", CPU)
    before = {path: path.read_bytes() for path in (tmp_path / "run").iterdir()}
    other = small(optimiser={"steps": 2})
    with pytest.raises(UsageError, match=r"optimiser\.steps = 1, the recipe 2"):
        train(other, clips, tmp_path / "run", CPU, resume=True)
    other = small(objectives={"ezvsl": None, "infonce": {}}, optimiser={"steps": 1})
    with pytest.raises(UsageError, match="ezvsl"):
        train(other, clips, tmp_path / "run", CPU, resume=True)
    assert {path: path.read_bytes() for path in (tmp_path / "run").iterdir()} == before
    # What no number depends on may change.
    free = small(optimiser={"steps": 1}, loop={"save_every": 1}, data={"workers": 1})
    train(free, clips, tmp_path / "run", CPU, resume=True)


def test_a_disk_that_is_full_leaves_the_old_state(small, clips, tmp_path, monkeypatch):
    recipe = small(optimiser={"steps": 4}, loop={"save_every": 2})
    save = torch.save

    def full(state, file):
        if state["step"] == 4:
            file.write(b"some")
            raise OSError(28, "No space left on device")
        save(state, file)

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(TrainingError, match=r"last\.pt: not saved.*No space left"):
        train(recipe, clips, tmp_path / "run", CPU)
    assert torch.load(tmp_path / "run" / "last.pt", weights_only=True)["step"] == 2
    assert not list((tmp_path / "run").glob(".*"))
    monkeypatch.undo()
    train(recipe, clips, tmp_path / "run", CPU, resume=True)
