"""AVSBench S4 and MS3: boxes, masks, or both."""

import pytest

from avloc.data.benchmarks import read_benchmark
from avloc.errors import DataError

S4 = "/mnt/y/AVSbench/Single-source/s4_data"
MS3 = "/mnt/y/AVSbench/Multi-sources/ms3_data"


@pytest.fixture
def s4_rows(aligned):
    return [
        aligned(
            f"visual_frames/test/dog_barking/vid_1/vid_1_{n}.png",
            [1, 1, 9, 9],
            S4,
            "audio_wav/test/dog_barking/vid_1.wav",
        )
        for n in (1, 2)
    ]


def test_s4_frames_of_a_video_share_a_group(write, s4_rows):
    found = read_benchmark(write("boxes.json", s4_rows))
    assert found.name == "avsbench-s4"
    assert [item.id for item in found.items] == ["vid_1_1", "vid_1_2"]
    assert {(item.group, item.label) for item in found.items} == {("vid_1", "dog_barking")}
    assert [item.time for item in found.items] == [0.9375, 1.9375]


def test_masks_beside_a_box_list_are_taken_too(write, told, s4_rows):
    path = write("s4_box.json", s4_rows)
    mask = write("s4_data/gt_masks/test/dog_barking/vid_1/vid_1_1.png", "any")
    found = read_benchmark(path)
    assert [item.mask for item in found.items] == [mask, None]
    assert all(len(item.boxes) for item in found.items)
    assert [name for name, _ in told(found)] == ["vid_1_2"]


def test_ms3_is_named_without_the_suffix_of_its_videos(write, aligned):
    rows = [
        aligned(
            "visual_frames/vid_26/vid_26.mp4_3.png",
            [0, 0, 223, 223],
            MS3,
            "audio_wav/test/vid_26.wav",
        )
    ]
    mask = write("gt_masks/test/vid_26/vid_26_3.png", "any")
    found = read_benchmark("avsbench-ms3", write("ms3_box.json", rows))
    (item,) = found.items
    assert (item.id, item.group, item.label, item.mask) == ("vid_26_3", "vid_26", "", mask)


def test_the_official_table_and_masks_do_without_boxes(write, told):
    write("s4_meta_data.csv", "name,url,category,split\nv1,0,cat,test\nv2,0,cat,train\n")
    for frame in range(1, 5):
        folder = write(f"gt_masks/test/cat/v1/v1_{frame}.png", "any").parents[4]
    found = read_benchmark("avsbench-s4", folder)
    assert [item.id for item in found.items] == [f"v1_{n}" for n in range(1, 6)]
    assert [item.mask is None for item in found.items] == [False] * 4 + [True]
    assert found.items[0].media["frame"] == "visual_frames/test/cat/v1/v1_1.png"
    assert [name for name, _ in told(found)] == ["v1_5", "v1_5"]
    write("ms3_meta_data.csv", "video_id,url,split\nv3,0,test\n")
    ms3 = read_benchmark("avsbench-ms3", folder)
    assert ms3.items[0].media["frame"] == "visual_frames/v3/v3.mp4_1.png"
    assert ms3.items[0].media["sound"] == "audio_wav/test/v3.wav"


def test_a_table_without_masks_is_refused(write):
    with pytest.raises(DataError, match="no folder gt_masks"):
        read_benchmark(write("s4_meta_data.csv", "name,category,split\nv1,cat,test\n"))
    with pytest.raises(DataError, match="no column 'split'"):
        read_benchmark(write("ms3_meta_data.csv", "name,category\nv1,cat\n"))


@pytest.mark.parametrize(
    ("name", "items", "groups", "empty"),
    [("avsbench-s4", 3700, 740, 6), ("avsbench-ms3", 320, 64, 29)],
)
def test_the_real_lists(annotations, name, items, groups, empty):
    found = read_benchmark(name, annotations)
    assert len(found.items) == items
    assert len({item.group for item in found.items if item.group}) == groups
    assert sum(problem.what.startswith("no truth") for problem in found.problems) == empty
    assert all(len(item.boxes) == 1 for item in found.items)


def test_rows_of_another_form_are_told(write, told, aligned):
    table = "name,url,category,split\nv1,0,cat,test\nv2,test\n"
    write("s4_meta_data.csv", table)
    folder = write("gt_masks/test/cat/v1/v1_1.png", "any").parents[4]
    found = read_benchmark("avsbench-s4", folder)
    assert len(found.items) == 5
    assert told(found)[0] == ("s4_meta_data.csv: row 3", "2 cells under 4 headings: 'v2,test'")
    other = read_benchmark("avsbench-ms3", write("ms3_box.json", [aligned("x.png", [0, 0, 9, 9])]))
    assert ("x", "not named VIDEO_FRAME; nobody knows its video and time") in told(other)
