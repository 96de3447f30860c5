"""Networks small enough to train: a CNN and a ViT of timm that see, a CNN that hears."""

import pytest
import torch

from avloc.models.dual_encoder import DualConfig, DualEncoder

CNN = {"layers": [1, 1, 1, 1], "channels": [8, 8, 16, 16]}
VIT = {"depth": 3, "embed_dim": 24, "num_heads": 2}


def config(image: str, **options) -> DualConfig:
    options = {"image_options": {"cnn": CNN, "vit": VIT}[image], **options}
    name = {"cnn": "timm:resnet10t", "vit": "timm:vit_tiny_patch16_224"}[image]
    return DualConfig(
        "squash",
        "ezvsl",
        side=32,
        stride=16,
        image=name,
        sound="timm:resnet10t",
        sound_options=CNN,
        projections=1,
        channels=16,
        **options,
    )


@pytest.fixture
def make():
    """Builds a network around one of the two image trunks."""

    def build(image: str = "cnn", **options) -> DualEncoder:
        torch.manual_seed(0)
        return DualEncoder(config(image, **options))

    return build


@pytest.fixture
def batch():
    """Frames (2, 3, 32, 32) and spectrograms (2, 1, 32, 32)."""
    source = torch.Generator().manual_seed(1)
    return torch.randn(2, 3, 32, 32, generator=source), torch.rand(2, 1, 32, 32, generator=source)


@pytest.fixture
def train(batch):
    """Takes some steps of an optimiser on all that wants a gradient."""

    def steps(network, count: int = 3) -> None:
        network.train()
        moving = [each for each in network.parameters() if each.requires_grad]
        optimiser = torch.optim.SGD(moving, 0.1)
        for _ in range(count):
            optimiser.zero_grad()
            frames, sounds = batch
            network.maps(network.see(frames), network.hear(sounds)).square().sum().backward()
            optimiser.step()

    return steps
