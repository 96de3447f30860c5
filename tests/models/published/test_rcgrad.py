"""RCGrad: its map without gradients is its map with them."""

import numpy as np
import pytest
import torch
from torchvision.models import resnet18

from avloc.errors import WeightsError
from avloc.models.dual_encoder import DualEncoder
from avloc.models.published.matching import match
from avloc.models.published.methods import METHODS
from avloc.models.weights import filled


def theirs(inward, stride):
    """A ResNet-18 as in their code: torchvision's, whose last stage may keep the grid."""
    network = resnet18(weights=None)
    network.conv1 = torch.nn.Conv2d(inward, 64, 7, 2, 3, bias=False)
    if stride == 1:
        network.layer4[0].conv1.stride = network.layer4[0].downsample[0].stride = (1, 1)
    network.fc = torch.nn.Identity()
    for name, one in network.named_buffers():
        if name.endswith("running_var"):
            one.uniform_(0.5, 1.5)
    return network.eval()


@pytest.fixture(scope="module")
def towers():
    torch.manual_seed(0)
    return theirs(3, 1), theirs(1, 2)


@pytest.fixture(scope="module")
def released(towers):
    """Their file: the networks, and what they carry along."""
    image, sound = (network.state_dict() for network in towers)
    beside = {
        "image_encoder.conv1_a.weight": torch.zeros(64, 1, 7, 7),
        "image_encoder.conv1_flow.weight": torch.zeros(64, 6, 7, 7),
        "image_encoder.fc.weight": torch.zeros(1000, 512),
        "image_encoder.fc.bias": torch.zeros(1000),
        "audio_encoder.spectrogram.window": torch.zeros(512),
    }
    return (
        {f"image_encoder.{key}": one for key, one in image.items()}
        | {f"audio_encoder.{key}": one for key, one in sound.items()}
        | beside
    )


def test_grad_cam_in_closed_form(towers, released, tmp_path):
    image, sound = towers
    found = match(released, None)
    assert (found.fit.method.name, found.others) == ("rcgrad", ())
    assert len(found.fit.dropped) == 5
    with torch.device("meta"):
        network = DualEncoder(found.fit.config)
    filled(network, found.fit.state, tmp_path)

    frames, spectrograms = torch.randn(2, 3, 96, 96), torch.randn(2, 1, 257, 46)
    kept = []
    image.layer4[-1].register_forward_hook(lambda _, inputs, output: kept.append(output))
    heard = sound(spectrograms).detach()
    outputs = image(frames)
    (gradients,) = torch.autograd.grad(outputs, kept, heard)
    weights = gradients.mean((2, 3), keepdim=True)
    cam = (weights * kept[0]).sum(1).relu().detach()

    with torch.inference_mode():
        values = network.correlate(network.see(frames), network.hear(spectrograms))
    assert values.shape == (2, 6, 6)
    scale = float(cam.sum() / values.sum())
    torch.testing.assert_close(values * scale, cam, rtol=1e-4, atol=float(cam.max()) * 1e-5)
    assert np.ptp(cam[0].numpy()) > 0


def test_parts_that_are_missing(released):
    lacking = {key: one for key, one in released.items() if key != "audio_encoder.conv1.weight"}
    with pytest.raises(WeightsError, match=r"nearest is rcgrad, missing: audio_encoder\.conv1\.w"):
        match(lacking, None)
    more = released | {"text_encoder.weight": torch.zeros(1)}
    with pytest.raises(WeightsError, match=r"left over: text_encoder\.weight; --unused"):
        match(more, None)
    assert match(more, None, ["text_encoder."]).fit.method is METHODS["rcgrad"]


def test_from_a_checkpoint_to_scores(through, released, tmp_path):
    torch.save(released, tmp_path / "rc_grad.pt")
    values = through(tmp_path / "rc_grad.pt", "rcgrad")
    assert values.shape == (14, 14)
    assert np.ptp(values) > 0
