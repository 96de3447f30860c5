"""The newcomer's two commands, and what people try next, with the bundled weights."""

import json

import av
import numpy as np
import pytest


@pytest.fixture
def demo(avloc, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    small = ["--seconds", "1.2", "--size", "160x96", "--fps", "10"]
    assert avloc("synth", "demo.mp4", *small, "-q")[0] == 0
    return tmp_path / "demo.mp4"


def test_synth_then_localize(avloc, demo):
    code, out, err = avloc("localize", "demo.mp4")
    assert (code, out, len(err)) == (0, [], 1)
    with av.open("demo.avloc.mp4") as file, av.open("demo.mp4") as source:
        assert (file.streams.video[0].width, file.streams.video[0].height) == (160, 96)
        frames = [frame.time for frame in file.decode(video=0)]
        assert frames == pytest.approx([frame.time for frame in source.decode(video=0)], abs=1e-3)
        assert (
            file.streams.audio[0].codec_context.name == source.streams.audio[0].codec_context.name
        )
    known = json.loads(demo.with_name("demo.avloc.json").read_text("utf-8"))
    assert [row["time"] for row in known["heatmaps"]] == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1.0])
    assert known["status"] == "complete"


def test_every_output(avloc, demo):
    assert avloc("localize", "demo.mp4", "--save", "csv,npz,frames,gif", "--fps", "2.5")[0] == 0
    with np.load("demo.avloc.npz") as saved:
        assert len(saved["times"]) == len(saved["heatmaps"]) == 3
    assert len(list(demo.parent.glob("demo.avloc.frames/*.png"))) == 3
    assert len(demo.with_name("demo.avloc.csv").read_text("utf-8").splitlines()) == 4
    with av.open("demo.avloc.gif") as file:
        assert len(list(file.decode(video=0))) == 3


def test_a_container_that_does_not_hold_the_codec(avloc, demo):
    code, _, err = avloc("localize", "demo.mp4", "-o", "heat.webm", "--codec", "h264")
    assert code == 2
    assert "does not hold h264; use vp9 or av1" in err[0]


def test_an_output_folder_that_cannot_be(avloc, demo):
    code, _, err = avloc("localize", "demo.mp4", "-o", "demo.json/results")
    assert (code, len(err)) == (1, 1)
    assert "cannot be written" in err[0]


@pytest.mark.parametrize("content", [b"", b"no film at all\n" * 40])
def test_what_is_no_media_is_one_line_and_1(avloc, tmp_path, content):
    path = tmp_path / "film.mp4"
    path.write_bytes(content)
    code, _, err = avloc("localize", path)
    assert (code, len(err)) == (1, 1)
    assert str(path) in err[0]
    assert list(tmp_path.iterdir()) == [path]


def test_a_device_that_is_not_there(avloc, demo):
    code, _, err = avloc("localize", "demo.mp4", "-d", "cuda:99")
    assert (code, len(err)) == (3, 1)
    assert avloc("localize", "demo.mp4", "-d", "abacus")[0] == 2


def test_a_model_that_is_not_there(avloc, demo):
    code, _, err = avloc("localize", "demo.mp4", "--model", "nobody")
    assert (code, len(err)) == (2, 1)


def test_a_clip_that_breaks_off(avloc, demo, make_clip):
    """What is there is localized and stands under its final name; the exit code tells the rest."""
    rate = 16000
    wave = np.sin(np.arange(3 * rate) / 9).astype(np.float32)
    path = make_clip(
        demo.with_name("cut.mp4"),
        ticks=range(0, 3000, 40),
        sounds=[{"wave": wave, "rate": rate}],
        container_options={"movflags": "faststart"},
    )
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])
    code, _, err = avloc("localize", "cut.mp4", "demo.mp4")
    assert code == 1
    assert err[1].startswith("cut.mp4: partial, ")
    assert err[-1] == "2 inputs: 1 complete, 1 partial"
    told = json.loads(demo.with_name("cut.avloc.json").read_text("utf-8"))
    assert told["status"] == "partial"
    assert 0.3 < told["lost_seconds"] < 2.7
    with av.open("cut.avloc.mp4") as file:
        frames = len(list(file.decode(video=0)))
    # The last frames that depend on later ones may lack without a gap that could be told.
    assert frames == pytest.approx((3 - told["lost_seconds"]) * 25, abs=4)


def test_no_sound_track_is_one_line_that_names_the_way_out(avloc, demo, make_clip):
    make_clip(demo.with_name("mute.mp4"))
    code, _, err = avloc("localize", "mute.mp4")
    assert (code, len(err)) == (1, 1)
    assert "--no-audio" in err[0]
    assert not demo.with_name("mute.avloc.mp4").exists()
    assert avloc("localize", "mute.mp4", "--no-audio")[0] == 0
    assert demo.with_name("mute.avloc.mp4").exists()
