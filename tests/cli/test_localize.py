"""What `avloc localize` asks of the library and makes of its answers, with a library of straw."""

import json
from pathlib import Path

import numpy as np
import pytest

from avloc.cli import localize
from avloc.errors import MediaError
from avloc.types import Heatmap, Localization


class Straw:
    """Writes one byte for each output and remembers what it was asked for."""

    id = "straw"

    def __init__(self) -> None:
        self.asked: list[tuple[Path, dict, dict]] = []

    def localize(self, source, outputs, progress, **settings) -> Localization:
        self.asked.append((source, dict(outputs), settings))
        progress(0.5, 1.0)
        if "broken" in source.name:
            raise MediaError(f"{source}: not a media file")
        for path in outputs.values():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"x")
        maps = (Heatmap(np.eye(3, dtype=np.float32), 0.0, 0.7),)
        partial = "cut" in source.name
        status, lost = ("partial", 3.25) if partial else ("complete", 0.0)
        notes = ("the sound is silent",) if "quiet" in source.name else ()
        return Localization(str(source), maps, 5.0, 4, 4, 1.0, self.id, {}, status, lost, notes)


@pytest.fixture
def straw(monkeypatch, tmp_path) -> Straw:
    library = Straw()
    monkeypatch.setattr(localize, "_load", lambda *_: library)
    monkeypatch.chdir(tmp_path)
    for name in ["a.mp4", "broken.mp4", "cut.mp4", "quiet.mp4", "sub/a.mp4"]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"film")
    return library


def test_one_clip(straw, avloc):
    code, out, err = avloc("localize", "a.mp4")
    assert (code, out) == (0, [])
    assert len(err) == 1
    assert err[0].startswith("a.mp4 -> a.avloc.mp4 (1.0 s of video in ")
    assert Path("a.avloc.json").exists()


def test_the_options_reach_the_library(straw, avloc):
    words = (
        "localize a.mp4 --fps 12.5 --start 0:01 --end 5 --no-audio --codec av1 --rotation keep "
        "--alpha 0.3 --colormap turbo --no-contour --box --peak --side-by-side --strip --legend "
        "--no-tags --audio-track 1 --save csv,gif -o out"
    )
    assert avloc(*words.split())[0] == 0
    ((source, outputs, settings),) = straw.asked
    assert source == Path("a.mp4")
    assert outputs == {"csv": Path("out/a.avloc.csv"), "gif": Path("out/a.avloc.gif")}
    assert (settings["fps"], settings["start"], settings["end"]) == (12.5, 1.0, 5.0)
    assert (settings["codec"], settings["rotation"]) == ("av1", "keep")
    assert (settings["audio_track"], settings["use_audio"]) == (1, False)
    style = settings["style"]
    assert (style.alpha, style.colormap) == (0.3, "turbo")
    on = {"contour", "box", "peak", "side_by_side", "strip", "legend", "tags"}
    assert {name for name in on if getattr(style, name)} == on - {"contour", "tags"}


def test_an_existing_result_is_skipped_with_a_notice(straw, avloc):
    avloc("localize", "a.mp4")
    code, _, err = avloc("localize", "a.mp4")
    assert code == 0
    assert "a.avloc.mp4 and a.avloc.json exist, skipped; --overwrite renews" in err[0]
    assert len(straw.asked) == 1
    assert avloc("localize", "a.mp4", "--overwrite")[0] == 0
    assert len(straw.asked) == 2


def test_only_what_is_missing_is_made(straw, avloc):
    avloc("localize", "a.mp4")
    avloc("localize", "a.mp4", "--save", "video,csv")
    assert list(straw.asked[1][1]) == ["csv"]


def test_a_failure_leaves_the_rest_done(straw, avloc):
    code, _, err = avloc("localize", "broken.mp4", "none.mp4", "a.mp4")
    assert code == 1
    assert err[0] == "none.mp4: no such file; check the path"
    assert err[1] == "broken.mp4: not a media file"
    assert err[2].startswith("a.mp4 -> ")
    assert err[3] == "3 inputs: 1 complete, 2 failed"


def test_a_broken_off_clip_is_told_and_ends_with_1(straw, avloc):
    code, _, err = avloc("localize", "cut.mp4")
    assert code == 1
    assert err[1] == "cut.mp4: partial, 3.2 s could not be read"
    assert Path("cut.avloc.mp4").exists()


def test_notes_are_told(straw, avloc):
    code, _, err = avloc("localize", "quiet.mp4")
    assert code == 0
    assert err[1] == "quiet.mp4: the sound is silent"


def test_json_is_one_object_an_input_and_nothing_else(straw, avloc):
    avloc("localize", "quiet.mp4")
    names = ["a.mp4", "broken.mp4", "cut.mp4", "none.mp4", "quiet.mp4"]
    code, out, err = avloc("localize", *names, "--json")
    assert code == 1
    said = {record["source"]: record for record in map(json.loads, out)}
    assert {name: said[name]["status"] for name in names} == {
        "a.mp4": "complete",
        "broken.mp4": "failed",
        "cut.mp4": "partial",
        "none.mp4": "failed",
        "quiet.mp4": "skipped",
    }
    assert said["a.mp4"]["outputs"]["video"] == "a.avloc.mp4"
    assert said["a.mp4"]["heatmaps"][0]["confidence"] == 0.7
    assert said["cut.mp4"]["lost_seconds"] == 3.25
    assert said["broken.mp4"]["error"] == "broken.mp4: not a media file"
    assert err


def test_a_folder_twice_makes_nothing_new(straw, avloc):
    avloc("localize", ".")
    count = len(straw.asked)
    code, _, err = avloc("localize", ".")
    assert code == 1  # broken.mp4 is still broken
    assert len(straw.asked) == count + 1
    assert err[-1] == "5 inputs: 4 skipped, 1 failed"


def test_a_shell_that_names_the_results_too(straw, avloc):
    avloc("localize", "a.mp4")
    _, _, err = avloc("localize", "a.avloc.mp4", "a.mp4", "--overwrite")
    assert err[0] == "a.avloc.mp4: a result of another input, left out"
    assert len(straw.asked) == 2


def test_quiet_says_nothing_of_success(straw, avloc):
    assert avloc("localize", "a.mp4", "quiet.mp4", "-q") == (0, [], [])


def test_ctrl_c_ends_with_130(straw, avloc, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(straw, "localize", interrupted)
    code, _, err = avloc("localize", "a.mp4", "sub/a.mp4")
    assert code == 130
    assert err == ["avloc: interrupted"]
