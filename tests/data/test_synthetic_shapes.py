"""Shapes and sheets: distances, areas, turning; every drawing fits and varies."""

import numpy as np
import pytest

from avloc.data.synthetic_backgrounds import BACKDROPS, backdrop
from avloc.data.synthetic_classes import CLASSES
from avloc.data.synthetic_shapes import Sheet, box, disc, ellipse, polygon, stroke
from avloc.data.synthetic_things import Sprite, Thing, shifted, solid

RED = (1.0, 0.0, 0.0)


def area(shape, size=200, scale=80.0) -> float:
    """Painted area in square units."""
    sheet = Sheet((size, size), scale, (size / 2, size / 2))
    sheet.paint(shape, RED)
    return float(sheet.pixels[3].sum()) / scale**2


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        (disc(0.1, -0.2, 0.5), np.pi * 0.25),
        (ellipse(0, 0, 0.8, 0.3), np.pi * 0.24),
        (box(-0.5, -0.3, 0.6, 0.4), 1.1 * 0.7),
        (box(-0.5, -0.3, 0.6, 0.4, 0.2), 1.1 * 0.7 - (4 - np.pi) * 0.04),
        (stroke((-0.5, 0), (0.5, 0), 0.2), 0.2 + np.pi * 0.01),
        (polygon((-0.5, 0.5), (0.5, 0.5), (0, -0.5)), 0.5),
        (polygon((-0.5, 0.5), (0.5, 0.5), (0.5, -0.5), (-0.5, -0.5)).turned(30), 1.0),
        (box(-0.5, -0.5, 0.5, 0.5) - disc(0, 0, 0.3), 1 - np.pi * 0.09),
        (box(-0.5, -0.5, 0.5, 0.5) & box(0, 0, 1, 1), 0.25),
        (box(-0.9, -0.5, -0.4, 0.5) | box(0.4, -0.5, 0.9, 0.5), 1.0),
        (disc(0, 0, 0.5).outline(0.1), np.pi * 0.1),
    ],
)
def test_areas(shape, expected):
    assert area(shape) == pytest.approx(expected, rel=0.01)


def test_turned_shapes_agree_with_a_turned_sheet():
    shape = polygon((-0.7, -0.2), (0.6, -0.4), (0.3, 0.5))
    first, second = Sheet((160, 160), 70, (80, 80), 25), Sheet((160, 160), 70, (80, 80))
    first.paint(shape, RED)
    second.paint(shape.turned(25), RED)
    np.testing.assert_allclose(first.pixels, second.pixels, atol=1e-3)


def test_a_flipped_sheet_is_a_mirror():
    shape = polygon((-0.7, -0.2), (0.6, -0.4), (0.3, 0.5))
    first, second = Sheet((160, 160), 70, (80, 80), flip=True), Sheet((160, 160), 70, (80, 80))
    first.paint(shape, RED)
    second.paint(shape, RED)
    np.testing.assert_allclose(first.pixels[:, :, ::-1], second.pixels, atol=1e-3)


@pytest.mark.parametrize("name", CLASSES)
def test_drawings_fit_and_vary(name):
    size = (300, 200)
    rng = np.random.default_rng(0)
    things = [Thing.random(name, 0.1, size, rng) for _ in range(2)]
    sprites = [Sprite.of(thing) for thing in things]
    for sprite in sprites:
        x0, y0, x1, y1 = sprite.box
        assert 0.09 < (x1 - x0) * (y1 - y0) / (300 * 200) < 0.11
        assert abs(x0 + x1) / 2 < 4  # The path's middle is the box's.
        assert abs(y0 + y1) / 2 < 4
        assert sprite.layers[1].max() == 256
        assert sprite.layers[0].max() <= 255
        assert len(np.unique(sprite.layers[0] // 32)) > 3
    assert (
        sprites[0].layers.shape != sprites[1].layers.shape
        or (sprites[0].layers != sprites[1].layers).any()
    )


def test_shifted_moves_by_part_of_a_pixel():
    layers = np.zeros((2, 9, 9, 3), np.uint16)
    layers[1] = 256
    layers[0, 4, 4], layers[1, 4, 4] = 200, 0
    moved = shifted(layers, 0.25, 0.5)
    weights = np.outer((0.5, 0.5), (0.75, 0.25))
    np.testing.assert_allclose(moved[0, 4:6, 4:6, 0], 200 * weights, atol=1.5)
    np.testing.assert_allclose(moved[1, 4:6, 4:6, 0], 256 * (1 - weights), atol=1.5)
    assert moved[1, 0].min() == 256


def test_solid_is_the_opaque_box():
    pixels = np.zeros((4, 20, 30), np.float32)
    pixels[3, 5:9, 7:20] = 1
    pixels[3, 4, 7:20] = 0.4
    assert solid(pixels) == (7, 5, 20, 9)


@pytest.mark.parametrize("kind", [function.__name__ for function in BACKDROPS])
@pytest.mark.parametrize("size", [(60, 100), (101, 64)])
def test_backdrops(kind, size):
    pictures = [backdrop(kind, *size, np.random.default_rng(seed)) for seed in (0, 0, 1)]
    assert pictures[0].shape == (*size, 3)
    assert pictures[0].min() >= 0
    assert pictures[0].max() <= 1
    assert pictures[0].std() > 0.01
    np.testing.assert_array_equal(pictures[0], pictures[1])
    assert (pictures[0] != pictures[2]).any()
