import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avloc.inference import schedule
from avloc.inference.schedule import Schedule
from avloc.media.reader import Shown


class Cuts:
    """Stands in for the detector: the pictures themselves tell."""

    def is_cut(self, picture):
        return picture == "cut"


@pytest.fixture(autouse=True)
def told_cuts(monkeypatch):
    monkeypatch.setattr(schedule, "CutDetector", Cuts)


def steps(times, fps, start=0.0, cuts=(), frame_seconds=0.04):
    frames = [Shown("cut" if k in cuts else "", time) for k, time in enumerate(times)]
    return list(Schedule(fps, start, frame_seconds).steps(frames))


def test_moments_lie_on_the_grid_and_belong_to_the_frame_shown():
    found = steps(np.arange(0, 1, 0.04), 5)
    moments = [(time, step.shown.time) for step in found for time in step.times]
    assert [time for time, _ in moments] == pytest.approx([0, 0.2, 0.4, 0.6, 0.8])
    assert [shown for _, shown in moments] == pytest.approx([0, 0.2, 0.4, 0.6, 0.8])


def test_rounded_times_do_not_shift_frames():
    found = steps([0, 0.033, 0.067, 0.1, 0.133, 0.167, 0.2, 0.233], 10, frame_seconds=1 / 30)
    assert [step.shown.time for step in found if step.times] == [0, 0.1, 0.2]


def test_every_frame_at_its_own_time():
    times = [0, 0.03, 0.09, 0.12]
    found = steps(times, 25, frame_seconds=0.04)
    assert [step.times for step in found] == [(t,) for t in times]


def test_the_first_frame_of_a_shot_has_its_own():
    found = steps(np.arange(0, 1, 0.04), 5, cuts=(12,))
    assert found[12].times == pytest.approx((0.48,))
    assert [step.shot for step in found] == [0] * 12 + [1] * 13


def test_the_frame_that_follows_is_of_the_same_shot():
    found = steps(np.arange(0, 1, 0.04), 25, cuts=(12,))
    following = [None if step.following is None else step.following.time for step in found]
    expected = [0.04 * (k + 1) if k not in (11, 24) else None for k in range(25)]
    assert following == [None if one is None else pytest.approx(one) for one in expected]
    rare = steps(np.arange(0, 1, 0.04), 5)
    assert [bool(step.following) for step in rare] == [bool(step.times) for step in rare]


def test_a_frame_held_long_has_several():
    found = steps([0, 1.0, 1.04], 5)
    assert found[0].times == pytest.approx((0, 0.2, 0.4, 0.6, 0.8))


def test_cut_video_starts_its_grid_there():
    found = steps(np.arange(3.0, 4.0, 0.04), 5, start=3.0)
    assert [t for step in found for t in step.times] == pytest.approx([3, 3.2, 3.4, 3.6, 3.8])


@settings(deadline=None)
@given(
    gaps=st.lists(st.floats(0.005, 0.7), min_size=1, max_size=60),
    fps=st.floats(0.3, 40),
    cuts=st.sets(st.integers(1, 59)),
)
def test_moments_increase_and_every_shot_begins_with_one(gaps, fps, cuts):
    times = np.cumsum([0.0, *gaps])
    found = steps(times, fps, cuts=cuts, frame_seconds=float(np.mean(gaps)))
    moments = [time for step in found for time in step.times]
    assert (np.diff(moments) > 0).all()
    firsts = {step.shot: step for step in reversed(found)}
    assert all(step.times for step in firsts.values())
