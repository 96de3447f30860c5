"""Networks that see objectness: torchvision's as published scripts cut them open, and others."""

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from avloc.errors import EnvironmentProblem, UsageError, WeightsError
from avloc.models.object_guides import ObjectGuide, object_network

MEAN, SPREAD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


@pytest.fixture(scope="module")
def theirs():
    """torchvision's ResNet-18 with weights of its own."""
    from torchvision.models import resnet18

    torch.manual_seed(0)
    return resnet18(weights=None).eval()


@pytest.fixture(scope="module")
def file(theirs, tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "resnet18.pth"
    torch.save(theirs.state_dict(), path)
    return path


def opened(network):
    """As the scripts of EZ-VSL and its followers open it: 25088 features, taken back to a grid."""
    from copy import deepcopy

    network = deepcopy(network)
    network.avgpool = torch.nn.Identity()
    network.fc = torch.nn.Unflatten(1, (512, 7, 7))
    return lambda frames: network(frames).abs().mean(1)


@pytest.fixture(scope="module")
def frames():
    return np.random.default_rng(0).integers(0, 256, (2, 3, 224, 224), np.uint8)


@pytest.mark.parametrize("kind", ["pth", "safetensors", "parallel"])
@torch.inference_mode()
def test_the_map_of_published_scripts(theirs, file, frames, tmp_path, kind):
    state, name = theirs.state_dict(), {"pth": file}.get(kind, tmp_path / f"w.{kind}")
    if kind == "safetensors":
        save_file(state, name)
    elif kind == "parallel":
        torch.save({"state_dict": {f"module.{key}": one for key, one in state.items()}}, name)
    found = object_network(ObjectGuide.parse(f"resnet18:{name}"))(torch.from_numpy(frames))
    shift, scale = (torch.tensor(of)[:, None, None] for of in (MEAN, SPREAD))
    expected = opened(theirs)((torch.from_numpy(frames) / 255 - shift) / scale)
    assert found.shape == (2, 7, 7)
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert found.std() > 0.01 * found.mean()


@torch.inference_mode()
def test_floats_and_other_sizes(file, frames):
    network = object_network(ObjectGuide("resnet18", file))
    bytes_, floats = torch.from_numpy(frames[..., :96]), torch.from_numpy(frames[..., :96] / 255.0)
    assert network(bytes_).shape == (2, 7, 3)
    np.testing.assert_allclose(network(bytes_), network(floats.float()), rtol=1e-4)


@torch.inference_mode()
def test_a_transformer_gets_the_size_it_takes(tmp_path):
    from timm import create_model

    torch.manual_seed(0)
    theirs = create_model("vit_tiny_patch16_224").eval()
    torch.save(theirs.state_dict(), tmp_path / "vit.pth")
    network = object_network(ObjectGuide("vit_tiny_patch16_224", tmp_path / "vit.pth"))
    frames = torch.rand(1, 3, 224, 224)
    seen = []
    theirs.blocks[-1].register_forward_hook(lambda module, given, tokens: seen.append(tokens))
    theirs((frames - 0.5) / 0.5)
    # The first token is of no place.
    expected = seen[0][0, 1:].abs().mean(-1)
    np.testing.assert_allclose(network(frames)[0].ravel(), expected, rtol=1e-4)
    assert network(torch.rand(1, 3, 64, 96)).shape == (1, 14, 14)


@pytest.mark.parametrize(
    ("text", "backbone", "path", "weights"),
    [
        ("resnet18", "resnet18", None, None),
        ("resnet18.tv_in1k:a/b.pth", "resnet18.tv_in1k", "a/b.pth", None),
        ("bundled", "bundled", None, "wild.safetensors"),
        ("a:b", "a:b", None, "a:b"),
        ("bundled:x", "bundled", "x", None),
    ],
)
def test_words(tmp_path, monkeypatch, text, backbone, path, weights):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a:b").write_text("a file with a colon in its name")
    guide = ObjectGuide.parse(text, 0.3)
    assert guide.backbone == backbone
    assert (None if guide.file is None else str(guide.file)) == path
    assert (None if guide.weights is None else guide.weights.name) == weights
    assert guide.share == 0.3


def test_what_results_say_of_it(file, tmp_path):
    other = tmp_path / file.name
    other.write_bytes(file.read_bytes() + b"more")
    one, two = (ObjectGuide("resnet18", path).describe() for path in (file, other))
    assert one["backbone"] == two["backbone"] == "resnet18:resnet18.pth"
    assert one["sha256"] != two["sha256"]
    assert ObjectGuide("resnet18.tv_in1k").describe() == {
        "backbone": "resnet18.tv_in1k",
        "sha256": None,
    }


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_shares_out_of_range(share):
    with pytest.raises(UsageError, match="give 0 to 1"):
        ObjectGuide("resnet18", None, share)


@pytest.mark.parametrize(
    ("name", "kind", "told"),
    [
        ("resnet19", UsageError, "no backbone 'resnet19'.*did you mean 'resnet18'"),
        ("resnet34", WeightsError, r"resnet18\.pth: 80 tensors do not fit the network"),
        ("mobilenetv3_small_050", WeightsError, r"resnet18\.pth: 325 tensors do not fit"),
    ],
)
def test_what_does_not_fit(file, name, kind, told):
    with pytest.raises(kind, match=told):
        object_network(ObjectGuide(name, file))


def test_weights_that_lack_something(theirs, tmp_path):
    state = theirs.state_dict()
    del state["layer1.0.conv1.weight"]
    torch.save(state, tmp_path / "w.pth")
    with pytest.raises(WeightsError, match=r"1 tensors do not fit .*layer1\.0\.conv1\.weight"):
        object_network(ObjectGuide("resnet18", tmp_path / "w.pth"))


def test_weights_of_another_kind(tmp_path):
    with pytest.raises(WeightsError, match="no such file"):
        object_network(ObjectGuide("resnet18", tmp_path / "none.pth"))
    with pytest.raises(UsageError, match=r"resnet18\.none: .*tag"):
        object_network(ObjectGuide("resnet18.none"))


def test_without_a_network_it_says_what_to_fetch(monkeypatch, tmp_path):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(EnvironmentProblem, match=r"hf://timm/resnet18\.tv_in1k .*tv_in1k:FILE"):
        object_network(ObjectGuide("resnet18.tv_in1k"))
