"""The bundled model on scenes where two things sound strictly in turn."""

import numpy as np
import pytest

from avloc.data.synthetic import Scene
from avloc.features.windows import window_at
from avloc.inference.engine import Engine
from avloc.models.weights import BUNDLED

SEEDS = range(20)
EACH = 2.0
"""Seconds a thing sounds."""
FOLLOWS = 0.5
"""Seconds after which the map lies on the thing that sounds now."""


@pytest.fixture(scope="module")
def engine() -> Engine:
    if not BUNDLED.exists():
        pytest.skip("there are no bundled weights")
    return Engine.load(device="cpu")


def strongest(values: np.ndarray, boxes: list) -> int:
    """The box in which the map (h, w) has its greatest value."""
    height, width = values.shape
    tops = []
    for x0, y0, x1, y1 in boxes:
        rows = slice(int(y0 * height), max(int(y0 * height) + 1, int(np.ceil(y1 * height))))
        columns = slice(int(x0 * width), max(int(x0 * width) + 1, int(np.ceil(x1 * width))))
        tops.append(values[rows, columns].max())
    return int(np.argmax(tops))


def right(engine: Engine, scene: Scene, wave: np.ndarray, times: list[float]) -> list[bool]:
    """Whether the map lies on the thing that sounds, at each time."""
    windows = np.stack([window_at(wave, engine.rate, time, engine.window) for time in times])
    frames = np.stack([engine.prepare(scene.frame(time)) for time in times])
    maps = [values for values, _ in engine.look(frames, engine.hear(windows))]
    states = [scene.truth(time) for time in times]
    return [
        state[strongest(values, [thing.box for thing in state])].sounds
        for values, state in zip(maps, states, strict=True)
    ]


def test_the_map_follows_most_turns_within_half_a_second(engine):
    """Most turns, of those it tells apart: late in the one and late in the next it is right."""
    followed = []
    for seed in SEEDS:
        scene = Scene.turns(seed, seconds=2 * EACH, each=EACH)
        times = [EACH - 0.3, EACH + FOLLOWS, 2 * EACH - 0.3]
        before, soon, after = right(engine, scene, scene.wave(engine.rate), times)
        if before and after:
            followed.append(soon)
    assert len(followed) >= 5
    assert np.mean(followed) > 0.5
