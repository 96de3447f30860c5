"""The page for newcomers: what it says to do is done, on a few small videos."""

import json
import re
import runpy
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest

from avloc.cli.app import main
from avloc.objectives import OBJECTIVES

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "training.md").read_text("utf-8")
FENCE = re.compile(r"<!-- (?P<name>\S+) -->\n```\w+\n(?P<text>.*?)```", re.DOTALL)

SMALLER = [
    *("network.image=timm:test_resnet", "network.sound=timm:test_resnet", "network.side=64"),
    *("network.channels=16", "towers.image.weights=", "data.workers=0"),
    *("optimiser.batch=4", "optimiser.epochs=1", "validation.items=2", "loop.precision=float32"),
]
"""What a run of the page's recipe is told besides, so that it takes a moment."""


def blocks(name):
    return [found["text"] for found in FENCE.finditer(PAGE) if found["name"] == name]


@pytest.fixture
def place(make_clip, tone, tmp_path, monkeypatch):
    """A folder with the repository's recipes and tools, and six videos."""
    for name in ("recipes", "tools"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "videos").mkdir()
    for number, name in enumerate(("clip", "a", "b", "c", "d", "e")):
        sound = {"wave": tone(3.0, 16_000, 300.0 + 200 * number), "rate": 16_000}
        make_clip(tmp_path / "videos" / f"{name}.mp4", ticks=range(0, 3000, 200), sounds=[sound])
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(line, monkeypatch):
    words = shlex.split(line)
    if words[:2] == ["avloc", "train"]:
        words[3:3] = SMALLER
    monkeypatch.setattr(sys, "argv", words[words[0] == "python" :])
    if words[0] == "python":
        sys.argv[sys.argv.index("50")] = "2"
        runpy.run_path(words[1], run_name="__main__")
        return 0
    with pytest.raises(SystemExit) as end:
        main()
    return end.value.code


def test_from_a_folder_of_videos_to_a_heatmap(place, monkeypatch, capsys):
    (place / "mine.yaml").write_text(*blocks("mine.yaml"))
    (place / "videos" / "benchmark.json").write_text(*blocks("benchmark.json"))
    lines = [line for block in blocks("tried") for line in block.splitlines()]
    assert len(lines) == 6
    for line in lines:
        assert run(line, monkeypatch) == 0, f"{line}: {capsys.readouterr().err}"
    names = [
        (place / f"videos/mine.{kind}.txt").read_text().split() for kind in ("train", "validation")
    ]
    assert sorted([*names[0], *names[1]]) == ["a", "b", "c", "clip", "d", "e"]
    assert len(names[1]) == 2
    steps = [json.loads(row) for row in (place / "runs/mine/log.jsonl").read_text().splitlines()]
    assert "retrieval" in steps[-1]["validation"]
    assert (place / "clip.mp4").stat().st_size > 0


def test_the_new_objective(monkeypatch):
    """With one cell it is EZ-VSL's."""
    import torch

    from avloc.objectives import Correspondence
    from avloc.options import configured

    monkeypatch.setattr(OBJECTIVES, "_entries", dict(OBJECTIVES._entries))
    exec(compile(*blocks("objective"), "page", "exec"), {"__name__": "page"})
    maps = torch.from_numpy(np.random.default_rng(0).uniform(-1, 1, (3, 3, 4, 4)))
    one = configured(OBJECTIVES, "brightest", cells=1)(Correspondence(maps)).total
    torch.testing.assert_close(one, configured(OBJECTIVES, "ezvsl")(Correspondence(maps)).total)
    few = configured(OBJECTIVES, "brightest", cells=4)(Correspondence(maps)).total
    assert abs(few - one) > 0.1
