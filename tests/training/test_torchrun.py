"""Runs that torchrun starts: as one process, and with another number of processes than before."""

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


def test_two_processes_and_a_change_to_two(recipe, clips, tmp_path):
    train(recipe, clips, tmp_path / "one", CPU)

    def stop(step, row):
        if step == 3:
            raise Stop

    with pytest.raises(Stop):
        train(recipe, clips, tmp_path / "change", CPU, watchers=[stop])
    for name, words in (("two", []), ("change", ["--resume"])):
        done = torchrun(recipe, clips, tmp_path / name, *words)
        assert done.returncode == 0, done.stderr
        for found, wanted in zip(losses(tmp_path / name), losses(tmp_path / "one"), strict=True):
            assert found == pytest.approx(wanted, rel=1e-4)
        assert (tmp_path / name / "best.safetensors").is_file()
        # Only the first process tells.
        assert done.stderr.count("weights:") == 1


def test_a_batch_that_cannot_be_shared(small, clips, tmp_path):
    done = torchrun(small(optimiser={"batch": 3}), clips, tmp_path / "odd")
    assert done.returncode != 0
    assert "a batch of 3 cannot be split over 2 processes; take a multiple of 2" in done.stderr
