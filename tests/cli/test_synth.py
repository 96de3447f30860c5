import json

import av
import pytest

SMALL = ["--seconds", "0.4", "--size", "64x48", "--fps", "10"]


def test_a_scene_and_its_truth(avloc, tmp_path):
    video, truth = tmp_path / "scene.mp4", tmp_path / "scene.json"
    code, out, err = avloc("synth", video, "--objects", "2", "--seed", "3", *SMALL)
    assert (code, out, len(err)) == (0, [], 1)
    known = json.loads(truth.read_text("utf-8"))
    assert len(known["objects"]) == 2
    assert (known["width"], known["height"], known["fps"]) == (64, 48, 10)
    with av.open(str(video)) as file:
        assert (file.streams.video[0].width, file.streams.video[0].frames) == (64, 4)
        assert len(file.streams.audio) == 1


def test_a_scene_that_exists_is_left_alone(avloc, tmp_path):
    video = tmp_path / "scene.mp4"
    video.write_bytes(b"mine")
    code, out, err = avloc("synth", video, *SMALL, "--json")
    assert code == 0
    assert "skipped; --overwrite renews" in err[0]
    assert json.loads(out[0])["status"] == "skipped"
    assert video.read_bytes() == b"mine"
    assert avloc("synth", video, *SMALL, "--overwrite", "-q") == (0, [], [])
    assert video.read_bytes() != b"mine"


def test_turns(avloc, tmp_path):
    avloc("synth", tmp_path / "scene.mp4", "--turns", *SMALL)
    assert len(json.loads((tmp_path / "scene.json").read_text("utf-8"))["objects"]) == 2


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--size", "640"], "--size '640' is not a size"),
        (["--objects", "0"], "0 objects"),
        (["--seconds", "-1"], "-1.0 seconds"),
        (["--seconds", "nan"], "nan seconds"),
        (["--fps", "0"], "0.0 frames a second"),
        (["--turns", "--objects", "2"], "leave --objects"),
        (["--objects", "2", "--sounding", "3"], "3 of 2 objects"),
    ],
)
def test_what_makes_no_scene_is_one_line_and_2(avloc, tmp_path, words, told):
    code, out, err = avloc("synth", tmp_path / "scene.mp4", *words)
    assert (code, out, len(err)) == (2, [], 1)
    assert told in err[0]
    assert list(tmp_path.iterdir()) == []
