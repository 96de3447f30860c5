"""IS3, VPO and AVSBench: the lists of one box a row, and AVSBench's masks."""

import numpy as np
import pytest
from PIL import Image

from avloc.data.benchmarks import read_benchmark
from avloc.errors import DataError


def row(image, box, root="/mnt/x/synthetic3241", sound=None):
    stem = image.rpartition("/")[2].rpartition(".")[0]
    sound = sound or f"audio_wav/{stem}.wav"
    return {"image": f"{root}/{image}", "audio": f"{root}/{sound}", "gt_box": box}


IS3 = [
    row("visual_frames/cat_train_18_cat.jpg", [85.0, 63.0, 200.0, 186.0]),
    row("visual_frames/dog_bus_7_bus.jpg", [0, 0, 9, 9]),
    row("visual_frames/cat_train_18_train.jpg", [1.0, 2.0, 30.0, 40.0]),
]
S4 = "/mnt/y/AVSbench/Single-source/s4_data"
MS3 = "/mnt/y/AVSbench/Multi-sources/ms3_data"


def test_is3_pairs_share_a_group_and_name_what_sounds(write, told):
    found = read_benchmark("is3", write("synthetic3240_bbox.json", IS3))
    assert [item.group for item in found.items] == ["cat_train_18", "dog_bus_7", "cat_train_18"]
    assert [item.label for item in found.items] == ["cat", "bus", "train"]
    assert found.items[0].id == "cat_train_18_cat"
    assert found.items[0].scale == (224, 224)
    np.testing.assert_array_equal(found.items[2].boxes, [[1, 2, 30, 40]])
    assert told(found) == [("dog_bus_7", "1 objects in this picture instead of two")]


def test_masks_of_a_seg_list_are_found_below_the_folder(write, told):
    listed = [row("visual_frames/a_b_1_a.jpg", "/mnt/x/gt/masks/a_b_1_a.jpg")]
    listed += [row("visual_frames/a_b_1_b.jpg", "/mnt/x/gt/masks/a_b_1_b.jpg")]
    path = write("synthetic3240_seg.json", listed)
    mask = write("masks/a_b_1_a.jpg", "any")
    found = read_benchmark("is3", path)
    assert [item.mask for item in found.items] == [mask, None]
    assert [what[:8] for _, what in told(found)] == ["no mask ", "no truth"]


def test_vpo_tells_empty_boxes_and_groups_photos(write, told):
    rows = [
        row(f"visual_frames/000000261323_{n}.jpg", [0.0, 0, 0, 0], "/m/COCO_AV_MS") for n in (1, 2)
    ]
    found = read_benchmark(write("made.json", rows))
    assert found.name == "vpo-ms"
    assert {item.group for item in found.items} == {"000000261323"}
    assert [what.split(":")[0] for _, what in told(found)] == ["box 1 has no area", "no truth"] * 2
    single = read_benchmark(write("single.json", [{**rows[0], "image": "/m/COCO_AV/f/1_2.jpg"}]))
    assert (single.name, single.items[0].group) == ("vpo-ss", "")


def s4_rows():
    return [
        row(
            f"visual_frames/test/dog_barking/vid_1/vid_1_{n}.png",
            [1, 1, 9, 9],
            S4,
            "audio_wav/test/dog_barking/vid_1.wav",
        )
        for n in (1, 2)
    ]


def test_s4_frames_of_a_video_share_a_group(write):
    found = read_benchmark(write("boxes.json", s4_rows()))
    assert found.name == "avsbench-s4"
    assert [item.id for item in found.items] == ["vid_1_1", "vid_1_2"]
    assert {(item.group, item.label) for item in found.items} == {("vid_1", "dog_barking")}
    assert [item.time for item in found.items] == [0.9375, 1.9375]


def test_masks_beside_a_box_list_are_taken_too(write, told):
    path = write("s4_box.json", s4_rows())
    mask = write("s4_data/gt_masks/test/dog_barking/vid_1/vid_1_1.png", "any")
    found = read_benchmark(path)
    assert [item.mask for item in found.items] == [mask, None]
    assert all(len(item.boxes) for item in found.items)
    assert [name for name, _ in told(found)] == ["vid_1_2"]


def test_ms3_is_named_without_the_suffix_of_its_videos(write):
    rows = [
        row(
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


def test_masks_of_all_modes(tmp_path):
    from avloc.data.benchmarks.masks import read_mask

    truth = np.zeros((6, 9), bool)
    truth[1:4, 2:7] = True
    grey = Image.fromarray(np.where(truth, 255, 0).astype(np.uint8))
    bits = Image.fromarray(truth.astype(np.uint8))
    index = Image.fromarray(truth.astype(np.uint8) * 3, "P")
    index.putpalette([0, 0, 0] * 3 + [40, 0, 0])  # dark, yet not background
    images = {
        "grey": grey,
        "bits": bits,
        "index": index,
        "rgb": grey.convert("RGB"),
        "one": grey.convert("1"),
    }
    for name, image in images.items():
        image.save(tmp_path / f"{name}.png")
        np.testing.assert_array_equal(read_mask(tmp_path / f"{name}.png"), truth, name)
    (tmp_path / "no.png").write_text("no")
    with pytest.raises(DataError, match="cannot be read as a mask"):
        read_mask(tmp_path / "no.png")


@pytest.mark.parametrize(
    ("name", "items", "groups", "empty"),
    [
        ("is3", 6480, 3240, 0),
        ("vpo-ss", 890, 0, 0),
        ("vpo-ms", 2157, 1432, 2),
        ("avsbench-s4", 3700, 740, 6),
        ("avsbench-ms3", 320, 64, 29),
    ],
)
def test_the_real_lists(annotations, name, items, groups, empty):
    found = read_benchmark(name, annotations)
    assert len(found.items) == items
    assert len({item.group for item in found.items if item.group}) == groups
    assert sum(problem.what.startswith("no truth") for problem in found.problems) == empty
    assert all(len(item.boxes) == 1 for item in found.items)
