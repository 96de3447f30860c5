import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avloc.features.windows import WindowStream, grid_times, window_at

RATE = 100


def wave(seconds: float) -> np.ndarray:
    return np.arange(1, round(seconds * RATE) + 1, dtype=np.float32)


def test_window_is_centred():
    window = window_at(wave(10), RATE, 5.0, 2.0)
    np.testing.assert_array_equal(window, np.arange(401, 601))


@pytest.mark.parametrize(("time", "first"), [(0.0, 1), (0.3, 1), (9.9, 801), (10.05, 801)])
def test_window_moves_inside_at_the_ends(time, first):
    np.testing.assert_array_equal(
        window_at(wave(10), RATE, time, 2.0), np.arange(first, first + 200)
    )


def test_start_of_the_sound_shifts_the_window():
    np.testing.assert_array_equal(
        window_at(wave(10), RATE, 8.0, 2.0, start=3.0), np.arange(401, 601)
    )


@pytest.mark.parametrize("time", [-0.2, 10.2, 99.0])
def test_outside_the_sound_is_silence(time):
    assert not window_at(wave(10), RATE, time, 2.0).any()
    assert not window_at(wave(0), RATE, time, 2.0).any()


def test_short_wave_is_repeated():
    short = wave(0.7)
    np.testing.assert_array_equal(window_at(short, RATE, 0.5, 2.0), np.tile(short, 3)[:200])


def test_grid_covers_the_wave():
    times = grid_times(10 * RATE, RATE, 0.5)
    assert times[0] == 0.25
    assert len(times) == 20
    assert len(grid_times(0, RATE)) == 1


@settings(max_examples=200, deadline=None)
@given(
    length=st.integers(0, 2500),
    cuts=st.lists(st.integers(1, 700), max_size=12),
    times=st.lists(st.floats(-2, 30), min_size=1, max_size=30),
    start=st.floats(-1, 3),
)
def test_stream_gives_what_the_whole_wave_gives(length, cuts, times, start):
    whole = np.random.default_rng(length).normal(size=length).astype(np.float32)
    chunks = np.split(whole, np.cumsum(cuts)[np.cumsum(cuts) < length])
    stream = WindowStream(chunks, RATE, 2.0, start)
    for time in sorted(times):
        np.testing.assert_array_equal(stream.window(time), window_at(whole, RATE, time, 2.0, start))


def test_stream_keeps_little():
    chunks = (np.ones(RATE, np.float32) for _ in range(5000))
    stream = WindowStream(chunks, RATE, 2.0)
    kept = []
    for time in np.arange(0, 5000, 7.0):
        stream.window(float(time))
        kept.append(len(stream._kept))
    assert max(kept) < 20 * RATE


def test_stream_read_from_a_later_point():
    whole = wave(100)
    stream = WindowStream([whole[4000:]], RATE, 2.0, 0.0, first=40.0)
    for time in (42.0, 50.0, 99.9):
        np.testing.assert_array_equal(stream.window(time), window_at(whole, RATE, time, 2.0))
