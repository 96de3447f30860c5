"""Every kind of trunk in a network: what it sees and hears, in files and in an engine.

Those of published methods are tested with these, in `tests/models/published`.
"""

import numpy as np
import pytest
import torch

from avloc.features.pictures import PICTURES
from avloc.features.sounds import SOUNDS
from avloc.inference import Localizer
from avloc.inference.loading import load_engine
from avloc.models.dual_encoder import DualConfig, DualEncoder
from avloc.models.weights import Header, load_dual, save_weights

VIT = {"depth": 1, "embed_dim": 24, "num_heads": 2}
KINDS = {
    "mobilenets": {
        "image": "mobilenet_v2",
        "sound": "mobilenet_v3_w04",
        "sound_options": {},
        "sound_stride": 32,
        "waves": "audioset",
    },
    "cnn": {
        "image": "timm:mobilenetv3_small_050",
        "sound": "timm:mobilenetv3_small_050",
        "sound_options": {},
        "sound_stride": 16,
        "pooled": "mean",
        "projections": 2,
    },
    "dilated": {
        "image": "timm:convnext_atto",
        "image_options": {"depths": [1, 1, 1, 1], "dims": [8, 16, 24, 32], "output_stride": 8},
        "stride": 8,
        "sound": "timm:efficientvit_b0",
        "sound_options": {"widths": [8, 8, 8, 8, 8], "depths": [1] * 5, "head_dim": 8},
        "sound_stride": 32,
        "head": "film",
        "head_options": {"hidden": 8},
    },
    "vit": {
        "image": "timm:vit_tiny_patch16_224",
        "image_options": VIT,
        "stride": 16,
        "sound": "timm:vit_tiny_patch16_224",
        "sound_options": {**VIT, "patch_size": 32},
        "sound_stride": 32,
        "pooled": "steps",
    },
    "dino v2": {
        "image": "timm:vit_small_patch14_dinov2",
        "image_options": VIT,
        "side": 56,
        "stride": 14,
        "head": "dense",
        "pooled": "steps",
    },
    "dino v3": {
        "image": "timm:vit_small_patch16_dinov3",
        "image_options": VIT,
        "stride": 16,
        "head": "additive",
    },
    "clip": {
        "image": "timm:vit_base_patch16_clip_224",
        "image_options": VIT,
        "stride": 16,
        "picture": "squash-clip",
    },
    "swin": {
        "image": "timm:swin_tiny_patch4_window7_224",
        "image_options": {"depths": [1, 1], "num_heads": [1, 2], "embed_dim": 8},
        "stride": 8,
    },
}


def config_of(kind: str, **options) -> DualConfig:
    plan = {"picture": "squash", "waves": "ezvsl", "side": 64, "projections": 1, "channels": 16}
    small = {"sound": "timm:resnet10t", "sound_options": {"layers": [1, 1], "channels": [8, 8]}}
    return DualConfig(**{**plan, **small, "sound_stride": 8, **KINDS[kind], **options})


@pytest.fixture(scope="module", params=KINDS)
def network(request):
    torch.manual_seed(0)
    return DualEncoder(config_of(request.param)).eval()


def sounds_for(config: DualConfig, count: int) -> torch.Tensor:
    sound = SOUNDS[config.waves]
    waves = np.random.default_rng(3).standard_normal((count, int(sound.seconds * sound.rate)))
    return sound.spectrogram(torch.from_numpy(0.1 * waves).float(), sound.rate)


@torch.no_grad()
def test_what_is_seen_and_heard_meets_in_maps(network):
    config = network.config
    cells = network.see(torch.randn(2, 3, config.side, config.side))
    sounds = network.hear(sounds_for(config, 3))
    side = config.side // config.stride
    assert cells.shape == (2, network.channels, side, side)
    assert sounds.shape == (3, *sounds.shape[1:-1], network.channels)
    assert sounds.ndim == (3 if config.pooled == "steps" else 2)
    if config.head == "cosine":
        assert cells.norm(dim=1) == pytest.approx(1, abs=1e-4)
        assert sounds.norm(dim=-1) == pytest.approx(1, abs=1e-4)
    maps = network.maps(cells, sounds)
    assert maps.shape == (2, 3, side, side)
    for j in range(3):
        pairs = network.correlate(cells, sounds[j].expand(2, *sounds[j].shape))
        torch.testing.assert_close(maps[:, j], pairs, atol=1e-5, rtol=1e-4)


def test_every_parameter_is_trained(network):
    """One without gradient would stop training on several processes."""
    config = network.config
    cells = network.see(torch.randn(2, 3, config.side, config.side))
    network.maps(cells, network.hear(sounds_for(config, 2))).square().sum().backward()
    without = [name for name, value in network.named_parameters() if value.grad is None]
    network.zero_grad()
    assert not without


@torch.no_grad()
def test_a_file_keeps_all_of_it(network, tmp_path):
    config = network.config
    path = tmp_path / "w.safetensors"
    save_weights(path, network, Header("it", config), torch.float32)
    again, header = load_dual(path)
    assert header.network == config
    frames, sounds = torch.randn(1, 3, config.side, config.side), sounds_for(config, 1)
    expected = network.correlate(network.see(frames), network.hear(sounds))
    assert torch.equal(again.correlate(again.see(frames), again.hear(sounds)), expected)


def test_an_engine_asks_it(network, tmp_path):
    config = network.config
    path = tmp_path / "w.safetensors"
    save_weights(path, network, Header("it", config), torch.float32)
    localizer = Localizer(load_engine(path, "cpu"))
    rng = np.random.default_rng(0)
    frame = rng.integers(0, 256, (90, 160, 3), np.uint8)
    rate = SOUNDS[config.waves].rate
    wave = (0.1 * rng.standard_normal(4 * rate)).astype(np.float32)
    heatmap = localizer.heatmap(frame, wave, rate)
    assert heatmap.values.shape == (config.side // config.stride,) * 2
    assert np.isfinite(heatmap.values).all()


@torch.no_grad()
def test_a_wide_picture_has_a_wide_map():
    """Also where the steps of the published networks are no multiple of the stride."""
    frame = np.zeros((100, 180, 3), np.uint8)
    for kind, wide in (("dino v2", (4, 8)), ("vit", (4, 8)), ("swin", (8, 16))):
        config = config_of(kind, picture="crop")
        picture = PICTURES["crop"].whole(frame, config.side, config.stride)
        cells = DualEncoder(config).eval().see(torch.from_numpy(picture)[None] / 255)
        assert cells.shape[2:] == wide
