"""Validation mixtures: held-out photos and sounds with one right answer."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from avloc.data.concepts import Concepts
from avloc.data.mixtures import LEAST_AREA, SEEN_WITH, SIDE, covered, mixtures, sounding
from avloc.data.wild import photos, recordings
from avloc.errors import DataError

TABLE = Path(__file__).parents[2] / "recipes" / "wild" / "concepts.yaml"


@pytest.fixture(scope="module")
def concepts():
    return Concepts.read(TABLE)


def check(root, concepts, count):
    """What must hold of mixtures of any data."""
    made = mixtures(root, concepts, count)
    assert len(made) == count
    shown = {row.path for row in photos(root, concepts, None, held_out=True)}
    heard = {row.path for row in recordings(root, concepts, None, held_out=True)}
    for item in made:
        assert {photo.path for photo in item.photos} <= shown
        assert item.sound.path in heard
        assert not len(sounding(item.photos[1 - item.side], item.sound.label))
        assert covered(sounding(item.photos[item.side], item.sound.label)) > LEAST_AREA
        boxes = item.boxes()
        assert len(boxes)
        half = (0, 0.5) if item.side == 0 else (0.5, 1)
        assert boxes[:, [0, 2]].min() >= half[0]
        assert boxes[:, [0, 2]].max() <= half[1]
    for first, second in zip(made[::2], made[1::2], strict=True):
        assert first.photos == second.photos or all(
            a.path == b.path for a, b in zip(first.photos, second.photos, strict=True)
        )
        assert (first.side, second.side) == (0, 1)
        assert first.sound.label != second.sound.label
    return made


def test_mixtures_of_made_data(made_data, concepts):
    made = check(made_data, concepts, 20)
    assert {item.sound.label for item in made} == {"dog bark", "baby cry"}


def test_mixtures_of_real_data(data_dir, concepts):
    assert {item.sound.label for item in check(data_dir, concepts, 300)} <= set(SEEN_WITH)


def test_the_seed_decides(made_data, concepts):
    def summary(seed):
        made = mixtures(made_data, concepts, 12, seed)
        return [(*(p.path for p in m.photos), m.side, m.sound.path) for m in made]

    assert summary(0) == summary(0)
    assert summary(0) != summary(1)


def test_the_picture_is_both_photos(made_data, concepts):
    item = mixtures(made_data, concepts, 2)[1]
    picture = item.picture()
    assert picture.shape == (SIDE, 2 * SIDE, 3)
    with Image.open(item.photos[1].path) as image:
        small = np.asarray(image.convert("RGB").resize((8, 8), Image.Resampling.BOX), float)
    ours = picture[:, SIDE:].reshape(8, SIDE // 8, 8, SIDE // 8, 3).mean((1, 3))
    assert np.abs(ours - small).mean() < 4


def test_boxes_move_with_their_photo(made_data, concepts):
    item = mixtures(made_data, concepts, 2)[1]
    ((x0, y0, x1, y1),) = sounding(item.photos[1], item.sound.label)
    np.testing.assert_allclose(item.boxes(), [[0.5 + x0 / 2, y0, 0.5 + x1 / 2, y1]])


def test_covered_counts_overlaps_once():
    assert covered(np.array([[0, 0, 0.5, 1], [0.25, 0, 0.75, 1]])) == pytest.approx(0.75)
    assert covered(np.zeros((0, 4))) == 0


def test_data_without_two_classes(made_data, concepts, tmp_path):
    for name in ("images.json", "sounds.json"):
        (tmp_path / name).write_text("[]")
    with pytest.raises(DataError, match="two classes"):
        mixtures(tmp_path, concepts, 2)
