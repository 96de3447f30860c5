import numpy as np
import pytest

from avloc.media.blend import CELL
from avloc.media.lines import Line, box_line, outline, ring
from avloc.media.marks import Marks, draw_marks, line_reach, line_width, marks
from avloc.media.pixels import RGB, yuv

HEIGHT, WIDTH = 90, 122
SIZE = -(-HEIGHT // CELL), -(-WIDTH // CELL)
REACH = line_reach(HEIGHT, WIDTH)


def drawn(some: Marks | None, ground: int = 128) -> np.ndarray:
    planes = [np.full((HEIGHT, WIDTH), ground, np.uint8) for _ in range(3)]
    if some:
        draw_marks(planes, some)
    return planes[0].astype(int)


def circle(radius: float = 30.0, opacity: float = 1.0, x: float = 61) -> Line:
    return ring(45, x, radius, SIZE, REACH, opacity)


def from_circle(radius: float = 30.0) -> np.ndarray:
    """The distance of every pixel's centre."""
    y, x = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    return np.abs(np.hypot(y - 45, x - 61) - radius)


def test_a_ring_is_light_with_a_dark_edge_and_nothing_else() -> None:
    picture = drawn(marks(RGB, HEIGHT, WIDTH, [circle()]))
    gap = from_circle()
    core, edge = line_width(HEIGHT, WIDTH)
    assert picture[gap < 0.05].min() > 220
    assert (picture[gap > core + edge + 1] == 128).all()
    assert picture.min() < 100


def test_the_line_of_a_level_is_where_the_field_has_it() -> None:
    y, x = (np.mgrid[: SIZE[0], : SIZE[1]] + 0.5) * CELL
    field = np.exp(-((y - 45) ** 2 + (x - 61) ** 2) / (2 * 25**2)).astype(np.float32)
    inside = field >= float(np.exp(-(30**2) / (2 * 25**2)))
    line = outline(field, inside, 3, REACH, 1.0)
    assert line is not None
    light = drawn(marks(RGB, HEIGHT, WIDTH, [line])) > 200
    assert light.sum() > 100
    assert from_circle()[light].max() < 2.2  # the region's least cell lies up to half a cell inside
    assert np.ptp(from_circle()[light]) < 2.2
    for quarter in (np.s_[:45, :61], np.s_[:45, 61:], np.s_[45:, :61], np.s_[45:, 61:]):
        assert light[quarter].sum() > 25


def test_a_region_at_the_border_is_outlined_within_the_picture() -> None:
    y, x = (np.mgrid[: SIZE[0], : SIZE[1]] + 0.5) * CELL
    field = np.exp(-((y - HEIGHT) ** 2 + (x - WIDTH) ** 2) / (2 * 25**2)).astype(np.float32)
    line = outline(field, field >= 0.5, 3, REACH, 1.0)
    assert line is not None
    light = drawn(marks(RGB, HEIGHT, WIDTH, [line])) > 200
    y, x = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    away = np.hypot(y - HEIGHT, x - WIDTH)[light]
    assert len(away) > 15
    assert np.abs(away - 25 * np.sqrt(2 * np.log(2))).max() < 4


def test_only_the_strongest_parts_are_outlined() -> None:
    y, x = (np.mgrid[: SIZE[0], : SIZE[1]] + 0.5) * CELL
    field = np.zeros(SIZE, np.float32)
    for column, height in ((25, 1.0), (60, 0.8), (95, 0.6)):
        field += height * np.exp(-((y - 45) ** 2 + (x - column) ** 2) / (2 * 6**2))
    inside = field > 0.3
    assert outline(field, np.ones(SIZE, bool), 3, REACH, 1.0) is None
    assert outline(field, np.zeros(SIZE, bool), 3, REACH, 1.0) is None
    for parts in (1, 2, 3):
        line = outline(field, inside, parts, REACH, 1.0)
        assert line is not None
        light = drawn(marks(RGB, HEIGHT, WIDTH, [line])) > 200
        found = [bool(light[:, c - 17 : c + 17].any()) for c in (25, 60, 95)]
        assert found == [index < parts for index in range(3)]


def test_a_box_has_its_corners() -> None:
    line = box_line(10.5, 20.5, 60.5, 100.5, SIZE, REACH, 1.0)
    picture = drawn(marks(RGB, HEIGHT, WIDTH, [line]))
    for row, column in ((10, 20), (10, 100), (60, 20), (60, 100), (10, 50), (40, 20)):
        assert picture[row, column] > 220
    assert picture[35, 60] == 128


def test_each_line_has_its_own_opacity() -> None:
    faint, whole = circle(8, 0.25, x=30), circle(8, 1.0, x=90)
    picture = drawn(marks(RGB, HEIGHT, WIDTH, [faint, whole]))
    np.testing.assert_array_equal(
        picture[:, :61], drawn(marks(RGB, HEIGHT, WIDTH, [faint]))[:, :61]
    )
    np.testing.assert_array_equal(
        picture[:, 61:], drawn(marks(RGB, HEIGHT, WIDTH, [whole]))[:, 61:]
    )
    assert 128 < picture[:, :61].max() < 180 < 220 < picture[:, 61:].max()


def test_lines_that_meet_are_drawn_once() -> None:
    one = drawn(marks(RGB, HEIGHT, WIDTH, [circle(opacity=0.5)]))
    both = drawn(marks(RGB, HEIGHT, WIDTH, [circle(opacity=0.5), circle(opacity=0.5)]))
    np.testing.assert_array_equal(one, both)
    crossing = marks(RGB, HEIGHT, WIDTH, [circle(20, x=50), circle(20, x=70)])
    light = np.minimum.reduce(
        [
            np.abs(np.hypot(*(np.mgrid[:HEIGHT, :WIDTH] + 0.5 - [[[45]], [[x]]])) - 20)
            for x in (50, 70)
        ]
    )
    assert drawn(crossing)[light < 0.05].min() > 220


@pytest.mark.parametrize("name", ["yuv420p", "yuv422p10le"])
@pytest.mark.parametrize("size", [(HEIGHT, WIDTH), (89, 121), (88, 120)])
def test_lines_take_the_colour_out_of_chroma_too(name: str, size: tuple[int, int]) -> None:
    pixels = yuv(name, "bt601", False)
    line = marks(pixels, *size, [circle()])
    grey, tinted = 1 << (pixels.depth - 1), 200 << (pixels.depth - 8)
    planes = [np.full(pixels.shape(i, *size), tinted, pixels.dtype) for i in range(3)]
    assert line is not None
    draw_marks(planes, line)
    assert grey <= planes[1].min() < (grey + tinted) / 2
    assert planes[1].max() == tinted
    assert planes[0].max() > 210 << (pixels.depth - 8)


def test_chroma_is_the_mean_of_its_pixels() -> None:
    fine, coarse = yuv("yuv444p", "bt601", False), yuv("yuv420p", "bt601", False)
    planes = {}
    for pixels in (fine, coarse):
        planes[pixels] = np.full(pixels.shape(1, 88, 120), 228, np.uint8)
        some = marks(pixels, 88, 120, [circle()])
        assert some is not None
        draw_marks([np.zeros((88, 120), np.uint8), planes[pixels], planes[pixels].copy()], some)
    means = planes[fine].reshape(44, 2, 60, 2).mean(axis=(1, 3))
    np.testing.assert_allclose(planes[coarse], means, atol=1)


def test_no_lines_no_marks() -> None:
    assert marks(RGB, HEIGHT, WIDTH, []) is None
    assert marks(RGB, HEIGHT, WIDTH, [circle(opacity=0.0)]) is None
    assert marks(RGB, HEIGHT, WIDTH, [ring(900, 900, 3, SIZE, REACH, 1.0)]) is None
    assert marks(RGB, HEIGHT, WIDTH, [ring(-90, -90, 3, SIZE, REACH, 1.0)]) is None
