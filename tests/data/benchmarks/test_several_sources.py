"""MUSIC and VGGSound-Duet: an item for each of two sources."""

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


def test_mixed_clips_keep_their_own_boxes(vggss, write, told):
    rows = "zpWuikVorYg_000032,elk,JIemsK_0lXc_000364,cello\n"
    rows += "JIemsK_0lXc_000364,cello,M1P1xla8rg0_000000,cello\nJIemsK_0lXc_000364,c,nobody,c2\nx\n"
    found = read_benchmark(write("vggsound_duet_test.csv", rows))
    first, second = found.items[:2]
    assert first.id == "zpWuikVorYg_000032+JIemsK_0lXc_000364#1"
    assert (first.label, second.label) == ("elk", "cello")
    assert first.group == second.group == "zpWuikVorYg_000032+JIemsK_0lXc_000364"
    np.testing.assert_array_equal(first.boxes, [[0.4, 0.25, 0.6, 0.75]])
    np.testing.assert_array_equal(second.boxes, [[0, 0, 1, 1]])
    assert first.media["mixed_with"] == second.media["frame"] == "JIemsK_0lXc_000364"
    assert second.media["mixed_with"] == "zpWuikVorYg_000032"
    assert len(found.items) == 5
    assert told(found)[:3] == [
        ("JIemsK_0lXc_000364+M1P1xla8rg0_000000", "both sources have the class 'cello'"),
        ("JIemsK_0lXc_000364+nobody", "nobody is in the list, but without annotation"),
        ("vggsound_duet_test.csv: row 4", "not CLIP,CLASS,CLIP,CLASS: 'x'"),
    ]


@pytest.mark.parametrize(
    ("name", "items", "problems"), [("music-solo", 2124, 0), ("music-duet", 2040, 0)]
)
def test_the_real_music(annotations, name, items, problems):
    found = read_benchmark(name, annotations)
    assert (len(found.items), len(found.problems)) == (items, problems)


def test_real_solos_read_as_corners_are_mostly_empty(annotations):
    found = read_benchmark("music-solo", annotations, corners=True)
    assert sum(what.what.startswith("no truth") for what in found.problems) == 2124 - 477


def test_the_real_mixtures(annotations):
    found = read_benchmark("vggsound-duet", annotations)
    assert len(found.items) == 2 * 5158
    assert sum("both sources" in problem.what for problem in found.problems) == 22
