"""Picture hashes: copies are near, other pictures are not."""

import io

import numpy as np
import pytest
from PIL import Image

from avloc.data.picture_hash import BITS, CHUNK, NEAR, near, picture_hash, read_hash
from avloc.errors import DataError


def picture(seed, size=(160, 120)):
    """Smooth patches of colour, which is what is left of a photo at 48 pixels."""
    coarse = np.random.default_rng(seed).integers(0, 256, (9, 12, 3), np.uint8)
    return Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)


def jpeg(image, quality):
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file)


@pytest.mark.parametrize(
    "change",
    [
        lambda image: jpeg(image, 20),
        lambda image: image.resize((224, 224), Image.Resampling.BICUBIC),
        lambda image: image.resize((64, 48)),
        lambda image: image.point([min(255, 20 + value * 4 // 5) for value in range(256)] * 3),
        lambda image: image.convert("L"),
    ],
    ids=["jpeg", "squashed", "small", "pale", "grey"],
)
def test_copies_are_near(change):
    for seed in range(10):
        image = picture(seed)
        assert np.count_nonzero(picture_hash(image) != picture_hash(change(image))) <= NEAR


def test_other_pictures_are_far():
    hashes = np.stack([picture_hash(picture(seed)) for seed in range(60)])
    assert hashes.shape == (60, BITS)
    assert [(i, j) for i, j, _ in near(hashes, hashes)] == [(i, i) for i in range(60)]


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_plain_pictures_have_no_hash(grey):
    assert picture_hash(Image.new("L", (64, 48), grey)) is None


def test_near_counts_like_a_loop():
    rng = np.random.default_rng(0)
    one, other = rng.random((CHUNK + 3, 9)) < 0.5, rng.random((5, 9)) < 0.5
    by_hand = {
        (i, j, int((a != b).sum()))
        for i, a in enumerate(one)
        for j, b in enumerate(other)
        if (a != b).sum() <= 2
    }
    found = list(near(one, other, 2))
    assert set(found) == by_hand
    assert len(found) == len(by_hand)


def test_a_file_that_is_no_picture_is_told(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_text("no")
    with pytest.raises(DataError, match=r"a\.jpg: cannot be read"):
        read_hash(path)
    picture(0).save(path, quality=95)
    assert np.count_nonzero(read_hash(path) != picture_hash(picture(0))) <= NEAR
