"""Augmentations against Pillow, and boxes that move with their pictures."""

import numpy as np
import pytest
import torch
from PIL import Image

from avloc.data.examples.augmenting import AUGMENTS, Region

SIDE = 64


def tensor(picture):
    return torch.from_numpy(picture).permute(2, 0, 1)


def rough(height, width, seed=0):
    """(H, W, 3) uint8 with detail that survives a resizing."""
    small = np.random.default_rng(seed).integers(0, 256, (9, 9, 3), np.uint8)
    return np.array(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC))


def pillow(picture, name, box):
    """The same part of the picture as Pillow resizes it, where nothing else was done."""
    height, width = picture.shape[:2]
    pixels = (box[0] * width, box[1] * height, box[2] * width, box[3] * height)
    how = Image.Resampling.BILINEAR if name in ("ssltie", "denseav") else Image.Resampling.BICUBIC
    return np.asarray(Image.fromarray(picture).resize((SIDE, SIDE), how, box=pixels))


@pytest.mark.parametrize("name", ["none", "none-crop", "ezvsl", "fnac", "acl"])
@pytest.mark.parametrize("size", [(90, 160), (150, 100), (64, 64), (40, 50)])
def test_a_view_is_the_part_that_it_says(name, size):
    picture = rough(*size)
    for seed in range(4):
        view, region = AUGMENTS[name](tensor(picture), SIDE, np.random.default_rng(seed))
        assert view.dtype == torch.uint8
        shown = view.permute(1, 2, 0).numpy()
        if region.mirrored:
            shown = shown[:, ::-1]
        difference = np.abs(shown.astype(int) - pillow(picture, name, region.box))
        # At its edges Pillow does not see beyond the box, and bytes are rounded.
        assert difference[3:-3, 3:-3].max() <= 4
    assert max(region.box) <= 1
    assert min(region.box) >= 0


@pytest.mark.parametrize("name", sorted(AUGMENTS))
def test_boxes_move_with_the_picture(name):
    picture = np.full((120, 160, 3), 40, np.uint8)
    picture[30:90, 80:140] = 220
    boxes = np.array([[80 / 160, 30 / 120, 140 / 160, 90 / 120]])
    for seed in range(12):
        view, region = AUGMENTS[name](tensor(picture), SIDE, np.random.default_rng(seed))
        truth = region.truth(boxes, SIDE)
        if 0.05 < truth.mean() < 0.95:
            bright = view.float().mean(0).numpy()
            assert np.corrcoef(bright.ravel(), truth.ravel())[0, 1] > 0.93


@pytest.mark.parametrize("name", sorted(AUGMENTS))
def test_the_same_seed_gives_the_same_view_whatever_else_is_random(name):
    picture = tensor(rough(80, 100))
    first = AUGMENTS[name](picture, SIDE, np.random.default_rng(5))
    torch.manual_seed(17)
    again = AUGMENTS[name](picture, SIDE, np.random.default_rng(5))
    assert first[0].equal(again[0])
    assert first[1] == again[1]
    assert first[0].shape == (3, SIDE, SIDE)


def test_random_areas_are_spread_as_wanted():
    picture = tensor(rough(60, 80))
    boxes = [AUGMENTS["ssltie"](picture, 16, np.random.default_rng(k))[1].box for k in range(300)]
    areas = np.array([(x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in boxes])
    ratios = np.array([(x1 - x0) * 80 / ((y1 - y0) * 60) for x0, y0, x1, y1 in boxes])
    assert 0.28 < areas.min() < 0.36
    assert areas.max() > 0.93
    assert 0.72 < ratios.min() < 0.8
    assert 1.25 < ratios.max() < 1.36


def test_chances_are_those_of_the_paper():
    picture = tensor(rough(60, 80))
    views = [AUGMENTS["ssltie"](picture, 16, np.random.default_rng(k)) for k in range(300)]
    grey = np.mean([bool((view == view[:1]).all()) for view, _ in views])
    assert 0.12 < grey < 0.28
    assert 0.4 < np.mean([region.mirrored for _, region in views]) < 0.6
    assert not any(
        AUGMENTS["fnac"](picture, 16, np.random.default_rng(k))[1].mirrored for k in range(20)
    )


def test_truth_is_the_share_of_each_pixel():
    region = Region((0.25, 0.0, 0.75, 0.5), mirrored=True)
    boxes = np.array([[0.25, 0.0, 0.375, 0.5], [0.3125, 0.0, 0.4375, 0.125], [0.8, 0.8, 0.9, 0.9]])
    wanted = np.zeros((4, 4))
    wanted[:, 3] = 1
    wanted[0, 2] = 0.5
    assert region.truth(boxes, 4).tolist() == wanted.tolist()
