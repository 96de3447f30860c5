"""IS3: pictures of two things that both sound."""

import numpy as np

from avloc.data.benchmarks import read_benchmark


def test_is3_pairs_share_a_group_and_name_what_sounds(write, told, aligned):
    rows = [
        aligned("visual_frames/cat_train_18_cat.jpg", [85.0, 63.0, 200.0, 186.0]),
        aligned("visual_frames/dog_bus_7_bus.jpg", [0, 0, 9, 9]),
        aligned("visual_frames/cat_train_18_train.jpg", [1.0, 2.0, 30.0, 40.0]),
    ]
    found = read_benchmark("is3", write("synthetic3240_bbox.json", rows))
    assert [item.group for item in found.items] == ["cat_train_18", "dog_bus_7", "cat_train_18"]
    assert [item.label for item in found.items] == ["cat", "bus", "train"]
    assert found.items[0].id == "cat_train_18_cat"
    assert found.items[0].scale == (224, 224)
    np.testing.assert_array_equal(found.items[2].boxes, [[1, 2, 30, 40]])
    assert told(found) == [("dog_bus_7", "1 objects in this picture instead of two")]


def test_the_real_list(annotations):
    found = read_benchmark("is3", annotations)
    assert len(found.items) == 6480
    assert len({item.group for item in found.items if item.group}) == 3240
    assert sum(problem.what.startswith("no truth") for problem in found.problems) == 0
    assert all(len(item.boxes) == 1 for item in found.items)
