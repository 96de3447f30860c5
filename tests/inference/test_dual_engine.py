"""The engine of published methods: their networks, fed as their own scripts feed them."""

import json
from dataclasses import asdict

import numpy as np
import pytest
import torch

from avloc.errors import UsageError
from avloc.features.pictures import PICTURES
from avloc.features.sounds import SOUNDS
from avloc.inference import Localizer
from avloc.inference.dual_engine import DualEngine
from avloc.inference.engine import Evidence
from avloc.inference.loading import load_engine
from avloc.models.dual_encoder import DualConfig, DualEncoder
from avloc.models.published.methods import METHODS
from avloc.models.weights import Header, save_weights


def fresh(config):
    torch.manual_seed(0)
    return DualEncoder(config).eval()


def engine_of(method):
    config = METHODS[method].config
    return DualEngine(fresh(config), Header(method, config))


@pytest.fixture(scope="module", params=["lvs", "sslalign", "slavc"])
def engine(request):
    """A network that crops, one that resizes floats, and one with two projections."""
    return engine_of(request.param)


@pytest.fixture(scope="module")
def frames():
    coarse = np.random.default_rng(1).integers(0, 256, (2, 9, 16, 3), np.uint8)
    return coarse.repeat(20, 1).repeat(20, 2)


def wave_of(engine, seconds=11.0, seed=0):
    rng = np.random.default_rng(seed)
    return (0.1 * rng.standard_normal(int(seconds * engine.rate))).astype(np.float32)


@torch.inference_mode()
def test_an_item_is_asked_as_its_authors_would(engine, frames):
    """By hand: preset, network, cosine; of all of the sound and the cropped picture."""
    config = engine.header.network
    sound, picture = SOUNDS[config.waves], PICTURES[config.picture]
    wave = wave_of(engine)
    excerpt = torch.from_numpy(sound.excerpt(wave))[None]
    network = fresh(config)
    heard = network.hear(sound.spectrogram(excerpt, sound.rate))
    prepared = torch.from_numpy(picture.item(frames[0]))[None]
    cells = network.see(picture.normalise(prepared))
    expected = (cells[0] * heard[0][:, None, None]).sum(0).numpy()

    evidence = engine.hear(engine.excerpts(wave))
    ((values, confidence),) = engine.look(engine.prepare_item(frames[0])[None], evidence)
    assert values.dtype == np.float32
    np.testing.assert_allclose(values, expected, atol=1e-6)
    best = np.sort(expected.ravel())[-(expected.size // 4) :]
    assert confidence == pytest.approx((best.mean() + 1) / 2, abs=1e-6)
    assert evidence.tags == [()]


def test_a_batch_is_its_items(engine, frames):
    windows = np.stack([wave_of(engine, engine.window, seed) for seed in (1, 2)])
    prepared = np.stack([engine.prepare(frame) for frame in frames])
    evidence = engine.hear(windows)
    together = engine.look(prepared, evidence)
    for k in range(2):
        ((alone, sure),) = engine.look(prepared[k : k + 1], engine.hear(windows[k : k + 1]))
        np.testing.assert_allclose(together[k][0], alone, atol=1e-5)
        assert together[k][1] == pytest.approx(sure, abs=1e-5)
    assert np.abs(together[0][0] - together[1][0]).max() > 1e-4


def test_a_map_is_of_the_whole_frame(frames):
    """Where the original crops to a square, a wide frame gives a wide map."""
    for method, shape in (("lvs", (14, 26)), ("sslalign", (14, 14))):
        engine = engine_of(method)
        evidence = engine.hear(wave_of(engine, engine.window)[None])
        assert engine.look(engine.prepare(frames[0])[None], evidence)[0][0].shape == shape
        assert engine.look(engine.prepare_item(frames[0])[None], evidence)[0][0].shape == (14, 14)


def test_a_localizer_hears_all_of_a_wave_as_the_original_does(engine, frames):
    localizer = Localizer(engine)
    wave = wave_of(engine)
    whole = localizer.heatmap(frames[0], wave, engine.rate)
    evidence = engine.hear(engine.excerpts(wave))
    ((values, _),) = engine.look(engine.prepare(frames[0])[None], evidence)
    np.testing.assert_array_equal(whole.values, values)
    length = len(wave) / engine.rate
    middle = localizer.heatmap(frames[0], wave, engine.rate, time=length / 2)
    assert middle.values.shape == whole.values.shape


def test_silence_and_no_sound(engine, frames):
    prepared = engine.prepare(frames[0])[None]
    silent = engine.hear(np.zeros((1, round(engine.window * engine.rate)), np.float32))
    ((values, confidence),) = engine.look(prepared, silent)
    assert np.isfinite(values).all()
    assert confidence == 0
    with pytest.raises(UsageError, match="needs sound"):
        engine.look(prepared, None)


def test_there_is_one_quality():
    config = METHODS["ezvsl"].config
    with pytest.raises(UsageError, match="no quality 'high'"):
        DualEngine(fresh(config), Header("x", config), quality="high")


def test_the_weight_file_chooses_the_engine(tmp_path, frames):
    config = DualConfig("squash", "ezvsl", projections=1)
    network = fresh(config)
    path = tmp_path / "w.safetensors"
    save_weights(path, network, Header("mine", config), torch.float32)
    engine = load_engine(path, "cpu")
    assert isinstance(engine, DualEngine)
    assert (engine.id, engine.rate, engine.window) == ("mine", 16_000, 3.0)
    assert json.loads(json.dumps(asdict(engine.header)))["network"]["projections"] == 1
    evidence = Evidence(np.eye(512, dtype=np.float32)[:1], np.ones(1, np.float32))
    ((values, _),) = engine.look(engine.prepare(frames[0])[None], evidence)
    ((expected, _),) = DualEngine(network, Header("mine", config)).look(
        engine.prepare(frames[0])[None], evidence
    )
    np.testing.assert_array_equal(values, expected)
