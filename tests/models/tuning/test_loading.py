"""Pretrained weights from files, under the names of other libraries."""

import pytest
import timm
import torch
from safetensors.torch import save_file

from avloc.errors import UsageError, WeightsError
from avloc.models.dual_encoder import DualConfig, DualEncoder
from avloc.models.tuning import Adapting, adapt, load_tower
from avloc.models.weights import Header, save_weights

CNN = {"layers": [1, 1, 1, 1], "channels": [8, 8, 16, 16]}
VIT = {"depth": 3, "embed_dim": 24, "num_heads": 2}


@torch.no_grad()
@pytest.mark.parametrize("ending", [".safetensors", ".pth"])
@pytest.mark.parametrize("classes", [0, 7, 1000])
def test_a_model_of_timm(ending, classes, make, batch, tmp_path):
    torch.manual_seed(5)
    theirs = timm.create_model("vit_tiny_patch16_224", num_classes=classes, img_size=32, **VIT)
    path = tmp_path / f"w{ending}"
    state = theirs.state_dict()
    save_file(state, path) if ending == ".safetensors" else torch.save({"model": state}, path)
    network = make("vit", image_options={**VIT, "img_size": 32}).eval()
    load_tower(network, "image", str(path))
    frames, _ = batch
    expected = theirs.eval().forward_features(frames)[:, 1:].mT.unflatten(2, (2, 2))
    assert torch.equal(network.image(frames), expected)


@torch.no_grad()
def test_colours_become_one_channel(make, batch, tmp_path):
    """A sound network can begin with the weights of an image network."""
    theirs = timm.create_model("resnet10t", num_classes=0, **CNN)
    torch.save(theirs.state_dict(), tmp_path / "w.pth")
    network = adapt(make(), Adapting(), Adapting(weights=str(tmp_path / "w.pth"))).eval()
    _, sounds = batch
    expected = theirs.eval().forward_intermediates(sounds.expand(-1, 3, -1, -1))[1][3]
    torch.testing.assert_close(network.sound.trunk(sounds), expected)


def test_positions_of_another_size(make, tmp_path):
    theirs = timm.create_model("vit_tiny_patch16_224", num_classes=0, img_size=64, **VIT)
    torch.save(theirs.state_dict(), tmp_path / "w.pth")
    network = make("vit", image_options={**VIT, "img_size": 32})
    load_tower(network, "image", str(tmp_path / "w.pth"))
    assert network.image.network.pos_embed.shape == (1, 5, 24)
    assert torch.equal(
        network.image.network.blocks[0].attn.qkv.weight, theirs.blocks[0].attn.qkv.weight
    )


def test_weights_that_do_not_fit(make, tmp_path):
    """Nothing is loaded in part without a word."""
    path = tmp_path / "w.pth"
    network = make("vit")
    for wrong in (
        timm.create_model("vit_tiny_patch16_224", num_classes=0, **{**VIT, "depth": 2}),
        timm.create_model("vit_tiny_patch16_224", num_classes=0, **{**VIT, "embed_dim": 48}),
        timm.create_model("resnet10t", num_classes=3, **CNN),
    ):
        torch.save(wrong.state_dict(), path)
        before = network.image.network.blocks[0].attn.qkv.weight.clone()
        with pytest.raises(WeightsError, match="do not fit vit_tiny_patch16_224"):
            load_tower(network, "image", str(path))
        assert torch.equal(network.image.network.blocks[0].attn.qkv.weight, before)
    with pytest.raises(WeightsError, match="no such weights"):
        load_tower(network, "image", str(tmp_path / "none.pth"))


def test_weights_of_nowhere(make, monkeypatch):
    """timm's own come over the network or from its cache; here there is neither."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(WeightsError, match=r"timm's weights of resnet10t: cannot be had"):
        load_tower(make(), "image", "timm")
    network = DualEncoder(DualConfig("squash", "audioset", sound="mobilenet_v3_w04", projections=1))
    with pytest.raises(UsageError, match="name a file"):
        load_tower(network, "sound", "timm")


@torch.no_grad()
def test_resnet18_of_torchvision(tmp_path):
    from torchvision.models import resnet18

    theirs = resnet18().eval()
    torch.save(theirs.state_dict(), tmp_path / "w.pth")
    network = DualEncoder(DualConfig("squash", "ezvsl", projections=1, side=64)).eval()
    load_tower(network, "image", str(tmp_path / "w.pth"))
    frames = torch.randn(1, 3, 64, 64)
    expected = torch.nn.Sequential(*list(theirs.children())[:-2])(frames)
    torch.testing.assert_close(network.image(frames), expected, atol=1e-5, rtol=1e-5)


def test_small_networks_and_avlocs_own_files(made_data, tmp_path):
    def build():
        config = DualConfig(
            "squash",
            "audioset",
            image="mobilenet_v2",
            sound="mobilenet_v3_w04",
            side=64,
            projections=1,
            channels=8,
        )
        return DualEncoder(config)

    files = made_data / "weights"
    image = Adapting(weights=str(files / "image_mobilenetv2_100_imagenet.safetensors"))
    sound = Adapting(weights=str(files / "audio_mobilenetv3_large_w040_audioset.safetensors"))
    network = adapt(build(), image, sound)
    path = tmp_path / "mine.safetensors"
    save_weights(path, network, Header("mine", network.config), torch.float32)
    again = adapt(build(), Adapting(weights=str(path)), Adapting(weights=str(path)))
    for tower in ("image", "sound"):
        first, second = (getattr(each, tower).state_dict() for each in (network, again))
        assert all(torch.equal(first[key], second[key]) for key in first if "tracked" not in key)
    from safetensors.torch import load_file

    theirs = load_file(files / "audio_mobilenetv3_large_w040_audioset.safetensors")
    assert torch.equal(network.sound.trunk.stem.conv.weight, theirs["features.0.0.weight"])
    resnet = DualEncoder(DualConfig("squash", "ezvsl", projections=1))
    with pytest.raises(WeightsError, match="its image trunk is not resnet18"):
        load_tower(resnet, "image", str(path))


@torch.no_grad()
def test_a_model_of_transformers(tmp_path):
    transformers = pytest.importorskip("transformers")
    small = {
        "hidden_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 16,
        "max_length": 64,
        "num_mel_bins": 32,
    }
    plan = transformers.AutoConfig.for_model("audio-spectrogram-transformer", **small)
    theirs = transformers.ASTForAudioClassification(plan).eval()
    theirs.save_pretrained(tmp_path / "ast")
    config = DualConfig(
        "squash",
        "ast",
        image="timm:resnet10t",
        image_options=CNN,
        sound="transformers:audio-spectrogram-transformer",
        sound_options=small,
        stride=16,
        projections=1,
    )
    network = DualEncoder(config).eval()
    load_tower(network, "sound", str(tmp_path / "ast"))
    sounds = torch.randn(1, 32, 64)
    expected = theirs.audio_spectrogram_transformer(sounds.mT).last_hidden_state
    assert torch.equal(network.sound.trunk.network(sounds.mT).last_hidden_state, expected)
    small["num_hidden_layers"] = 2
    deeper = DualEncoder(DualConfig(**{**vars(config), "sound_options": small}))
    with pytest.raises(WeightsError, match="tensors are missing"):
        load_tower(deeper, "sound", str(tmp_path / "ast"))
