"""`avloc contamination` from lists to lines and JSON."""

import json

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def made(tmp_path):
    """Training of three clips; a test with one of them, a piece of another, and a copy."""
    (tmp_path / "train.txt").write_text("aaaaaaaaaaa_000010\nbbbbbbbbbbb_000020\nccc\n")
    names = ["aaaaaaaaaaa_10000_20000", "bbbbbbbbbbb_000050", "copy", "new"]
    rows = [{"id": name, "boxes": [[0, 0, 1, 1]]} for name in names]
    for number, path in enumerate(("train/ccc.png", "test/copy.jpg", "test/new.jpg")):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        coarse = np.random.default_rng(number // 2).integers(0, 256, (9, 12, 3), np.uint8)
        size = (160 - 40 * number, 120)
        Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC).save(tmp_path / path)
    (tmp_path / "test/list.json").write_text(json.dumps(rows))
    return tmp_path


def test_names_alone(avloc, made):
    code, out, err = avloc("contamination", made / "train.txt", made / "test/list.json")
    assert (code, err) == (0, [])
    assert out == [
        f"list: 4 clips; {made}/train.txt: 3 clips",
        "     1 ( 25.0%) stand in both, by name",
        "     1 ( 25.0%) are other pieces of videos that training has",
        "contents were not compared; name media with --trained-media and --data",
    ]


def test_contents_too(avloc, made):
    words = ("contamination", made / "train.txt", made / "test/list.json", "--data", made / "test")
    words += ("--trained-media", made / "train")
    code, out, _ = avloc(*words, "-v")
    assert code == 0
    assert "  aaaaaaaaaaa_000010" in out
    assert "     1 ( 25.0%) look like a training clip of another name" in out
    assert any(line.startswith("  copy = ccc (") for line in out)
    code, out, err = avloc(*words, "--json", made / "found.json", "-q")
    assert (code, err) == (0, [])
    found = json.loads((made / "found.json").read_text())
    assert found["seen"] == ["aaaaaaaaaaa_000010", "copy"]
    assert found["videos"] == ["bbbbbbbbbbb_000050"]
    code, out, _ = avloc(*words, "--json", "-")
    assert json.loads(out[0]) == found


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("none.txt", "list"), "none.txt: no such list"),
        (("train.txt", "--trained-media", "train", "list"), "name the folder of the test's media"),
        (("train.txt", "--trained-media", "none", "--data", "test", "list"), "no such folder"),
    ],
)
def test_what_cannot_be_compared_is_told_in_one_line(avloc, made, monkeypatch, words, told):
    monkeypatch.chdir(made)
    words = [str(made / "test/list.json") if word == "list" else word for word in words]
    code, out, err = avloc("contamination", *words)
    assert code in (1, 2)
    assert out == []
    assert len(err) == 1
    assert told in err[0]
