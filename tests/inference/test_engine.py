"""The engine: evidence as a value, batches against single items, devices, confidence."""

import warnings

import numpy as np
import pytest
import torch
from torch.nn import functional

from avloc.errors import EnvironmentProblem, UsageError, WeightsError
from avloc.features.image import input_size, normalise
from avloc.features.spectrogram import log_mel
from avloc.inference.engine import MOST_TAGS, Evidence, choose_device
from avloc.inference.two_stream_engine import TwoStreamEngine
from avloc.models.two_stream import NetworkConfig, TwoStream, correlate
from avloc.models.weights import Header, save_weights
from avloc.resize import resize

NAMES = ["a", "b", "c", "d", "e", "f", "g"]
CONFIG = NetworkConfig(
    embedding=12, hidden=10, lateral=4, tag_hidden=8, tags=7, window=0.5, area=96 * 96
)
NUMBERS = {"weights": [2.0, 1.0, 0.5], "bias": 0.1}
HEADER = Header("test-model", CONFIG, {"default": NUMBERS, "high": NUMBERS}, NAMES)


def fresh() -> TwoStream:
    """A network whose layers pass something on."""
    torch.manual_seed(0)
    network = TwoStream(CONFIG)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None
    with torch.no_grad():
        network.see(torch.randn(4, 3, 64, 64))
        network.hear(torch.randn(4, 1, 128, 64))
        network.tagger.inner.weight.mul_(0.1)
    return network.eval()


@pytest.fixture(scope="module")
def engine():
    return TwoStreamEngine(fresh(), HEADER)


@pytest.fixture
def windows():
    rng = np.random.default_rng(0)
    return (0.1 * rng.standard_normal((3, 16_000))).astype(np.float32)


@pytest.fixture
def frames():
    return np.random.default_rng(1).integers(0, 256, (3, 72, 128, 3), np.uint8)


def evidence(*rows, level=0.1):
    probability = np.array(rows, np.float32)
    return Evidence(probability, np.full(len(rows), level, np.float32), NAMES)


def test_tags_are_the_surest_first():
    row = [0.05, 0.9, 0.2, 0.2, 0.15, 0.3, 0.12]
    named = evidence(row, [0.0] * 7).tags
    assert [tag.name for tag in named[0]] == ["b", "f", "c", "d", "e"]
    assert len(named[0]) == MOST_TAGS
    assert named[0][0].probability == pytest.approx(0.9)
    assert named[1] == ()


def test_slices_and_joins():
    whole = evidence([0.1] * 7, [0.2] * 7, [0.3] * 7)
    assert len(whole) == 3
    assert len(whole[1:]) == 2
    assert whole[:1].features[0, 0] == pytest.approx(0.1)
    joined = Evidence.join([whole[:1], whole[1:]])
    np.testing.assert_array_equal(joined.features, whole.features)
    np.testing.assert_array_equal(joined.level, whole.level)
    assert joined.names == NAMES


def test_mean_is_of_probability_and_of_power():
    one = Evidence(np.array([[0.2] * 7, [0.6] * 7], np.float32), np.array([0.3, 0.4]), NAMES)
    mean = one.mean()
    assert len(mean) == 1
    np.testing.assert_allclose(mean.features, [[0.4] * 7])
    assert mean.level[0] == pytest.approx(np.sqrt((0.09 + 0.16) / 2))


def test_hearing_is_the_networks(engine, windows):
    heard = engine.hear(windows)
    network = fresh()
    with torch.no_grad():
        expected = network.middle(network.hear(log_mel(torch.from_numpy(windows)))).numpy()
    np.testing.assert_allclose(heard.features, expected, atol=1e-3)
    hand = [np.sqrt(sum(float(x) ** 2 for x in window) / len(window)) for window in windows]
    np.testing.assert_allclose(heard.level, hand, rtol=1e-5)
    assert heard.features.dtype == heard.level.dtype == np.float32
    assert expected.std(0).max() > 0.01, "windows sound different"


def test_looking_is_the_networks(engine, frames):
    heard = evidence([0.9] + [0.0] * 6, [0.1] * 7, [0.0] * 6 + [0.8])
    prepared = np.stack([engine.prepare(frame) for frame in frames])
    seen = engine.look(prepared, heard)
    network = fresh()
    with torch.no_grad():
        cells = network.see(normalise(torch.from_numpy(prepared)))
        expected = correlate(cells, network.embed(torch.from_numpy(heard.features))).numpy()
    for (values, sure), wanted in zip(seen, expected, strict=True):
        np.testing.assert_allclose(values, wanted, atol=1e-3)
        assert values.dtype == np.float32
        assert 0 < sure < 1
    assert expected.std() > 0.01


def test_a_batch_is_its_items(engine, frames, windows):
    prepared = np.stack([engine.prepare(frame) for frame in frames])
    heard = engine.hear(windows)
    together = engine.look(prepared, heard)
    for i in range(3):
        alone_heard = engine.hear(windows[i : i + 1])
        np.testing.assert_allclose(alone_heard.features, heard[i : i + 1].features, atol=1e-3)
        ((values, sure),) = engine.look(prepared[i : i + 1], alone_heard)
        np.testing.assert_allclose(values, together[i][0], atol=1e-3)
        assert sure == pytest.approx(together[i][1], abs=1e-3)


