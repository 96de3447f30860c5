"""Scenes as examples: what sounds is where the truth says, and held-out ones are others."""

import numpy as np
import pytest

from avloc.data.examples.batch import collate
from avloc.data.examples.plan import ExamplePlan
from avloc.data.examples.scenes import SceneOptions, Scenes, held_out_scene
from avloc.data.scenes import LAST_SEED
from avloc.data.synthetic import Scene
from avloc.errors import UsageError

PLAN = ExamplePlan(side=48, seconds=2.0, augment="none", truth=True)


def seed_of(name):
    return int(name.removeprefix("scene-"))


def test_an_example_is_a_moment_of_its_scene():
    scenes = Scenes(SceneOptions(fewest=2, most=2), PLAN, 3)
    for index in range(3):
        one = scenes[(0, index)]
        assert seed_of(one.id) < LAST_SEED
        scene = Scene.random(
            seed_of(one.id), objects=2, seconds=2.0, width=48, height=48, sounding=1
        )
        assert (one.waves[0] == scene.wave(16_000)).all()
        times = np.arange(1, 20) * 0.1
        shown = [t for t in times if (scene.frame(t).transpose(2, 0, 1) == one.frames[0]).all()]
        (sounding,) = [state for state in scene.truth(shown[0]) if state.sounds]
        x0, y0, x1, y1 = sounding.box
        assert one.extras["truth"].mean() == pytest.approx((x1 - x0) * (y1 - y0), rel=1e-4)
        assert not one.extras["unsure"].any()


def test_examples_are_functions_of_seed_epoch_and_index():
    scenes = Scenes(SceneOptions(), PLAN, 3)
    again = Scenes(SceneOptions(), PLAN, 3)[(1, 5)]
    one = scenes[(1, 5)]
    assert one.id == again.id
    assert (one.frames == again.frames).all()
    ids = {one.id, scenes[(0, 5)].id, scenes[(1, 6)].id, Scenes(SceneOptions(), PLAN, 4)[(1, 5)].id}
    assert len(ids) == 4


def test_views_and_mixtures_of_scenes():
    plan = ExamplePlan(side=48, seconds=2.0, augment="sacl", views=2, mix=True, truth=True)
    scenes = Scenes(SceneOptions(epoch=50), plan)
    batch = collate([scenes[(0, index)] for index in range(2)])
    assert len(scenes) == 50
    assert batch.frames.shape == (2, 2, 3, 48, 48)
    assert batch.waves.shape == (2, 2, 32_000)
    assert set(batch.extras) == {"truth", "unsure", "part"}
    assert {tuple(part.shape) for part in batch.extras.values()} == {(2, 48, 48)}


def test_held_out_scenes_are_others_and_always_the_same():
    options = SceneOptions(fewest=2, most=3)
    ids = set()
    for index in range(3):
        one = held_out_scene(index, options, 48, 16_000, 2.0)
        again = held_out_scene(index, options, 48, 16_000, 2.0)
        assert one.id == again.id
        assert (one.frame == again.frame).all()
        assert (one.wave == again.wave).all()
        assert seed_of(one.id) >= LAST_SEED
        assert one.frame.shape == (48, 48, 3)
        assert one.wave.shape == (32_000,)
        assert len(one.sounding) == 1
        assert 1 <= len(one.silent) <= 2
        ids.add(one.id)
    assert len(ids) == 3


def test_options_that_cannot_be():
    with pytest.raises(UsageError, match="3 to 2 is no range"):
        SceneOptions(fewest=3, most=2)
    with pytest.raises(UsageError, match="option sounding: expected 0 to 2, got 3"):
        SceneOptions(sounding=3)
    with pytest.raises(UsageError, match="smallest and largest"):
        SceneOptions(smallest=0.5, largest=0.1)
    with pytest.raises(UsageError, match="synthetic scenes have none"):
        Scenes(SceneOptions(), ExamplePlan(neighbours="a.json"))
