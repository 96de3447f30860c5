"""Composites: their truth against areas counted by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avloc.data.composites import CELL, Composer, Composite, around, jitter, tiles, within
from avloc.data.concepts import Concepts
from avloc.data.pictures import Pictures
from avloc.data.wild import photos

side = st.floats(-20, 130)


def overlap(box, other):
    """The area that two boxes (x0, y0, x1, y1) share."""
    width = min(box[2], other[2]) - max(box[0], other[0])
    height = min(box[3], other[3]) - max(box[1], other[1])
    return max(width, 0) * max(height, 0)


def cell(row, column):
    return column * CELL, row * CELL, (column + 1) * CELL, (row + 1) * CELL


def blank(height=64, width=96, rows=3):
    return Composite(np.zeros((height, width, 3), np.uint8), rows)


@given(side, side, side, side)
def test_cover_is_the_overlap_of_areas(xa, xb, ya, yb):
    box = np.array([min(xa, xb), min(ya, yb), max(xa, xb), max(ya, yb)])
    cover = blank().cover(box)
    assert cover.shape == (4, 6)
    for row in range(4):
        for column in range(6):
            share = overlap(box, cell(row, column)) / CELL**2
            assert cover[row, column] == pytest.approx(share, abs=1e-6)


def test_what_is_pasted_hides_what_was_there():
    made = blank()
    made.add(np.array([0, 0, 96, 64]), (0,))
    made.doubt(np.array([0, 0, 96, 64]), (1,))
    hidden = np.array([8, 0, 48, 64])
    made.clear(hidden)
    for column in range(6):
        left = 1 - overlap(hidden, cell(0, column)) / CELL**2
        assert made.truth[0, 0, column] == pytest.approx(left)
        assert made.things[0, column] == pytest.approx(left)
        assert made.unsure[1, 0, column] == (left > 0.5)


def test_several_concepts_of_one_box():
    made = blank()
    made.add(np.array([16, 16, 40, 32]), (0, 2))
    np.testing.assert_array_equal(made.truth[0], made.truth[2])
    np.testing.assert_array_equal(made.truth[0], made.things)
    assert not made.truth[1].any()
    assert made.truth[0, 1].tolist() == [0, 1, 0.5, 0, 0, 0]


def test_doubt_is_only_where_truth_is_silent():
    made = blank()
    made.add(np.array([0, 0, 40, 64]), (0,))
    made.doubt(np.array([0, 0, 96, 64]), (0, 1))
    assert made.unsure[0, 0].tolist() == [False] * 3 + [True] * 3
    assert made.unsure[1].all()
    assert not made.unsure[2].any()


def test_a_photo_pasted_whole_keeps_its_boxes(made_data, concepts, pictures):
    photo = next(p for p in photos(made_data, concepts, None) if p.labels == ("dalmatian",))
    made = Composite(np.zeros((64, 96, 3), np.uint8), len(concepts))

    class Fixed:
        """Takes the whole photo and does not mirror it."""

        def random(self):
            return 0.9

    composer = Composer([photo], pictures, len(concepts), 0)
    composer.paste(made, photo, (16, 0, 80, 64), Fixed(), whole=True)
    dog = concepts.names.index("dog")
    box = (16 + 0.2 * 64, 0.2 * 64, 16 + 0.8 * 64, 0.7 * 64)
    for row in range(4):
        for column in range(6):
            share = overlap(box, cell(row, column)) / CELL**2
            assert made.truth[dog, row, column] == pytest.approx(share, abs=1e-6)
    whole = pictures.crop(photo, np.array([0.0, 0, 1, 1]), (64, 64), False)
    np.testing.assert_array_equal(made.canvas[:, 16:80], whole)
    assert not made.canvas[:, :16].any()


unit = st.floats(0, 1)


@given(st.tuples(unit, unit, unit, unit), st.tuples(unit, unit, unit, unit), st.booleans())
def test_boxes_in_a_crop(corners, crop, flip):
    box = np.array([*np.minimum(corners[:2], corners[2:]), *np.maximum(corners[:2], corners[2:])])
    crop = np.array([*np.minimum(crop[:2], crop[2:]), *np.maximum(crop[:2], crop[2:])])
    if min(box[2:] - box[:2]) < 0.05 or min(crop[2:] - crop[:2]) < 0.05:
        return
    seen = within(box, crop, flip)
    shared = overlap(box, crop)
    whole = float(np.prod(box[2:] - box[:2]))
    if abs(shared / whole - 1 / 3) < 1e-6:
        return
    assert (seen is not None) == (shared > whole / 3)
    if seen is not None:
        assert (seen >= 0).all()
        assert (seen <= 1).all()
        area = float(np.prod(seen[2:] - seen[:2]) * np.prod(crop[2:] - crop[:2]))
        assert area == pytest.approx(shared, rel=1e-6, abs=1e-9)
        mirrored = within(box, crop, not flip)
        np.testing.assert_allclose(mirrored[[0, 2]], 1 - seen[[2, 0]], atol=1e-9)


@given(st.integers(0, 1000), st.tuples(unit, unit, unit, unit))
def test_crops_hold_their_box(seed, corners):
    box = np.array([*np.minimum(corners[:2], corners[2:]), *np.maximum(corners[:2], corners[2:])])
    crop = around(box, np.random.default_rng(seed), 0.05, 0.35)
    assert (crop[:2] <= np.minimum(box[:2], 0.9) + 1e-9).all()
    assert (crop[2:] >= np.maximum(box[2:], 0.1) - 1e-9).all()
    assert (crop[2:] > crop[:2]).all()


@given(st.integers(0, 1000))
def test_tiles_fill_the_picture_once(seed):
    count = np.zeros((128, 192), int)
    for x0, y0, x1, y1 in tiles(np.random.default_rng(seed), 128, 192):
        assert x0 % CELL == y0 % CELL == x1 % CELL == y1 % CELL == 0
        count[y0:y1, x0:x1] += 1
    assert (count == 1).all()


def test_jitter_keeps_the_order_of_greys():
    ramp = np.repeat(np.arange(256, dtype=np.uint8), 3).reshape(1, 256, 3)
    for seed in range(30):
        mapped = jitter(ramp, np.random.default_rng(seed)).astype(int)
        assert mapped.dtype == int
        assert (np.diff(mapped[0], axis=0) >= 0).all()


@pytest.fixture(scope="module")
def concepts():
    from pathlib import Path

    return Concepts.read(Path(__file__).parents[2] / "recipes" / "wild" / "concepts.yaml")


@pytest.fixture(scope="module")
def pictures():
    return Pictures()


def test_a_composite_is_a_function_of_its_generator(made_data, concepts, pictures):
    composer = Composer(photos(made_data, concepts, "noncommercial"), pictures, len(concepts), 0)
    kinds = set()
    for seed in range(12):
        first, again = (composer(np.random.default_rng(seed), (96, 128)) for _ in range(2))
        np.testing.assert_array_equal(first.canvas, again.canvas)
        np.testing.assert_array_equal(first.truth, again.truth)
        assert first.canvas.shape == (96, 128, 3)
        assert first.truth.shape == first.unsure.shape == (len(concepts), 6, 8)
        assert first.truth.min() >= 0
        assert first.truth.max() <= 1
        # What is some concept's is a thing; where a concept is in doubt it is not known.
        assert (first.things >= first.truth.max(0) - 1e-6).all()
        kinds.add(first.canvas.tobytes())
    assert len(kinds) == 12
