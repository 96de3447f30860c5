"""A run that one process began and two go on with, as torchrun starts them."""

import json
import os
import subprocess
import sys

import pytest
import torch
import yaml

from avloc.training.recipe import resolved
from avloc.training.train import train

CPU = torch.device("cpu")
FROZEN = {"image": {"norms": "frozen"}, "sound": {"norms": "frozen"}}


class Stop(Exception):
    """What goes wrong."""


def losses(folder):
    rows = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [row["loss"] for row in rows if "loss" in row], [
        row["validation"]["true_size_mean"] for row in rows if "validation" in row
    ]


def torchrun(recipe, clips, folder, *more):
    path = folder.parent / f"{folder.name}.yaml"
    path.write_text(yaml.safe_dump(resolved(recipe)))
    words = ["train", str(path), "--data", str(clips), "-o", str(folder), "--device", "cpu", *more]
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    return subprocess.run(
        [*launcher, "--nproc-per-node", "2", "--no-python", sys.executable, "-m", "avloc", *words],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def recipe(small):
    # Batch statistics are those of each process on CPUs; without them nothing depends on how many
    # there are but the order of sums.
    return small(
        towers=FROZEN,
        optimiser={"steps": 4, "tuning": {"rate": 1e-3}},
        loop={"save_every": 2},
        data={"validation": "watched.jsonl", "augment": "ezvsl"},
        validation={"steps": 2},
    )


def test_one_process_and_then_two(recipe, clips, tmp_path):
    train(recipe, clips, tmp_path / "one", CPU)

    def stop(step, row):
        if step == 3:
            raise Stop

    folder = tmp_path / "change"
    with pytest.raises(Stop):
        train(recipe, clips, folder, CPU, watchers=[stop])
    done = torchrun(recipe, clips, folder, "--resume")
    assert done.returncode == 0, done.stderr
    for found, wanted in zip(losses(folder), losses(tmp_path / "one"), strict=True):
        assert len(found) == len(wanted)
        assert found == pytest.approx(wanted, rel=1e-4)
    assert (folder / "best.safetensors").is_file()
    # Only the first process tells.
    assert done.stderr.count("weights:") == 1
