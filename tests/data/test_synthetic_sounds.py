"""The timbres differ, judged by librosa; every one sounds at every rate and length."""

import dataclasses

import numpy as np
import pytest

from avloc.data.synthetic import Event, Scene
from avloc.data.synthetic_classes import CLASSES
from avloc.data.synthetic_sounds import Voice
from avloc.data.synthetic_tones import TOP, convolved, noise, plucked, ring, room

RATE = 32000


def sample(name: str, seed: int) -> np.ndarray:
    scene = Scene.random(seed, objects=1, classes=[name], seconds=1.6, width=64, height=64)
    return dataclasses.replace(scene, events=(Event(0, 0.0, 1.6),), noise_db=25.0).wave(RATE)


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize(("seconds", "rate"), [(0.1, 8000), (0.9, 16000), (2.4, 44100)])
def test_every_timbre_at_every_rate(name, seconds, rate):
    rng = np.random.default_rng(0)
    wave = CLASSES[name].timbre(Voice.random(rng), seconds, rate, rng)
    assert wave.shape == (round(seconds * rate),)
    assert np.isfinite(wave).all()
    assert np.sqrt(np.mean(wave**2)) > 1e-3


@pytest.mark.parametrize("name", CLASSES)
def test_nothing_aliases(name):
    rng = np.random.default_rng(1)
    wave = CLASSES[name].timbre(Voice(1.2, 1.0, 1.0), 2.0, 16000, rng)
    power = np.abs(np.fft.rfft(wave * np.hanning(len(wave)))) ** 2
    edge = int((TOP + 0.02) * len(wave))
    assert power[edge:].sum() < 0.01 * power.sum()


def test_classes_are_told_apart_by_their_spectra():
    """Nearest class mean of MFCC statistics, leaving voices out: far above chance (8 %)."""
    librosa = pytest.importorskip("librosa")
    rows, labels = [], []
    for number, name in enumerate(CLASSES):
        for seed in range(6):
            bands = librosa.feature.mfcc(y=sample(name, seed), sr=RATE, n_mfcc=20, hop_length=320)
            rows.append(np.concatenate((bands.mean(1), bands.std(1))))
            labels.append(number)
    features, truth = np.array(rows), np.array(labels)
    features = (features - features.mean(0)) / features.std(0)
    fold = np.arange(len(truth)) % 2
    hits = 0
    for half in (0, 1):
        means = [features[(truth == k) & (fold != half)].mean(0) for k in range(len(CLASSES))]
        distance = np.linalg.norm(features[fold == half][:, None] - np.array(means)[None], axis=2)
        hits += int((distance.argmin(1) == truth[fold == half]).sum())
    assert hits / len(truth) > 0.8


def test_a_plucked_string_has_its_pitch():
    librosa = pytest.importorskip("librosa")
    for frequency in (110.0, 220.0, 329.6):
        string = plucked(frequency, 1.0, 0.5, RATE, np.random.default_rng(0))
        heard = np.median(librosa.yin(string, fmin=80, fmax=500, sr=RATE))
        assert heard == pytest.approx(frequency, rel=0.015)


def test_ring_decays_as_stated():
    wave = ring((1000.0,), (1.0,), (0.1,), 0.5, RATE)
    peaks = [np.abs(wave[round(t * RATE) :][:64]).max() for t in (0.0, 0.1, 0.2)]
    np.testing.assert_allclose(np.diff(np.log(peaks)), -1, atol=0.05)


def test_noise_follows_its_level():
    wave = noise(RATE, RATE, np.random.default_rng(0), lambda f: (100 / f) ** 0.5)
    assert np.sqrt(np.mean(wave**2)) == pytest.approx(1, rel=1e-3)


def test_convolution_against_numpy():
    rng = np.random.default_rng(0)
    wave, response = rng.standard_normal(700), rng.standard_normal(90)
    expected = np.convolve(wave, response)[:700]
    np.testing.assert_allclose(convolved(wave, response), expected, atol=1e-3)


def test_a_room_falls_by_60_db():
    tail = room(0.5, RATE, np.random.default_rng(0))
    early, late = (np.std(tail[round(t * RATE) :][:1600]) for t in (0.03, 0.43))
    assert 20 * np.log10(early / late) == pytest.approx(48, abs=2)
