"""Lists of frames of videos, as the card of the data set describes AVATAR."""

import numpy as np
import pytest

from avloc.data.benchmarks import read_benchmark
from avloc.errors import DataError


def frame(number, *annotations, **more):
    parts = [
        {"bbox": box, "audio_visual_category": label, "scenario": scenario}
        for box, label, scenario in annotations
    ]
    size = {"width": 640, "height": 360, "fps": 25}
    return {"video_id": "v_000030", "frame_number": number, "annotations": parts, **size, **more}


FRAMES = [
    frame(50, ([64, 36, 128, 90], "dog", "Single-sound")),
    frame(75, ([0, 0, 10, 10], "dog", "Mixed-sound"), ([20, 0, 10, 10], "man", "Mixed-sound")),
    frame(100, (None, "car", "Off-screen")),
]


def test_frames_are_items_with_a_scenario(write):
    found = read_benchmark(write("made.json", FRAMES))
    assert found.name == "avatar"
    assert [item.id for item in found.items] == ["v_000030@50", "v_000030@75", "v_000030@100"]
    first, mixed, off = found.items
    np.testing.assert_array_equal(first.boxes, [[64, 36, 192, 126]])
    assert first.scale == (640, 360)
    assert (first.kind, first.label, first.time) == ("Single-sound", "dog", 2.0)
    assert (mixed.kind, mixed.label, len(mixed.boxes)) == ("Mixed-sound", "dog, man", 2)
    assert (off.kind, off.sounds, len(off.boxes)) == ("Off-screen", False, 0)
    assert found.problems == ()


def test_a_folder_has_a_file_a_video_or_a_frame(write):
    write("metadata/v1/0.json", FRAMES[0])
    folder = write("metadata/v2.json", FRAMES[1:]).parent.parent
    found = read_benchmark("avatar", folder)
    assert len(found.items) == 3
    assert found.source == (folder / "metadata",)


def test_what_is_malformed_is_told(write, told):
    frames = [
        frame(1, ([0, 0, 10], "dog", "Single-sound")),
        frame(1, ([630, 0, 20, 10], "dog", "Single-sound")),
        frame(2, ([0, 0, 20, 10], "dog", "Off-screen")),
    ]
    assert told(read_benchmark("avatar", write("made.json", frames))) == [
        ("v_000030@1", "box 1 is not four numbers: [0, 0, 10]; it is left out"),
        ("v_000030@2", "Off-screen with a box, which is left out: [0, 0, 20, 10]"),
        ("v_000030@1", "no truth: nothing in the picture is marked"),
        ("v_000030@1", "the id stands again; that row is read as 'v_000030@1 (2)'"),
        ("v_000030@1 (2)", "box 1 leaves the picture: [630, 0, 650, 10]"),
    ]


def test_no_frames_are_refused(write, tmp_path):
    with pytest.raises(DataError, match="no JSON file there"):
        read_benchmark("avatar", tmp_path)
    with pytest.raises(DataError, match="lacks the key 'frame_number'"):
        read_benchmark("avatar", write("a.json", {"video_id": "v"}))


def test_numbers_that_cannot_be_are_told(write, told):
    more = {"width": -4, "height": "x", "fps": 0, "time": float("nan")}
    found = read_benchmark("avatar", write("a.json", frame(1, ([0, 0, 1, 1], None, None), **more)))
    (item,) = found.items
    assert (item.scale, item.time, item.label, item.kind) == ((1, 1), None, "", "")
    assert [what.split()[0] for _, what in told(found)] == ["width", "height", "fps", "time"]
