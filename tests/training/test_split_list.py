"""Lists taken apart: no video of a test in either part, no video in both."""

import runpy
import sys
from pathlib import Path

import pytest

from avloc.errors import DataError

TOOL = Path(__file__).parents[2] / "tools" / "split_list.py"
NAMES = [f"video{number:06d}_{second:06d}" for number in range(40) for second in (10, 70)]


@pytest.fixture(scope="module")
def split():
    return runpy.run_path(str(TOOL))["split"]


def videos(names):
    return {name[:11] for name in names}


def test_parts_share_no_video(split):
    train, held = split(NAMES, ["video000003_000500"], 9)
    assert videos(train) | videos(held) == videos(NAMES) - {"video000003"}
    assert not videos(train) & videos(held)
    assert len(held) == 10  # whole videos
    assert train == [name for name in NAMES if name in set(train)]


def test_lists_that_overlap_agree(split):
    train, held = split(NAMES, [], 10)
    fewer, held_of_fewer = split([name for name in NAMES if name != train[0]], [], 10)
    assert held == held_of_fewer
    assert fewer == train[1:]


def test_nothing_left(split):
    with pytest.raises(DataError, match="leave none to train on"):
        split(NAMES[:4], [], 4)


def test_both_spellings_of_an_id(tmp_path, monkeypatch, capsys):
    source, tests = tmp_path / "all.txt", tmp_path / "test.csv"
    source.write_text("abcdefghijk_30000_40000\nABCDEFGHIJK_000030\nlmnopqrstuv_000010\n")
    tests.write_text("lmnopqrstuv_000090,dog\n")
    words = [source, tmp_path / "mine", "--without", tests, "--validation", "1"]
    monkeypatch.setattr(sys, "argv", [str(TOOL), *map(str, words)])
    runpy.run_path(str(TOOL), run_name="__main__")
    found = [(tmp_path / f"mine.{kind}.txt").read_text() for kind in ("train", "validation")]
    assert sorted(found) == ["ABCDEFGHIJK_000030\n", "abcdefghijk_000030\n"]
    assert "left out: 1 clips" in capsys.readouterr().out
