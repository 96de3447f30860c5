"""The trunks of published methods: ResNet-18 and VGG-16."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import nn

from avloc.errors import UsageError
from avloc.models.trunks.trunk import TRUNKS

CHANNELS = 512
"""Of the features of the trunks here."""


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
    network.channels = CHANNELS
    return network


@TRUNKS.register("vgg16")
def vgg16(inward: int, stride: int = 16) -> nn.Module:
    """The convolutions of VGG-16 (Simonyan 2015, arXiv 1409.1556); the last is not rectified."""
    if stride != 16:
        raise UsageError(f"vgg16 has a stride of 16, not {stride}")
    plan = [64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512]
    network: Any = plain_convolutions(inward, plan)[:-1]
    network.channels = CHANNELS
    return network


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
