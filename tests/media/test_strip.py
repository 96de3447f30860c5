import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avloc.media.strip import CURVE, Strip, clock, strip_height


def levels(strip: Strip) -> np.ndarray:
    """How many pixels of each column have the curve's colour."""
    return (np.abs(strip.picture.astype(int) - CURVE).sum(axis=2) < 12).sum(axis=0)


def test_the_curve_follows_the_confidence_and_leaves_the_future_empty() -> None:
    strip = Strip(60, 200, 10.0)
    for now in np.arange(0, 5, 0.1):
        strip.advance(float(now), 0.2 if now < 2.5 else 0.9)
    height = levels(strip)
    assert height[10:40].min() > 0
    assert height[60:90].min() > 3 * height[10:40].max()
    assert not height[105:].any()


def test_gaps_between_frames_are_filled() -> None:
    strip = Strip(60, 200, 10.0)
    strip.advance(0.0, 0.0)
    strip.advance(9.99, 1.0)
    height = levels(strip)
    assert (np.diff(height) >= 0).all()
    assert height[-1] > height[100] > height[10]


@pytest.mark.parametrize("width", [200, 201])
def test_the_axis_doubles_where_time_outlasts_it(width: int) -> None:
    strip = Strip(60, width, 10.0)
    for now in np.arange(0, 25, 0.05):
        strip.advance(float(now), 0.8)
    assert strip.duration == 40.0
    height = levels(strip)
    end = int(25 / 40 * width)
    assert height[: end - 2].min() > 10
    assert not height[end + 2 :].any()


@settings(max_examples=20)
@given(
    st.integers(1, 2000),
    st.integers(1, 300),
    st.one_of(st.none(), st.floats(0, 1e5)),
    st.lists(st.floats(-1, 100), max_size=8),
)
def test_any_size_and_any_times_are_drawn(
    size: int, width: int, duration: float | None, times: list[float]
) -> None:
    strip = Strip(strip_height(size, width), width, duration)
    for now in times:
        first, end = strip.advance(now, 0.5)
        assert 0 <= first < end <= width
    assert strip_height(size, width) % 2 == 0


def test_times_are_written_as_people_do() -> None:
    assert clock(65) == "1:05"
    assert clock(3723) == "1:02:03"
    assert clock(0.5, 0.5) == "0:00.5"
