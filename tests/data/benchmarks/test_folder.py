"""A list of one's own."""

import numpy as np
import pytest

from avloc.data.benchmarks import read_benchmark
from avloc.errors import DataError

ROW = {
    "id": "a",
    "frame": "a.jpg",
    "sound": "a.wav",
    "boxes": [[0.1, 0.2, 0.5, 1.0002]],
    "label": "dog",
    "clip_time": 5.3,
    "sound_start": 2.8,
}


def test_rows_become_items(write, told):
    write("a.jpg", "")
    rows = [
        ROW,
        {"id": "b", "boxes": [[1, 2, 30, 40]], "scale": [64, 48], "votes": [2], "group": "g"},
    ]
    found = read_benchmark(write("benchmark.json", rows).parent)
    first, second = found.items
    assert found.name == "benchmark"
    np.testing.assert_array_equal(first.boxes, ROW["boxes"])
    assert first.time == pytest.approx(2.5)
    assert (first.moment, second.moment) == (5.3, None)
    assert first.media == {"frame": "a.jpg", "sound": "a.wav"}
    assert (second.scale, list(second.votes), second.group) == ((64, 48), [2], "g")
    assert [what.split(":")[0].split(" /")[0] for _, what in told(found)] == [
        "no sound",
        "box 1 leaves the picture",
    ]


def test_invisible_sources_are_negatives(write, told):
    rows = [
        {"id": "a", "boxes": []},
        {"id": "b", "boxes": [], "visible": True},
        {"id": "c", "boxes": [[0, 0, 1, 1]], "visible": False},
    ]
    found = read_benchmark(write("any.json", rows))
    assert [item.sounds for item in found.items] == [False, True, False]
    assert told(found) == [
        ("b", "no truth: nothing in the picture is marked"),
        ("c", "boxes although no source is visible"),
    ]


def test_unscored_rows_are_read_on_demand(write):
    rows = [
        {"id": "a", "boxes": [[0, 0, 1, 1]], "scored": True},
        {"id": "b", "boxes": [[0, 0, 1, 1]], "scored": False},
        {"id": "c", "boxes": [], "scored": False, "visible": False},
    ]
    path = write("any.json", rows)
    assert [item.id for item in read_benchmark(path).items] == ["a", "c"]
    assert len(read_benchmark(path, unscored=True).items) == 3


def test_a_mask_is_truth_enough(write, told):
    mask = write("m.png", "any")
    found = read_benchmark(
        write("x.json", [{"id": "a", "mask": "m.png"}, {"id": "b", "mask": "n.png"}])
    )
    assert [item.mask for item in found.items] == [mask, None]
    assert [name for name, _ in told(found)] == ["b"]


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ({"boxes": []}, "lacks the key 'id'"),
        ({"id": "a", "boxes": [], "scale": [1]}, "'scale': expected"),
        ({"id": "a", "boxes": [], "time": "soon"}, "'time': expected seconds"),
        ({"id": "a", "boxes": [], "visible": 1}, "'visible': expected true or false"),
        ({"id": "a", "boxes": [], "scale": [float("inf"), 1]}, "'scale': expected"),
        ({"id": "a", "boxes": [], "scale": [True, 1]}, "'scale': expected"),
        ({"id": "a", "boxes": [], "time": float("nan")}, "'time': expected seconds"),
        ({"id": "a", "boxes": [], "label": ["dog"]}, "'label': expected text"),
    ],
)
def test_rows_of_another_form_are_refused(write, row, what):
    with pytest.raises(DataError, match=what):
        read_benchmark("folder", write("x.json", [row]))


def test_the_real_moments(data_dir):
    found = read_benchmark("folder", data_dir)
    assert [sum(i.sounds for i in found.items), len(found.items)] == [41, 47]
    assert found.problems == ()
    assert len(read_benchmark("folder", data_dir, unscored=True).items) == 75


@pytest.mark.parametrize("votes", [[True], [10**30], [0.5], [float("nan")], [1, 2], ["1"]])
def test_votes_that_count_nobody_are_told(write, told, votes):
    row = {"id": "a", "boxes": [[0, 0, 1, 1]], "votes": votes}
    found = read_benchmark("folder", write("x.json", [row]))
    assert found.items[0].votes is None
    assert told(found) == [("a", "votes are not a whole number for each box; they are not used")]


def test_names_that_no_file_has_are_told(write, told):
    row = {"id": "a", "boxes": [[0, 0, 1, 1]], "frame": "f" * 5000, "sound": "s\0", "mask": "m\0"}
    found = read_benchmark("folder", write("x.json", [row]))
    assert [what.partition(" /")[0] for _, what in told(found)] == [
        "no mask",
        "no frame",
        "no sound",
    ]
