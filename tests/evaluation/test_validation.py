"""Validation by methods whose answers are known: those that see the truth, and their opposites."""

import numpy as np
import pytest

from avloc.evaluation.validation import (
    SOON,
    TURN,
    on_scenes,
    on_turns,
    turning_scenes,
    unseen_scenes,
)

SHAPE = (90, 160)


def box_map(boxes) -> np.ndarray:
    """1 in the middle of each box, 0 elsewhere."""
    values = np.zeros(SHAPE, np.float32)
    for x0, y0, x1, y1 in boxes:
        values[int((y0 + y1) / 2 * SHAPE[0]), int((x0 + x1) / 2 * SHAPE[1])] = 1
    return values


class Oracle:
    """Knows the scenes by their waves, and what sounds; `late` seconds behind the sound."""

    def __init__(self, scenes, wrong: bool = False, late: float = 0.0) -> None:
        self.scenes, self.wrong, self.late = scenes, wrong, late

    def __call__(self, frame, wave, rate, time):
        for scene in self.scenes:
            if np.array_equal(scene.frame(time), frame):
                then = [state.sounds for state in scene.truth(time - self.late)]
                states = scene.truth(time)
                pairs = zip(states, then, strict=True)
                return box_map([state.box for state, on in pairs if on != self.wrong])
        raise AssertionError("a frame of no scene")


@pytest.fixture(scope="module")
def turning():
    return turning_scenes(3, first=50)


def test_who_knows_what_sounds_tells_turns_and_follows_them(turning):
    found = on_turns(Oracle(turning), turning)
    assert found.told.all()
    assert found.soon.all()


def test_who_is_late_tells_turns_but_does_not_follow(turning):
    late = on_turns(Oracle(turning, late=SOON + 0.2), turning)
    assert late.told.all()
    assert not late.soon.any()
    assert SOON + 0.2 < TURN


def test_who_marks_what_is_silent_tells_none(turning):
    assert not on_turns(Oracle(turning, wrong=True), turning).told.any()


def test_a_peak_counts_inside_what_sounds_only():
    items = unseen_scenes(3, first=77)
    scenes = [scene for scene, _ in items]
    assert on_scenes(Oracle(scenes), items).all()
    assert not on_scenes(Oracle(scenes, wrong=True), items).any()
