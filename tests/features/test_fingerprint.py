"""Fingerprints: the same sound is found again, another is not."""

import io

import numpy as np
import pytest
import soundfile

from avloc.features.fingerprint import HOP, RATE, Index, Prints, fingerprint


def melody(seed, seconds=5.0, rate=RATE):
    """Decaying notes at random times: what rings, knocks and chirps look like."""
    rng = np.random.default_rng(seed)
    wave = 0.002 * rng.standard_normal(round(seconds * rate))
    for _ in range(round(8 * seconds)):
        start, hertz = rng.integers(len(wave) - rate // 4), rng.uniform(150, 3500)
        t = np.arange(rate // 4) / rate
        wave[start : start + len(t)] += 0.3 * np.sin(2 * np.pi * hertz * t) * np.exp(-12 * t)
    return wave.astype(np.float32)


@pytest.fixture(scope="module")
def index():
    return Index.of((str(seed), fingerprint(melody(seed), RATE)) for seed in range(20))


def through(wave, form, subtype):
    file = io.BytesIO()
    soundfile.write(file, wave, RATE, format=form, subtype=subtype)
    file.seek(0)
    return soundfile.read(file, dtype="float32")[0]


@pytest.mark.parametrize(
    "change",
    [
        lambda wave: wave * 0.1,
        lambda wave: through(wave, "OGG", "VORBIS"),
        lambda wave: wave[RATE + 37 : 4 * RATE],
        lambda wave: wave + 0.01 * np.random.default_rng(9).standard_normal(len(wave)),
    ],
    ids=["quiet", "vorbis", "cut", "noise"],
)
@pytest.mark.parametrize("seed", [3, 11])
def test_a_changed_copy_is_found_and_nothing_else(index, change, seed):
    sought = fingerprint(change(melody(seed)).astype(np.float32), RATE)
    (match,) = index.search(sought, 10, 0.1)
    assert match.name == str(seed)


def test_the_shift_of_a_cut_is_told(index):
    (match,) = index.search(fingerprint(melody(5)[2 * RATE :], RATE), 10, 0.1)
    assert match.shift == pytest.approx(2.0, abs=0.03)


def test_another_rate_makes_no_other_prints(index):
    wave = np.interp(np.arange(5 * 2 * RATE) / 2, np.arange(5 * RATE), melody(7))
    (match,) = index.search(fingerprint(wave.astype(np.float32), 2 * RATE), 10, 0.1)
    assert match.name == "7"


def test_other_sounds_are_not_found(index):
    for seed in range(100, 110):
        assert index.search(fingerprint(melody(seed), RATE), 10, 0.1) == []


@pytest.mark.parametrize("wave", [np.zeros(RATE), np.zeros(0), np.ones(100), np.ones(RATE)])
def test_what_has_no_peaks_matches_nothing(index, wave):
    sought = fingerprint(wave.astype(np.float32), RATE)
    assert len(sought.pairs) == len(sought.frames) == 0
    assert index.search(sought, 1, 0.0) == []
    assert Index.of([("silence", sought)]).search(sought, 1, 0.0) == []


def test_search_counts_like_a_loop():
    rng = np.random.default_rng(0)
    sounds = {
        name: np.stack([rng.integers(0, 30, 80), rng.integers(0, 40, 80)], 1).tolist()
        for name in "abc"
    }
    prints = {name: Prints(*np.array(sound, np.int64).T) for name, sound in sounds.items()}
    found = {m.name: m for m in Index.of(prints.items()).search(prints["a"], 1, 0.0)}
    for name, other in sounds.items():
        counts: dict[int, int] = {}
        for pair, frame in sounds["a"]:
            for again, then in other:
                if again == pair:
                    for shift in (then - frame, then - frame + 1):
                        counts[shift] = counts.get(shift, 0) + 1
        assert found[name].common == max(counts.values())
        assert counts[round(found[name].shift * RATE / HOP)] == found[name].common
