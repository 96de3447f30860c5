"""Trunks that turn a picture, a spectrogram or optical flow into a grid of features."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor, nn

from avloc.errors import UsageError
from avloc.registry import Registry

TRUNKS: Registry[Callable[[int, int], nn.Module]] = Registry("trunk")
"""By name: (channels of the input, stride of the grid) -> a module (b, c, H, W) -> (b, 512, h, w).
"""

CHANNELS = 512
"""Of the features of every trunk here."""


@TRUNKS.register("resnet18")
def resnet18(inward: int, stride: int = 32) -> nn.Module:
    """ResNet-18 without its pooling and classifier (He et al. 2016, arXiv 1512.03385).

    Args:
        inward: channels of the input.
        stride: 32, or 16 where the last stage does not halve the grid (it does not dilate either).
    """
    from timm import create_model

    if stride not in (16, 32):
        raise UsageError(f"resnet18 has a stride of 16 or 32, not {stride}")
    network: Any = create_model("resnet18", in_chans=inward, num_classes=0, global_pool="")
    if stride == 16:
        first = network.layer4[0]
        first.conv1.stride = first.downsample[0].stride = (1, 1)
    return network


@TRUNKS.register("vgg16")
def vgg16(inward: int, stride: int = 16) -> nn.Module:
    """The convolutions of VGG-16 (Simonyan 2015, arXiv 1409.1556); the last is not rectified."""
    if stride != 16:
        raise UsageError(f"vgg16 has a stride of 16, not {stride}")
    plan = [64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512]
    return plain_convolutions(inward, plan)[:-1]


def plain_convolutions(inward: int, plan: Sequence[int]) -> nn.Sequential:
    """3x3 convolutions with ReLU, of as many channels as `plan` says; 0 halves the grid."""
    layers: list[nn.Module] = []
    for outward in plan:
        if outward:
            layers += [nn.Conv2d(inward, outward, 3, padding=1), nn.ReLU()]
            inward = outward
        else:
            layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers)


class Loudest(nn.Module):
    """A trunk over a spectrogram whose features are pooled by their maximum.

    (b, 1, f, t) -> (b, 512).
    """

    channels = CHANNELS

    def __init__(self, trunk: nn.Module) -> None:
        super().__init__()
        self.trunk = trunk

    def forward(self, spectrograms: Tensor) -> Tensor:
        return self.trunk(spectrograms).amax((2, 3))


class VGGish(nn.Module):
    """VGGish with two layers on top (Hershey et al. 2017, arXiv 1609.09430).

    (b, k, 1, 96, 64) log-mel examples -> (b, 128) and (b, 512), means over the k examples.
    """

    plain, channels = 128, CHANNELS

    def __init__(self) -> None:
        super().__init__()
        self.features = plain_convolutions(1, [64, 0, 128, 0, 256, 256, 0, 512, 512, 0])
        self.embeddings = nn.Sequential(
            nn.Linear(6 * 4 * 512, 4096),
            nn.ReLU(),
            nn.Linear(4096, 4096),
            nn.ReLU(),
            nn.Linear(4096, self.plain),
            nn.ReLU(),
        )
        self.top = nn.Sequential(
            nn.Linear(self.plain, 512), nn.ReLU(), nn.Linear(512, self.channels)
        )

    def forward(self, examples: Tensor) -> tuple[Tensor, Tensor]:
        count = examples.shape[1]
        # The layers above were made for channels last.
        grid = self.features(examples.flatten(0, 1)).permute(0, 2, 3, 1)
        plain = self.embeddings(grid.flatten(1))
        both = plain.unflatten(0, (-1, count)), self.top(plain).unflatten(0, (-1, count))
        return both[0].mean(1), both[1].mean(1)
