"""Weight files: what is written comes back, and what is wrong is told in one line."""

import json
import os
import stat
from dataclasses import asdict, replace

import pytest
import torch
from safetensors.torch import save_file

from avloc.checksums import checksum
from avloc.errors import WeightsError
from avloc.models.two_stream import NetworkConfig, TwoStream
from avloc.models.weights import FORMAT, Header, load_weights, read_header, save_weights

CONFIG = NetworkConfig(embedding=12, hidden=10, lateral=4, tag_hidden=8, tags=5, window=1.5)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return TwoStream(CONFIG).eval()


@pytest.fixture
def header():
    numbers = {"weights": [1.0, -2.0, 0.5], "bias": 0.25}
    calibration = {"default": numbers, "high": numbers}
    return Header("model", CONFIG, calibration, list("abcde"), {"name": "r", "data": {"x": [1, 2]}})


def test_a_round_trip_keeps_half_precision(network, header, tmp_path):
    path = tmp_path / "new" / "w.safetensors"
    save_weights(path, network, header)
    read, told = load_weights(path)
    assert told == header == read_header(path)
    assert not read.training
    ours, theirs = network.state_dict(), read.state_dict()
    assert ours.keys() == theirs.keys()
    for name, tensor in ours.items():
        expected = tensor.half().float() if tensor.is_floating_point() else tensor
        assert theirs[name].dtype == expected.dtype
        assert torch.equal(theirs[name], expected), name
    frames = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(read.see(frames), network.see(frames), rtol=0, atol=0.02)


def test_the_file_is_small_and_readable_by_others(network, header, tmp_path):
    path = tmp_path / "w.safetensors"
    save_weights(path, network, header)
    count = sum(p.numel() for n, p in network.state_dict().items() if not n.endswith("tracked"))
    assert path.stat().st_size < 2 * count + 60_000
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~mask
    assert [p.name for p in tmp_path.iterdir()] == ["w.safetensors"]


@pytest.mark.parametrize("value", [float("nan"), 1e6])
def test_what_half_precision_cannot_hold_is_refused(header, tmp_path, value):
    network = TwoStream(CONFIG)
    torch.nn.init.constant_(network.sound_head.bias, value)
    with pytest.raises(WeightsError, match=r"sound_head\.bias is not finite"):
        save_weights(tmp_path / "w.safetensors", network, header)
    assert not list(tmp_path.iterdir())


def test_checksum_is_sha256(tmp_path):
    path = tmp_path / "abc"
    path.write_bytes(b"abc")  # FIPS 180-2, appendix B.1
    assert checksum(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def refused(path, match):
    with pytest.raises(WeightsError, match=match) as caught:
        load_weights(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_what_is_no_weight_file(tmp_path):
    refused(tmp_path / "none.safetensors", "no such weights")
    text = tmp_path / "text.safetensors"
    text.write_text("These are words, and more words than a header is long.")
    refused(text, "not a safetensors file")
    (tmp_path / "empty.safetensors").touch()
    refused(tmp_path / "empty.safetensors", "not a safetensors file")
    refused(tmp_path, "not a safetensors file")


def test_weights_of_other_programs(tmp_path):
    path = tmp_path / "w.safetensors"
    save_file({"a": torch.zeros(1)}, path)
    refused(path, "not avloc weights")


@pytest.mark.parametrize(
    ("words", "match"),
    [
        (json.dumps({"format": FORMAT + 1, "id": "x", "network": {}}), "written by a newer avloc"),
        (json.dumps({"format": FORMAT, "id": "x", "network": {"colour": 1}}), "header is damaged"),
        (json.dumps({"id": "x"}), "header is damaged"),
        ("[]", "header is damaged"),
        ("{", "header is damaged"),
    ],
)
def test_headers_that_cannot_be_read(tmp_path, words, match):
    path = tmp_path / "w.safetensors"
    save_file({"a": torch.zeros(1)}, path, metadata={"avloc": words})
    refused(path, match)


def test_tensors_that_do_not_fit(network, header, tmp_path):
    path = tmp_path / "w.safetensors"
    config = NetworkConfig(embedding=13, hidden=10, lateral=4, tag_hidden=8, tags=5)
    save_weights(path, network, replace(header, network=config))
    refused(path, r"image_head\.join\.bias")
    state = {name: tensor for name, tensor in network.state_dict().items() if "sound." not in name}
    metadata = {"avloc": json.dumps(asdict(header))}
    save_file({**state, "more": torch.zeros(1)}, path, metadata=metadata)
    refused(path, "do not fit the network")


@pytest.mark.parametrize(
    "numbers",
    [
        {},
        [],
        {"weights": [1.0, -2.0, 0.5]},
        {"bias": 0.25},
        {"weights": [1.0, -2.0], "bias": 0.25},
        {"weights": 3, "bias": 0.25},
        {"weights": [1.0, -2.0, "0.5"], "bias": 0.25},
        {"weights": [1.0, -2.0, float("nan")], "bias": 0.25},
        {"weights": [1.0, -2.0, 0.5], "bias": None},
    ],
)
def test_weights_without_a_calibration(network, header, tmp_path, numbers):
    path = tmp_path / "w.safetensors"
    calibration = {**header.calibration, "high": numbers}
    save_weights(path, network, replace(header, calibration=calibration))
    refused(path, "not calibrated")


@pytest.mark.parametrize("calibration", [{}, [], None, {"weights": [1.0, 0.0, 0.0], "bias": 0.0}])
def test_weights_calibrated_for_no_quality(network, header, tmp_path, calibration):
    path = tmp_path / "w.safetensors"
    save_weights(path, network, replace(header, calibration=calibration))
    refused(path, "not calibrated")


def test_weights_that_do_not_name_every_sound_class(network, header, tmp_path):
    path = tmp_path / "w.safetensors"
    save_weights(path, network, replace(header, tags=["a"]))
    refused(path, "names 1 sound classes, the network has 5")


def test_a_cut_file_is_told(network, header, tmp_path):
    path = tmp_path / "w.safetensors"
    save_weights(path, network, header)
    path.write_bytes(path.read_bytes()[:100_000])
    refused(path, "not a safetensors file")
