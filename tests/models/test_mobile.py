"""The backbones against timm's MobileNetV2 and torchvision's MobileNetV3."""

from copy import deepcopy
from functools import partial

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from avloc.errors import WeightsError
from avloc.models.mobile import (
    Backbone,
    Block,
    ConvNorm,
    divisible,
    fold_norms,
    mobilenet_v2,
    mobilenet_v3,
)
from avloc.models.pretrained import fill, read_tensors, timm_names, torchvision_names


def settled(network: nn.Module, example: torch.Tensor) -> nn.Module:
    """Random weights whose normalisations all do something and keep values near one."""
    torch.manual_seed(1)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.3)
    network.train()
    with torch.no_grad():
        network(example)
    return network.eval()


@pytest.fixture(scope="module")
def timm_network():
    import timm

    network = timm.create_model("mobilenetv2_100", pad_type="same", num_classes=1001)
    return settled(network, torch.randn(4, 3, 64, 64))


@pytest.fixture(scope="module")
def torchvision_network():
    from torchvision.models import mobilenetv3
    from torchvision.ops.misc import SqueezeExcitation

    rows, _ = mobilenetv3._mobilenet_v3_conf("mobilenet_v3_large", width_mult=0.4)
    excite = partial(SqueezeExcitation, scale_activation=nn.Sigmoid)
    block = partial(mobilenetv3.InvertedResidual, se_layer=excite)
    network = mobilenetv3.MobileNetV3(rows, 512, num_classes=527, block=block)
    first = network.features[0][0]
    network.features[0][0] = nn.Conv2d(1, first.out_channels, 3, 2, 1, bias=False)
    return settled(network, torch.randn(4, 1, 128, 96))


def through_file(network: nn.Module, path):
    """The weights of a network as the pretrained files hold them, read back."""
    state = {k: v for k, v in network.state_dict().items() if not k.endswith("tracked")}
    save_file(state, path)
    return read_tensors(path)


def test_mobilenet_v2_is_timms(timm_network, tmp_path):
    ours = mobilenet_v2().eval()
    left = fill(ours, through_file(timm_network, tmp_path / "a.safetensors"), timm_names(ours))
    assert set(left) == {"classifier.weight", "classifier.bias"}
    ours, timm_network = ours.double(), timm_network.double()
    frames = torch.rand(2, 3, 96, 64, dtype=torch.float64) * 2 - 1
    with torch.no_grad():
        theirs = timm_network.forward_features(frames)
        before = timm_network.blocks[:5](timm_network.bn1(timm_network.conv_stem(frames)))
        fine, coarse = ours.pyramid(frames)
        torch.testing.assert_close(ours(frames), theirs, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(coarse, theirs, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(fine, before, rtol=1e-5, atol=1e-5)
    assert fine.shape == (2, ours.fine_channels, 6, 4)
    assert coarse.shape == (2, ours.channels, 3, 2)
    assert theirs.std() > 0.1  # nothing is tested by zeros


def test_mobilenet_v3_is_torchvisions(torchvision_network, tmp_path):
    ours = mobilenet_v3(0.4).eval()
    tensors = through_file(torchvision_network, tmp_path / "a.safetensors")
    left = fill(ours, tensors, torchvision_names(ours))
    assert {name.rpartition(".")[0] for name in left} == {"classifier.0", "classifier.3"}
    ours, torchvision_network = ours.double(), torchvision_network.double()
    spectrogram = torch.randn(2, 1, 128, 70, dtype=torch.float64)
    with torch.no_grad():
        theirs = torchvision_network.features(spectrogram)
        torch.testing.assert_close(ours(spectrogram), theirs, rtol=1e-5, atol=1e-5)
    assert theirs.shape == (2, ours.channels, 4, 3)
    assert theirs.std() > 0.1


@pytest.mark.parametrize(("make", "channels"), [(mobilenet_v2, 3), (mobilenet_v3, 1)])
def test_folding_keeps_the_output(make, channels):
    example = torch.randn(2, channels, 64, 64, dtype=torch.float64)
    plain = settled(make().double(), example)
    folded = fold_norms(deepcopy(plain))
    assert not any(isinstance(module, nn.BatchNorm2d) for module in folded.modules())
    with torch.no_grad():
        torch.testing.assert_close(folded(example), plain(example), rtol=1e-8, atol=1e-8)


def test_no_gradient_reaches_fixed_blocks():
    network = mobilenet_v2().eval()
    for output in network.pyramid(torch.randn(1, 3, 64, 64), fixed=6):
        output.sum().backward(retain_graph=True)
    reached = {name for name, one in network.named_parameters() if one.grad is not None}
    assert not any(name.startswith("stem") for name in reached)
    numbers = {int(name.split(".")[1]) for name in reached if name.startswith("blocks")}
    assert numbers == set(range(6, 17))


def test_even_padding_is_tensorflows():
    """For stride 2, an even side gets one row or column, after the last."""
    layer = ConvNorm(1, 1, 3, stride=2, even=True).eval()
    nn.init.ones_(layer.conv.weight)
    picture = torch.arange(16.0).reshape(1, 1, 4, 4)
    hand = torch.tensor([[0 + 1 + 2 + 4 + 5 + 6 + 8 + 9 + 10, 2 + 3 + 6 + 7 + 10 + 11]])
    torch.testing.assert_close(layer(picture)[0, 0, :1] * (1 + 1e-5) ** 0.5, hand.float())


@pytest.mark.parametrize(("channels", "rounded"), [(6.4, 8), (9.6, 16), (16, 16), (28.8, 32)])
def test_channels_are_multiples(channels, rounded):
    assert divisible(channels) == rounded


def small() -> Backbone:
    blocks = [Block(3, 8, 8, False, False, 1), Block(3, 16, 8, True, False, 2)]
    return Backbone(1, 8, blocks, 16, hard=True, even=False, eps=1e-3)


def test_weights_of_another_network_are_refused():
    network = small()
    with pytest.raises(WeightsError, match="do not fit the backbone"):
        fill(network, {"features.0.0.weight": torch.zeros(8, 1, 3, 3)}, torchvision_names(network))


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(WeightsError, match="no such file"):
        read_tensors(tmp_path / "none.safetensors")
    path = tmp_path / "text.safetensors"
    path.write_text("no tensors")
    with pytest.raises(WeightsError, match="cannot be read"):
        read_tensors(path)
