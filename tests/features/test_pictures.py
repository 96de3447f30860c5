"""Pictures at other sides than the published 224 pixels."""

import numpy as np
import pytest

from avloc.features.pictures import PICTURES

FRAME = np.random.default_rng(0).integers(0, 256, (90, 160, 3), np.uint8)


@pytest.mark.parametrize("preset", ["squash", "crop", "squash-float"])
@pytest.mark.parametrize("side", [64, 224, 518])
def test_items_are_squares(preset, side):
    assert PICTURES[preset].item(FRAME, side).shape == (3, side, side)


def test_the_published_side_is_the_default():
    for preset in ("squash", "crop"):
        picture = PICTURES[preset]
        assert np.array_equal(picture.item(FRAME), picture.item(FRAME, 224))
        assert np.array_equal(picture.whole(FRAME), picture.whole(FRAME, 224, 32))


@pytest.mark.parametrize("stride", [8, 14, 16, 32])
@pytest.mark.parametrize("side", [112, 224, 448])
@pytest.mark.parametrize("upright", [False, True])
def test_whole_pictures_are_whole_cells(side, stride, upright):
    frame = FRAME.transpose(1, 0, 2) if upright else FRAME
    _, height, width = PICTURES["crop"].whole(frame, side, stride).shape
    assert min(height, width) == side
    assert (max(height, width) - side) % (4 * stride if stride == 14 else 64) == 0
    assert max(height, width) / side == pytest.approx(160 / 90, abs=40 / side)
