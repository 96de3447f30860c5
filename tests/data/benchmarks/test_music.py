"""MUSIC: solos, and duets as an item for each of two sources."""

import numpy as np
import pytest

from avloc.data.benchmarks import read_benchmark

DUET = {
    "file": "HnUOaSfTA6c_000_00007",
    "class_src1": "cello",
    "bbox_src1": [0.15, 0.32, 0.2, 0.57],
    "class_src2": "acoustic_guitar",
    "bbox_src2": [0.49, 0.54, 0.35, 0.18],
}


def test_a_solo_box_is_a_corner_and_a_size(write, told):
    row = {"file": "-_-TDDxoaAc_000_00000", "class": "cello", "bbox": [0.5, 0.125, 0.25, 0.75]}
    path = write("made.json", [row])
    found = read_benchmark(path)
    assert found.name == "music-solo"
    np.testing.assert_array_equal(found.items[0].boxes, [[0.5, 0.125, 0.75, 0.875]])
    assert found.items[0].media == {"frame": "-_-TDDxoaAc_000_00000", "sound": "-_-TDDxoaAc"}
    as_avgn = read_benchmark(path, corners=True)
    np.testing.assert_array_equal(as_avgn.items[0].boxes, [row["bbox"]])
    assert [what.split(":")[0] for _, what in told(as_avgn)] == ["box 1 has no area", "no truth"]


def test_a_duet_is_two_items_of_one_frame(write):
    found = read_benchmark(write("made.json", [DUET]))
    assert found.name == "music-duet"
    assert [item.id for item in found.items] == [DUET["file"] + "#1", DUET["file"] + "#2"]
    assert [item.label for item in found.items] == ["cello", "acoustic_guitar"]
    assert {item.group for item in found.items} == {DUET["file"]}
    np.testing.assert_allclose(found.items[1].boxes, [[0.49, 0.54, 0.84, 0.72]])


def test_a_duet_without_its_second_box_is_told(write, told):
    found = read_benchmark(write("music_duet.json", [{**DUET, "bbox_src2": None}]))
    assert told(found)[0] == (
        DUET["file"] + "#2",
        "box 1 is not four numbers: None; it is left out",
    )
    assert len(found.items) == 2


@pytest.mark.parametrize(
    ("name", "items", "problems"), [("music-solo", 2124, 0), ("music-duet", 2040, 0)]
)
def test_the_real_music(annotations, name, items, problems):
    found = read_benchmark(name, annotations)
    assert (len(found.items), len(found.problems)) == (items, problems)


def test_real_solos_read_as_corners_are_mostly_empty(annotations):
    found = read_benchmark("music-solo", annotations, corners=True)
    assert sum(what.what.startswith("no truth") for what in found.problems) == 2124 - 477
