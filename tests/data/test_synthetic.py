"""Scenes as values: same seed, same scene; the truth agrees with what is seen and heard."""

import dataclasses
import hashlib
import json
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avloc.data.synthetic import SCHEMA, Scene
from avloc.data.synthetic_classes import CLASSES
from avloc.errors import UsageError

RATE = 16000
SMALL = {"width": 160, "height": 96, "seconds": 3.0}
TINY = {"width": 64, "height": 64}
SEEDS = st.integers(0, 10**6)

few = settings(max_examples=12, deadline=None, derandomize=True)


def digest(seed: int) -> str:
    scene = Scene.random(seed, **SMALL)
    parts = scene.frame(1.3).tobytes() + scene.wave(RATE).tobytes()
    return hashlib.sha256(parts + json.dumps(scene.to_json()).encode()).hexdigest()


def without(scene: Scene, index: int) -> Scene:
    """The scene with one thing moved out of the way of all light, its path kept."""
    bare = dataclasses.replace(scene)
    sprites = list(scene._sprites)
    layers = sprites[index].layers.copy()
    layers[0], layers[1] = 0, 256
    sprites[index] = dataclasses.replace(sprites[index], layers=layers)
    bare.__dict__["_sprites"] = sprites
    return bare


def extent(changed: np.ndarray) -> tuple[int, int, int, int]:
    columns, rows = np.flatnonzero(changed.any(0)), np.flatnonzero(changed.any(1))
    return columns[0], rows[0], columns[-1] + 1, rows[-1] + 1


@few
@given(SEEDS)
def test_same_seed_same_scene(seed):
    assert Scene.random(seed, **SMALL) == Scene.random(seed, **SMALL)
    assert digest(seed) == digest(seed)
    assert Scene.random(seed, **SMALL) != Scene.random(seed + 1, **SMALL)


def test_another_process_makes_the_same_scene():
    code = "from test_synthetic import digest; print(digest(11))"
    paths = [str(Path(__file__).parent), *sys.path]
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env={"PYTHONPATH": os.pathsep.join(paths), "PYTHONHASHSEED": "5"},
    )  # fmt: skip
    assert told.stdout.strip() == digest(11)


