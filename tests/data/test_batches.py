"""Training batches from made-up data: the same for the same step, and of the shapes they state."""

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from avloc.data.batches import Batches, Counts
from avloc.data.composites import Composer, Composite
from avloc.data.concepts import Concepts
from avloc.data.listening import Recordings
from avloc.data.pictures import Pictures
from avloc.data.scenes import SyntheticSource
from avloc.data.wild import photos, recordings
from avloc.errors import DataError

TABLE = Path(__file__).parents[2] / "recipes" / "wild" / "concepts.yaml"
RATE = 8000
SIZES = ((96, 96), (64, 128))
COUNTS = Counts(pictures=4, recordings=3, made_up=5, synthetic=0.5)


@pytest.fixture(scope="module")
def concepts():
    return Concepts.read(TABLE)


@pytest.fixture(scope="module")
def make(made_data, concepts):
    import json

    tags = json.loads((made_data / "weights" / "labels.json").read_text())["audioset"]
    scenes = SyntheticSource(concepts, tags, RATE, 1.0)

    def batches(seed=0, counts=COUNTS, concepts=concepts):
        composer = Composer(photos(made_data, concepts, "free"), Pictures(), scenes.rows, 0)
        heard = recordings(made_data, concepts, "free")
        waves = Recordings(RATE, 1.0)
        return Batches(composer, concepts, heard, waves, scenes, SIZES, counts, seed, 10)

    return batches


def same(one, other):
    return all(
        np.array_equal(getattr(one, field.name), getattr(other, field.name))
        for field in fields(one)
    )


def test_a_batch_is_a_function_of_seed_and_step(make):
    first, again = make(), make()
    later = first[5]  # in another order, and with caches filled
    assert same(again[5], later)
    assert not same(first[4], later)
    assert not same(make(seed=1)[5], later)


def test_shapes_and_ranges(make, concepts):
    batches = make()
    assert len(batches) == 10
    sizes = set()
    for step in range(6):
        batch = batches[step]
        drawn = len(batch.waves) - COUNTS.recordings
        assert 0 <= drawn <= COUNTS.pictures
        b, _, height, width = batch.frames.shape
        s, h, w = len(batch.waves) + COUNTS.made_up, height // 16, width // 16
        assert b == COUNTS.pictures
        assert batch.frames.dtype == np.uint8
        assert batch.frames.flags.c_contiguous
        assert batch.waves.shape[1:] == (RATE,)
        assert batch.waves.dtype == batch.probabilities.dtype == batch.truth.dtype == np.float32
        assert np.abs(batch.waves).max() <= 1
        assert np.abs(batch.waves).max(1).min() > 1e-3, "no sound is silent"
        assert batch.probabilities.shape == (COUNTS.made_up, concepts.sound.shape[1])
        assert batch.probabilities.min() >= 0
        assert batch.probabilities.max() <= 1
        assert batch.truth.shape == batch.unsure.shape == (s, b, h, w)
        assert batch.unsure.dtype == bool
        assert batch.truth.min() >= 0
        assert batch.truth.max() <= 1
        sizes.add((height, width))
    assert sizes == set(SIZES)


def test_a_scene_is_where_its_own_sound_is(make):
    batch = make(counts=Counts(3, 1, 1, 1.0))[0]
    for scene in range(3):
        assert batch.truth[scene, scene].max() > 0.2
        assert not batch.unsure[scene, scene].any()


def test_no_sound_is_made_up_of_a_concept_without_sound_classes(make, concepts):
    """`monkey` has recordings, but no class of its own among the sound classes."""
    sound = concepts.sound * (np.arange(len(concepts)) == concepts.names.index("dog"))[:, None]
    batches = make(counts=Counts(2, 1, 8, 0.0), concepts=replace(concepts, sound=sound))
    dog = sound.any(0)
    made = np.concatenate([batches[step].probabilities for step in range(4)])
    assert made.any(1).all()
    assert (made[:, dog].max(1) > 0.25).mean() > 0.6  # a tenth names nothing
    present = [np.flatnonzero(~sound.any(1))]
    rng = np.random.default_rng(0)
    dogs = {batches._concept(present, rng, batches._voiced) for _ in range(20)}
    assert dogs == {concepts.names.index("dog")}


def test_a_table_without_sound_classes(make, concepts):
    silent = replace(concepts, sound=np.zeros_like(concepts.sound))
    with pytest.raises(DataError, match="names no sound class"):
        make(concepts=silent)
    make(counts=Counts(2, 1, 0, 0.0), concepts=silent)


def test_photos_alone(make):
    batch = make(counts=Counts(3, 2, 0, 0.0))[0]
    assert len(batch.waves) == 2
    assert batch.probabilities.shape == (0, 527)
    assert batch.truth.shape[:2] == (2, 3)


def test_most_sounds_are_of_something_shown(make):
    batches = make(counts=Counts(3, 4, 4, 0.0))
    heard = np.concatenate([batches[step].truth[:4].max((1, 2, 3)) > 0.3 for step in range(8)])
    assert heard.mean() > 0.5


def test_where_any_of_several_concepts_is():
    first, second = (Composite(np.zeros((32, 64, 3), np.uint8), 3) for _ in range(2))
    whole, left = np.array([0, 0, 64, 32]), np.array([0, 0, 24, 32])
    first.doubt(whole, (0,))
    first.add(left, (1,))
    second.add(left, (2,))
    truth, unsure = Batches._where([first, second], (0, 1))
    assert truth[0, 0].tolist() == [1, 0.5, 0, 0]
    assert unsure[0, 0].tolist() == [False, False, True, True]
    assert not truth[1].any()
    assert not unsure[1].any()


def test_what_is_true_is_not_in_doubt(make):
    batches = make(counts=Counts(4, 4, 4, 0.0))
    for step in range(4):
        batch = batches[step]
        assert not (batch.unsure & (batch.truth > 0)).any()
