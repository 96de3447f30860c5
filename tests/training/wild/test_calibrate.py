"""The confidence that is fitted on pairs, and how it is judged."""

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from avloc.data.concepts import Concepts
from avloc.data.pairs import FAINT, Pair, held_out_pairs
from avloc.data.wild import photos, recordings
from avloc.models.confidence import confidence
from avloc.models.two_stream import NetworkConfig, TwoStream
from avloc.training.wild.calibrate import calibrate, observe, reliability

TABLE = Path(__file__).parents[3] / "recipes" / "wild" / "concepts.yaml"
KINDS = ("matched", "mismatched", "silent")


def pairs_of(kinds):
    return [Pair(kind, Path("photo"), None, number) for number, kind in enumerate(kinds)]


@pytest.fixture
def rows():
    """Traits (n, 3) that tell matched pairs from others, but not always."""
    rng = np.random.default_rng(0)
    kinds = [KINDS[i % 3] for i in range(300)]
    centres = np.array(
        [[0.6, 0.3, 0.7] if kind == "matched" else [0.3, 0.2, 0.5] for kind in kinds]
    )
    return centres + 0.2 * rng.standard_normal((300, 3)), pairs_of(kinds)


def test_the_fit_is_the_least_of_its_loss(rows):
    traits, pairs = rows
    matched = np.array([pair.kind == "matched" for pair in pairs])

    def loss(p):
        signed = np.where(matched, 1, -1) * (traits @ p[:3] + p[3])
        return np.logaddexp(0, -signed).sum() + p[:3] @ p[:3] / (2 * 10)

    best = minimize(loss, np.zeros(4), tol=1e-10).x
    fitted = calibrate(traits, pairs)
    np.testing.assert_allclose([*fitted["weights"], fitted["bias"]], best, rtol=0.02, atol=0.02)


def test_matched_pairs_are_more_confident(rows):
    traits, pairs = rows
    fit = calibrate(traits, pairs)
    sure = np.array([confidence(row, 1.0, fit) for row in traits])
    bins = reliability(sure, np.array([pair.kind == "matched" for pair in pairs]))
    assert sum(one.count for one in bins) == len(pairs)
    assert bins[-1].matched > bins[0].matched + 0.4
    assert [one.confidence for one in bins] == sorted(one.confidence for one in bins)


def test_reliability_counts_by_hand():
    sure = 1 / (1 + np.exp(-np.array([-3.0, -2.9, 0.0, 0.2, 5.0])))
    bins = reliability(sure, np.array([False, True, False, True, True]), bins=4)
    assert [(one.count, one.matched) for one in bins] == [(2, 0.5), (2, 0.5), (1, 1.0)]
    hand = [sure[:2].mean(), sure[2:4].mean(), sure[4]]
    np.testing.assert_allclose([one.confidence for one in bins], hand)


@pytest.fixture(scope="module")
def concepts():
    return Concepts.read(TABLE)


def test_pairs_are_held_out(made_data, concepts):
    pairs = held_out_pairs(made_data, concepts, 10)
    shown = {row.path: row for row in photos(made_data, concepts, None, held_out=True)}
    heard = {row.path: row for row in recordings(made_data, concepts, None, held_out=True)}
    for kind in KINDS:
        assert sum(pair.kind == kind for pair in pairs) == 10
    seen = {"dog bark": "dog", "baby cry": "person"}
    for pair in pairs:
        photo = shown[pair.photo]
        if pair.kind != "silent":
            assert (seen[heard[pair.sound].label] in photo.labels) == (pair.kind == "matched")
    assert held_out_pairs(made_data, concepts, 10) == pairs
    assert held_out_pairs(made_data, concepts, 10, seed=1) != pairs


def test_a_silent_pair_is_faint_noise(made_data, concepts):
    pair = next(p for p in held_out_pairs(made_data, concepts, 2) if p.kind == "silent")
    wave = pair.wave(1000, 4000)
    assert wave.shape == (4000,)
    assert np.sqrt(np.mean(wave**2)) == pytest.approx(FAINT, rel=0.1)
    np.testing.assert_array_equal(wave, pair.wave(1000, 4000))


def test_what_is_observed_of_a_pair(made_data, concepts):
    torch.manual_seed(0)
    config = NetworkConfig(embedding=8, hidden=8, lateral=4, tag_hidden=8, tags=5, window=1.0)
    network = TwoStream(config).eval()
    observed = observe(network, held_out_pairs(made_data, concepts, 1))
    assert observed.keys() == {"default", "high"}
    for rows in observed.values():
        assert rows.shape == (3, 3)
        assert np.isfinite(rows).all()
        assert (np.abs(rows[:, 0]) <= 1 + 1e-5).all()
    # What is heard is the same, what is seen is not.
    np.testing.assert_array_equal(observed["default"][:, 2], observed["high"][:, 2])
    assert (observed["default"][:, 0] != observed["high"][:, 0]).all()
