"""SSLalignment's lists of masks; those of boxes are tested with their benchmarks."""

from avloc.data.benchmarks import read_benchmark


def test_masks_of_a_seg_list_are_found_below_the_folder(write, told, aligned):
    listed = [aligned("visual_frames/a_b_1_a.jpg", "/mnt/x/gt/masks/a_b_1_a.jpg")]
    listed += [aligned("visual_frames/a_b_1_b.jpg", "/mnt/x/gt/masks/a_b_1_b.jpg")]
    path = write("synthetic3240_seg.json", listed)
    mask = write("masks/a_b_1_a.jpg", "any")
    found = read_benchmark("is3", path)
    assert [item.mask for item in found.items] == [mask, None]
    assert [what[:8] for _, what in told(found)] == ["no mask ", "no truth"]