def test_making_scenes_does_not_import_torch():
    code = (
        "import sys; from avloc.data.synthetic import Scene; s = Scene.random(1, seconds=1.0);"
        "s.frame(0.5), s.wave(); print({'torch', 'av', 'librosa'} & set(sys.modules))"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert told.stdout.strip() == "set()"


@few
@given(SEEDS, st.sampled_from([(320, 180), (200, 200), (161, 97)]), st.floats(0, 3))
def test_boxes_agree_with_pixels(seed, size, time):
    width, height = size
    scene = Scene.random(seed, objects=3, seconds=3.0, width=width, height=height)
    picture = scene.frame(time).astype(int)
    assert picture.shape == (height, width, 3)
    for index, state in enumerate(scene.truth(time)):
        difference = np.abs(picture - without(scene, index).frame(time)).max(2)
        seen = extent(difference > 0)
        x0, y0, x1, y1 = np.array(state.box) * (width, height, width, height)
        # Nothing of the thing lies outside its box but the soft edge ...
        assert seen[0] >= x0 - 4
        assert seen[1] >= y0 - 4
        assert seen[2] <= x1 + 4
        assert seen[3] <= y1 + 4
        # ... and it reaches to all sides, where no other thing hides it.
        free = all(
            x1 < a * width or x0 > c * width or y1 < b * height or y0 > d * height
            for other, (a, b, c, d) in enumerate(s.box for s in scene.truth(time))
            if other > index
        )
        if free:
            np.testing.assert_allclose(seen, (x0, y0, x1, y1), atol=4)


@few
@given(SEEDS, st.integers(1, 5))
def test_things_are_of_fair_size_and_move_inside_the_picture(seed, objects):
    scene = Scene.random(seed, objects=objects, seconds=3.0)
    names = [state.name for state in scene.truth(0.0)]
    assert len(set(names)) == objects
    before = None
    for time in np.arange(0, 3, 0.2):
        states = scene.truth(time)
        boxes = np.array([state.box for state in states])
        assert (boxes >= 0).all()
        assert (boxes <= 1).all()
        assert all(state.visible > 0.45 for state in states)
        whole = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
        whole /= [state.visible for state in states]
        assert (whole > 0.02).all()
        assert (whole < 0.17).all()
        middles = (boxes[:, :2] + boxes[:, 2:]) / 2
        if before is not None:
            assert np.abs(middles - before).max() < 0.15  # No jumps in a fifth of a second.
        before = middles


@few
@given(SEEDS)
def test_things_hardly_hide_each_other(seed):
    scene = Scene.random(seed, objects=3, seconds=3.0)
    hidden = []
    for time in np.arange(0, 3, 0.25):
        for a in (state.box for state in scene.truth(time)):
            for b in (state.box for state in scene.truth(time)):
                if a != b:
                    across = min(a[2], b[2]) - max(a[0], b[0])
                    down = min(a[3], b[3]) - max(a[1], b[1])
                    own = (a[2] - a[0]) * (a[3] - a[1])
                    hidden.append(max(0, across) * max(0, down) / own)
    assert np.mean(np.array(hidden) > 0.3) < 0.15


@few
@given(SEEDS)
def test_sound_only_while_something_sounds(seed):
    scene = dataclasses.replace(Scene.random(seed, objects=3, seconds=4.0), noise_db=None)
    wave = scene.wave(RATE)
    assert wave.dtype == np.float32
    assert wave.shape == (4 * RATE,)
    assert np.abs(wave).max() <= 1
    on = np.zeros(len(wave), bool)
    for event in scene.events:
        on[round(event.start * RATE) : round(event.end * RATE) + 1] = True
        # No thing is silent for long while it is said to sound.
        for start in np.arange(event.start, event.end - 0.75, 0.1):
            part = wave[round(start * RATE) : round((start + 0.75) * RATE)]
            assert np.sqrt(np.mean(part**2)) > 0.005
    assert not wave[~on].any()
    for time in np.arange(0, 4, 0.11):
        heard = {e.thing for e in scene.events if e.start <= time < e.end}
        assert [k in heard for k in range(3)] == [state.sounds for state in scene.truth(time)]


def test_mostly_one_thing_sounds():
    counts = [
        sum(state.sounds for state in scene.truth(time))
        for scene in (Scene.random(s, seconds=8.0, sounding=3, **TINY) for s in range(15))
        for time in np.arange(0, 8, 0.1)
    ]
    share = np.bincount(counts, minlength=3) / len(counts)
    assert share[1] > 0.7
    assert share[0] > 0.02
    assert share[2] > 0.02


def test_nothing_sounds_over_itself():
    for seed in range(30):
        events = Scene.random(seed, objects=2, sounding=2, seconds=20.0, **TINY).events
        assert {event.thing for event in events} == {0, 1}
        for thing in (0, 1):
            own = [event for event in events if event.thing == thing]
            assert all(a.end < b.start for a, b in pairwise(own))
            assert all(event.end - event.start >= 0.39 for event in own)


def test_some_things_never_sound():
    for seed in range(10):
        scene = Scene.random(seed, objects=4, sounding=2, seconds=8.0, **TINY)
        assert {event.thing for event in scene.events} < set(range(4))
        assert len({event.thing for event in scene.events}) == 2
    assert not Scene.random(1, sounding=0, **TINY).events


@pytest.mark.parametrize("kind", ["white", "pink", "brown"])
def test_noise_lies_as_far_below_as_stated(kind):
    scene = dataclasses.replace(
        Scene.random(3, seconds=4.0, **TINY), noise=kind, noise_db=20.0, gain=0.2
    )
    clean = dataclasses.replace(scene, noise_db=None)
    hiss = scene.wave(RATE) - clean.wave(RATE)
    assert np.sqrt(np.mean(hiss**2)) == pytest.approx(0.1 * 0.2 * 0.1, rel=0.02)
    power = np.abs(np.fft.rfft(hiss)) ** 2
    frequency = np.fft.rfftfreq(len(hiss), 1 / RATE)
    band = [power[(frequency > f) & (frequency < 2 * f)].mean() for f in (200, 1600)]
    fall = {"white": 0, "pink": 3, "brown": 6}[kind] * 3
    assert 10 * np.log10(band[0] / band[1]) == pytest.approx(fall, abs=1.5)


@few
@given(SEEDS)
def test_turns(seed):
    scene = Scene.turns(seed, seconds=8.0, width=320, height=180)
    for time in np.arange(0.05, 8, 0.1):
        states = scene.truth(time)
        assert [s.sounds for s in states] == [int(time / 2) % 2 == 0, int(time / 2) % 2 == 1]
        assert states[0].box[2] < 0.5 < states[1].box[0]


def test_pictures_do_not_tell_what_sounds():
    scene = Scene.random(5, **SMALL)
    silent = dataclasses.replace(scene, events=())
    np.testing.assert_array_equal(scene.frame(1.0), silent.frame(1.0))


def test_json_states_the_truth_of_every_frame():
    scene = Scene.random(9, objects=2, fps=12.5, **SMALL)
    told = json.loads(json.dumps(scene.to_json()))
    assert told["schema"] == SCHEMA
    assert len(told["times"]) == round(3.0 * 12.5)
    assert set(told["classes"]) == {thing.name for thing in scene.things}
    for k, time in enumerate(told["times"]):
        assert time == pytest.approx(k / 12.5, abs=1e-4)
        for entry, state in zip(told["objects"], scene.truth(time), strict=True):
            assert entry["class"] == state.name
            assert entry["sounds"][k] is state.sounds
            np.testing.assert_allclose(entry["boxes"][k], state.box, atol=1e-4)
    for entry, event in zip(told["events"], scene.events, strict=True):
        assert (entry["object"], entry["start"], entry["end"]) == dataclasses.astuple(event)


@pytest.mark.parametrize(
    "options",
    [
        {"objects": 0},
        {"objects": len(CLASSES) + 1},
        {"objects": 3, "classes": ["dog", "bell"]},
        {"classes": ["dragon"], "objects": 1},
        {"sounding": 4},
        {"seconds": 0.0},
        {"width": 8},
        {"fps": 0.0},
    ],
)
def test_impossible_scenes_are_refused(options):
    with pytest.raises(UsageError):
        Scene.random(0, **options)
    with pytest.raises(UsageError):
        Scene.random(-1)


def test_classes_may_repeat_when_asked():
    scene = Scene.random(2, objects=3, classes=["dog"], repeat=True, **TINY)
    assert [thing.name for thing in scene.things] == ["dog"] * 3
