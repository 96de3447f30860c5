"""VPO: photos with one sounding thing and with several."""

import pytest

from avloc.data.benchmarks import read_benchmark


def test_vpo_tells_empty_boxes_and_groups_photos(write, told, aligned):
    rows = [
        aligned(f"visual_frames/000000261323_{n}.jpg", [0.0, 0, 0, 0], "/m/COCO_AV_MS")
        for n in (1, 2)
    ]
    found = read_benchmark(write("made.json", rows))
    assert found.name == "vpo-ms"
    assert {item.group for item in found.items} == {"000000261323"}
    assert [what.split(":")[0] for _, what in told(found)] == ["box 1 has no area", "no truth"] * 2
    single = read_benchmark(write("single.json", [{**rows[0], "image": "/m/COCO_AV/f/1_2.jpg"}]))
    assert (single.name, single.items[0].group) == ("vpo-ss", "")


@pytest.mark.parametrize(
    ("name", "items", "groups", "empty"), [("vpo-ss", 890, 0, 0), ("vpo-ms", 2157, 1432, 2)]
)
def test_the_real_lists(annotations, name, items, groups, empty):
    found = read_benchmark(name, annotations)
    assert len(found.items) == items
    assert len({item.group for item in found.items if item.group}) == groups
    assert sum(problem.what.startswith("no truth") for problem in found.problems) == empty
    assert all(len(item.boxes) == 1 for item in found.items)
