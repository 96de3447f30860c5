"""The sound-prompted part of ADE20K, made up in the form of its authors' loader."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from avloc.data.benchmarks import read_benchmark
from avloc.errors import DataError
from avloc.evaluation.answers import box_truth, pixel_truth

HEAD = "image_location,ade_class,ade_class_id,vggsound_file,speech_prompt_file"
TABLE = f"""{HEAD}
training/a/1.jpg,dog,300.0,vggsound/x_000030.wav,
training/a/1.jpg,car,5,data/y_000010.wav,s.wav
training/a/2.jpg,car,5,,s.wav
training/a/3.jpg,none,0,z.wav,
training/a/4.jpg,cat,many,z.wav,
training/a/5.jpg,cat
"""


@pytest.fixture
def folder(write, tmp_path):
    """Two classes: 300 = 1 * 256 + 44 in the left half, 5 in the right; 448 x 224 pixels."""
    write("ADE20KSoundPrompted/prompted_segmentation.csv", TABLE)
    colours = np.zeros((224, 448, 3), np.uint8)
    colours[:, :224] = (17, 44, 99)
    colours[:, 224:] = (9, 5, 0)
    place = tmp_path / "ADE20KSoundPrompted/annotations/training/a"
    place.mkdir(parents=True)
    Image.fromarray(colours).save(place / "1_seg.png")
    return tmp_path


def test_a_row_is_a_picture_and_a_class(folder, told):
    found = read_benchmark("ade20k-sound", folder)
    dog, car = found.items
    assert [dog.id, car.id] == ["1#300", "1#5"]
    assert (dog.group, dog.label, dog.mask_class) == ("1", "300", 300)
    assert dog.media == {"frame": "frames/training/a/1.jpg", "sound": "audio/x_000030.wav"}
    assert dog.mask.name == "1_seg.png"
    assert told(found) == [
        (
            "prompted_segmentation.csv: row 6",
            "ade_class_id is not a whole number: 'many'",
        ),
        ("prompted_segmentation.csv: row 7", "2 cells under 5 headings"),
    ]
    assert read_benchmark(folder / "ADE20KSoundPrompted").name == "ade20k-sound"


def test_the_truth_is_a_class_in_the_middle_square(folder):
    dog, car = read_benchmark("ade20k-sound", folder).items
    left = np.zeros((224, 224), bool)
    left[:, :112] = True
    np.testing.assert_array_equal(pixel_truth(dog).inside, left)
    np.testing.assert_array_equal(box_truth(car).inside, ~left)


def test_masks_are_shrunk_to_their_short_side_and_cut(folder):
    rng = np.random.default_rng(0)
    dog, _ = read_benchmark("ade20k-sound", folder).items
    for wide, high in ((301, 451), (641, 427), (225, 225), (101, 91)):  # odd: no pixel on an edge
        colours = np.zeros((high, wide, 3), np.uint8)
        colours[..., 1] = rng.integers(0, 3, (high, wide))
        Image.fromarray(colours).save(dog.mask)
        found = pixel_truth(replace(dog, mask_class=2)).inside
        # By hand: a pixel of the enlarged picture takes the one that its middle falls into.
        size = [int(224 * side / min(wide, high)) for side in (high, wide)]
        begin = [round((side - 224) / 2) for side in size]
        row, column = (
            ((np.arange(224) + start + 0.5) * old / new).astype(int)
            for start, old, new in zip(begin, (high, wide), size, strict=True)
        )
        np.testing.assert_array_equal(found, colours[row][:, column, 1] == 2)


def test_a_missing_mask_is_told(folder, told):
    for file in folder.rglob("*_seg.png"):
        file.unlink()
    found = read_benchmark("ade20k-sound", folder)
    assert ("1#5", "no truth: nothing in the picture is marked") in told(found)
    assert sum("no mask annotations/training/a/1_seg.png" in what for _, what in told(found)) == 2


def test_another_table_is_refused(write):
    with pytest.raises(DataError, match="no column 'vggsound_file'"):
        read_benchmark(write("prompted_segmentation.csv", "image_location,ade_class_id\n1.jpg,2\n"))
