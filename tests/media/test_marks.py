import numpy as np
import pytest

from avloc.media.blend import CELL
from avloc.media.marks import (
    Marks,
    box_distance,
    draw_marks,
    level_line,
    line_width,
    marks,
    outline,
    ring_distance,
    shape_line,
)
from avloc.media.pixels import RGB, yuv

HEIGHT, WIDTH = 90, 122
SIZE = -(-HEIGHT // CELL), -(-WIDTH // CELL)


def drawn(some: Marks | None, share: float = 1.0, ground: int = 128) -> np.ndarray:
    planes = [np.full((HEIGHT, WIDTH), ground, np.uint8) for _ in range(3)]
    if some:
        draw_marks(planes, [(some, share)])
    return planes[0].astype(int)


def ring(radius: float = 30.0) -> np.ndarray:
    y, x = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    return np.abs(np.hypot(y - 45, x - 61) - radius)


def test_a_ring_is_light_with_a_dark_edge_and_nothing_else() -> None:
    line = shape_line(ring_distance(45, 61, 30), SIZE)
    picture = drawn(marks(RGB, HEIGHT, WIDTH, [line], 1.0))
    gap = ring()
    core, edge = line_width(HEIGHT, WIDTH)
    assert picture[gap < 0.05].min() > 220
    assert (picture[gap > core + edge + 1] == 128).all()
    assert picture.min() < 100


def test_the_line_of_a_level_is_where_the_field_has_it() -> None:
    y, x = (np.mgrid[: SIZE[0], : SIZE[1]] + 0.5) * CELL
    field = np.exp(-((y - 45) ** 2 + (x - 61) ** 2) / (2 * 25**2)).astype(np.float32)
    line = level_line(field, float(np.exp(-(30**2) / (2 * 25**2))))
    by_level = drawn(marks(RGB, HEIGHT, WIDTH, [line], 1.0))
    light = by_level > 200
    assert light.sum() > 100
    assert ring()[light].max() < 1.2


def test_only_the_strongest_parts_are_outlined() -> None:
    y, x = (np.mgrid[: SIZE[0], : SIZE[1]] + 0.5) * CELL
    field = np.zeros(SIZE, np.float32)
    for column, height in ((25, 1.0), (60, 0.8), (95, 0.6)):
        field += height * np.exp(-((y - 45) ** 2 + (x - column) ** 2) / (2 * 6**2))
    inside = field > 0.3
    assert outline(field, np.ones(SIZE, bool), 3) is None
    for parts in (1, 2, 3):
        line = outline(field, inside, parts)
        assert line is not None
        light = drawn(marks(RGB, HEIGHT, WIDTH, [line], 1.0)) > 200
        found = [bool(light[:, c - 17 : c + 17].any()) for c in (25, 60, 95)]
        assert found == [index < parts for index in range(3)]


def test_a_box_has_its_corners() -> None:
    line = shape_line(box_distance(10.5, 20.5, 60.5, 100.5), SIZE)
    picture = drawn(marks(RGB, HEIGHT, WIDTH, [line], 1.0))
    for row, column in ((10, 20), (10, 100), (60, 20), (60, 100), (10, 50), (40, 20)):
        assert picture[row, column] > 220
    assert picture[35, 60] == 128


def test_two_halves_of_one_line_make_the_line() -> None:
    line = marks(RGB, HEIGHT, WIDTH, [shape_line(ring_distance(45, 61, 30), SIZE)], 0.9)
    assert line is not None
    whole = drawn(line)
    planes = [np.full((HEIGHT, WIDTH), 128, np.uint8) for _ in range(3)]
    draw_marks(planes, [(line, 0.5), (line, 0.5)])
    np.testing.assert_allclose(planes[0], whole, atol=1)
    np.testing.assert_array_equal(drawn(line, share=0.0), np.full((HEIGHT, WIDTH), 128))


@pytest.mark.parametrize("name", ["yuv420p", "yuv422p10le"])
def test_lines_take_the_colour_out_of_chroma_too(name: str) -> None:
    pixels = yuv(name, "bt601", False)
    line = marks(pixels, HEIGHT, WIDTH, [shape_line(ring_distance(45, 61, 30), SIZE)], 1.0)
    grey, tinted = 1 << (pixels.depth - 1), 200 << (pixels.depth - 8)
    planes = [np.full(pixels.shape(i, HEIGHT, WIDTH), tinted, pixels.dtype) for i in range(3)]
    assert line is not None
    draw_marks(planes, [(line, 1.0)])
    assert grey <= planes[1].min() < (grey + tinted) / 2
    assert planes[1].max() == tinted


def test_no_lines_no_marks() -> None:
    line = shape_line(ring_distance(45, 61, 30), SIZE)
    assert marks(RGB, HEIGHT, WIDTH, [], 1.0) is None
    assert marks(RGB, HEIGHT, WIDTH, [line], 0.0) is None
    assert marks(RGB, HEIGHT, WIDTH, [shape_line(ring_distance(900, 900, 3), SIZE)], 1.0) is None