@pytest.mark.parametrize("quality", ["default", "high"])
def test_frames_keep_their_shape(frames, quality):
    engine = TwoStreamEngine(fresh(), HEADER, quality=quality)
    prepared = engine.prepare(frames[0])
    assert prepared.dtype == np.uint8
    height, width = prepared.shape[1:]
    assert height % 32 == width % 32 == 0
    assert width > height
    ((values, _),) = engine.look(prepared[None], evidence([0.5] * 7))
    assert values.shape == (height // 16, width // 16)
    assert np.abs(values).max() <= 1 + 1e-4
    more = TwoStreamEngine(fresh(), HEADER).prepare(frames[0]).size
    assert (prepared.size > more) == (quality == "high")


def test_high_quality_is_a_mean_over_two_looks(frames):
    """One at 1.44 times the sides that are usual, one at 0.78 times."""
    engine = TwoStreamEngine(fresh(), HEADER, quality="high")
    prepared = engine.prepare(frames[0])[None]
    heard = evidence([0.9] + [0.0] * 6)
    ((values, _),) = engine.look(prepared, heard)
    network = fresh()
    with torch.no_grad():
        sound = network.embed(torch.from_numpy(heard.features))
        picture = torch.from_numpy(prepared)
        large = correlate(network.see(normalise(picture)), sound)[0].numpy()
        height, width = picture.shape[2:]
        size = input_size(height, width, round(HEADER.network.area * 0.78**2))
        assert size < (height, width)
        small = functional.interpolate(picture, size, mode="bilinear", antialias=True)
        coarse = correlate(network.see(normalise(small)), sound)[0].numpy()
    expected = large + resize(coarse, values.shape)
    np.testing.assert_allclose(values, expected / 2, atol=1e-3)
    assert np.abs(large - resize(coarse, values.shape)).max() > 0.01


def test_silence_is_never_sure(engine, frames):
    prepared = np.stack([engine.prepare(frame) for frame in frames])
    silent = engine.hear(np.zeros((3, 16_000), np.float32))
    assert not silent.level.any()
    assert [sure for _, sure in engine.look(prepared, silent)] == [0.0, 0.0, 0.0]


def test_without_evidence_there_is_a_prior(engine, frames):
    prepared = np.stack([engine.prepare(frame) for frame in frames])
    seen = engine.look(prepared, None)
    unnamed = engine.look(prepared, evidence(*[[0.0] * 7] * 3))
    for (values, sure), (other, _) in zip(seen, unnamed, strict=True):
        np.testing.assert_allclose(values, other, atol=1e-6)
        assert 0 <= sure <= 1


def test_arrays_that_nobody_may_write_to(engine, frames, windows):
    frame, wave = frames[0], windows[:1]
    frame.flags.writeable = wave.flags.writeable = False
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        engine.look(engine.prepare(frame)[None], engine.hear(wave))


def test_the_network_is_made_ready_once(engine):
    network = engine.runner.graph.network
    assert not network.training
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in network.modules())
    assert (engine.id, engine.rate, engine.window) == ("test-model", 32_000, 0.5)


def test_loading_from_a_file(tmp_path, frames):
    path = tmp_path / "w.safetensors"
    save_weights(path, fresh(), HEADER)
    engine = TwoStreamEngine.load(path, "cpu")
    prepared = engine.prepare(frames[0])[None]
    ((values, _),) = engine.look(prepared, evidence([0.5] * 7))
    ((other, _),) = TwoStreamEngine(fresh(), HEADER).look(prepared, evidence([0.5] * 7))
    np.testing.assert_allclose(values, other, atol=0.05)
    with pytest.raises(WeightsError):
        TwoStreamEngine.load(tmp_path / "none.safetensors", "cpu")


def test_qualities_that_do_not_exist():
    with pytest.raises(UsageError, match="unknown quality 'best'"):
        TwoStreamEngine(fresh(), HEADER, quality="best")


def test_devices():
    assert choose_device("cpu") == torch.device("cpu")
    assert choose_device().type in ("cuda", "mps", "cpu")
    for name in ("abacus", "", "cpu:x", "cuda:one"):
        with pytest.raises(UsageError, match="not a device"):
            choose_device(name)


@pytest.mark.skipif(torch.cuda.is_available(), reason="cuda is there")
def test_a_device_that_is_not_there():
    with pytest.raises(EnvironmentProblem, match="--device cuda: not usable here") as caught:
        choose_device("cuda")
    assert "\n" not in str(caught.value)
    with pytest.raises(EnvironmentProblem, match="--device cuda:7"):
        choose_device("cuda:7")


def test_devices_that_hold_no_numbers():
    """torch knows them; results do not come back from them."""
    with pytest.raises((UsageError, EnvironmentProblem)):
        choose_device("meta")
