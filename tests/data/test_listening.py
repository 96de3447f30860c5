"""Training sounds: windows, mixtures, made-up class probabilities."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from avloc.data.concepts import Concepts
from avloc.data.listening import Recordings, augmented, made_up, recordings_by_concept
from avloc.data.wild import Recording, recordings

TABLE = Path(__file__).parents[2] / "recipes" / "wild" / "concepts.yaml"
RATE = 8000


@pytest.fixture(scope="module")
def concepts():
    return Concepts.read(TABLE)


@pytest.fixture
def write(tmp_path):
    def write(wave):
        soundfile.write(tmp_path / "a.wav", wave, RATE, subtype="FLOAT")
        return tmp_path / "a.wav"

    return write


def test_waves_are_kept_to_16_bits(write, tone):
    wave = tone(0.3, RATE)
    kept = Recordings(RATE, 1.0).wave(write(wave))
    assert kept.dtype == np.float32
    np.testing.assert_allclose(kept, wave, atol=1 / 32767)


def test_beyond_full_scale_is_clipped(write, tone):
    wave = tone(0.3, RATE, level=1.3)
    kept = Recordings(RATE, 1.0).wave(write(wave))
    np.testing.assert_allclose(kept, np.clip(wave, -1, 1), atol=1 / 32767)


def test_short_waves_are_tiled(write, tone):
    wave = tone(0.3, RATE)
    window = Recordings(RATE, 1.0).window(write(wave), np.random.default_rng(0))
    assert window.shape == (RATE,)
    np.testing.assert_allclose(window, np.resize(wave, RATE), atol=1 / 32767)


def test_windows_are_where_something_is_heard(write, tone):
    wave = np.concatenate([np.zeros(3 * RATE, np.float32), tone(3.0, RATE)])
    made = Recordings(RATE, 1.0)
    path = write(wave)
    levels = [np.abs(made.window(path, np.random.default_rng(seed))).max() for seed in range(40)]
    # The loudest of three tries is silent in an eighth of the cases, a single one in half.
    assert np.mean(np.array(levels) > 0.1) > 0.75


@given(st.integers(0, 500))
def test_augmented_sounds_stay_in_range(seed):
    rng = np.random.default_rng(seed)
    wave = np.sin(np.arange(RATE) * 0.3).astype(np.float32)
    other = 0.2 * np.sin(np.arange(RATE) * 0.7).astype(np.float32)
    made = augmented(wave, rng, other)
    assert made.dtype == np.float32
    assert np.abs(made).max() <= 1
    # The sound itself stays the greatest part of it.
    share = (made @ wave) / (np.linalg.norm(made) * np.linalg.norm(wave))
    assert share > 0.8


def test_silence_can_be_augmented():
    made = augmented(np.zeros(100, np.float32), np.random.default_rng(0), np.zeros(100, np.float32))
    assert np.isfinite(made).all()


def test_made_up_sounds_are_led_by_their_concept(concepts):
    rng = np.random.default_rng(0)
    dog = concepts.names.index("dog")
    own = concepts.sound[dog] > 0
    for _ in range(50):
        probability = made_up(concepts, dog, rng)
        assert probability.shape == (527,)
        assert own[probability.argmax()]
        assert probability.max() <= 0.95
        assert probability[~own].max() <= 0.1


def test_recordings_by_concept(made_data, concepts):
    rows = recordings(made_data, concepts, "free")
    found = recordings_by_concept(rows)
    dog = concepts.names.index("dog")
    assert [row.label for row in found[dog]] == ["dog bark"] * 3
    assert recordings_by_concept([Recording(Path("x"), "s", "l", ())]) == {}
