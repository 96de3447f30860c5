"""Small convolutional backbones of inverted residual blocks: MobileNetV2 and MobileNetV3.

Sandler et al. 2018 (arXiv 1801.04381), table 2; Howard et al. 2019 (arXiv 1905.02244), table 1.
They are written out here, and not taken from timm and torchvision, because importing those two
costs 1.6 to 2.6 s and the command line must show its first frame within 4 s. Tests hold them
equal to timm's ``mobilenetv2_100`` and torchvision's ``MobileNetV3``.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

Network = TypeVar("Network", bound=nn.Module)


class Block(NamedTuple):
    """One inverted residual block: channels are absolute, `excite` adds squeeze-excitation."""

    kernel: int
    expanded: int
    out: int
    excite: bool
    hard: bool
    stride: int


class ConvNorm(nn.Module):
    """Convolution, batch normalisation, activation.

    `even` pads as TensorFlow does ("same"): for an even input and stride 2 only at the right and
    bottom. It is what the image weights were trained with, and right for even inputs alone.
    """

    def __init__(
        self,
        inward: int,
        outward: int,
        kernel: int = 1,
        stride: int = 1,
        groups: int = 1,
        activation: nn.Module | None = None,
        even: bool = False,
        eps: float = 1e-5,
    ) -> None:
        super().__init__()
        self.trim = even and stride == 2
        padding = 0 if self.trim else kernel // 2
        self.reach = kernel // 2
        self.conv = nn.Conv2d(inward, outward, kernel, stride, padding, groups=groups, bias=False)
        self.norm: nn.Module = nn.BatchNorm2d(outward, eps=eps)
        self.activation = activation or nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        if self.trim:
            x = functional.pad(x, (self.reach - 1, self.reach, self.reach - 1, self.reach))
        return self.activation(self.norm(self.conv(x)))

    def fold(self) -> None:
        """Merge the normalisation into the convolution; for inference only."""
        if isinstance(self.norm, nn.BatchNorm2d):
            self.conv = fuse_conv_bn_eval(self.conv, self.norm)
            self.norm = nn.Identity()


class Excite(nn.Module):
    """Squeeze-excitation with a sigmoid scale (Hu et al. 2018, arXiv 1709.01507)."""

    def __init__(self, channels: int, squeezed: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(channels, squeezed, 1)
        self.excite = nn.Conv2d(squeezed, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        scale = functional.relu(self.squeeze(x.mean((2, 3), keepdim=True)))
        return x * self.excite(scale).sigmoid()


class InvertedResidual(nn.Module):
    """Expand, filter each channel, project; added to the input where the shapes allow."""

    def __init__(self, inward: int, block: Block, soft: type[nn.Module], even: bool, eps: float):
        super().__init__()
        activation = nn.Hardswish() if block.hard else soft()
        wide = block.expanded
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        if wide != inward:
            layers["expand"] = ConvNorm(inward, wide, activation=activation, eps=eps)
        layers["filter"] = ConvNorm(
            wide, wide, block.kernel, block.stride, wide, activation, even, eps
        )
        if block.excite:
            layers["excite"] = Excite(wide, divisible(wide // 4))
        layers["project"] = ConvNorm(wide, block.out, eps=eps)
        self.layers = nn.Sequential(layers)
        self.residual = block.stride == 1 and inward == block.out

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x) if self.residual else self.layers(x)


class Backbone(nn.Module):
    """Stem, blocks and a last 1x1 convolution: (b, c, H, W) -> (b, channels, H/32, W/32).

    `fine` is the number of blocks before the last halving: `pyramid` also returns their output,
    (b, fine_channels, H/16, W/16).
    """

    def __init__(
        self,
        inward: int,
        stem: int,
        blocks: list[Block],
        channels: int,
        hard: bool,
        even: bool,
        eps: float,
    ) -> None:
        super().__init__()
        soft = nn.ReLU if hard else nn.ReLU6
        outer = nn.Hardswish if hard else nn.ReLU6
        self.channels = channels
        self.stem = ConvNorm(inward, stem, 3, 2, activation=outer(), even=even, eps=eps)
        widths = [stem, *(block.out for block in blocks)]
        self.blocks = nn.Sequential(
            *(
                InvertedResidual(width, block, soft, even, eps)
                for width, block in zip(widths, blocks, strict=False)
            )
        )
        self.last = ConvNorm(widths[-1], channels, activation=outer(), eps=eps)
        self.fine = max(i for i, block in enumerate(blocks) if block.stride == 2)
        self.fine_channels = widths[self.fine]

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.blocks(self.stem(x)))

    def pyramid(self, x: Tensor, fixed: int = 0) -> tuple[Tensor, Tensor]:
        """Features at stride 16 and at stride 32.

        No gradient reaches the stem and the first `fixed` blocks: at their resolution the
        backward pass costs as much as that of all the others.
        """
        with torch.set_grad_enabled(torch.is_grad_enabled() and not fixed):
            early = self.blocks[:fixed](self.stem(x))
        fine = self.blocks[fixed : self.fine](early)
        return fine, self.last(self.blocks[self.fine :](fine))


def divisible(channels: float, by: int = 8) -> int:
    """`channels` rounded to a multiple of `by`, never by more than a tenth downwards."""
    rounded = max(by, int(channels + by / 2) // by * by)
    return rounded + by if rounded < 0.9 * channels else rounded


def fold_norms(network: Network) -> Network:
    """Merge every batch normalisation of `network` into its convolution, in place."""
    network.eval()
    for module in network.modules():
        if isinstance(module, ConvNorm):
            module.fold()
    return network


def mobilenet_v2() -> Backbone:
    """MobileNetV2 at width 1.0 for images (b, 3, H, W); H and W multiples of 32; 1280 channels."""
    rows = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2)]
    rows += [(6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]
    blocks, width = [], 32
    for expansion, out, repeats, stride in rows:
        for repeat in range(repeats):
            step = stride if repeat == 0 else 1
            blocks.append(Block(3, width * expansion, out, False, False, step))
            width = out
    return Backbone(3, 32, blocks, 1280, hard=False, even=True, eps=1e-5)


def mobilenet_v3(width: float = 0.4) -> Backbone:
    """MobileNetV3-Large for spectrograms (b, 1, f, t); at width 0.4 it has 384 channels."""
    rows = [
        Block(3, 16, 16, False, False, 1),
        Block(3, 64, 24, False, False, 2),
        Block(3, 72, 24, False, False, 1),
        Block(5, 72, 40, True, False, 2),
        Block(5, 120, 40, True, False, 1),
        Block(5, 120, 40, True, False, 1),
        Block(3, 240, 80, False, True, 2),
        Block(3, 200, 80, False, True, 1),
        Block(3, 184, 80, False, True, 1),
        Block(3, 184, 80, False, True, 1),
        Block(3, 480, 112, True, True, 1),
        Block(3, 672, 112, True, True, 1),
        Block(5, 672, 160, True, True, 2),
        Block(5, 960, 160, True, True, 1),
        Block(5, 960, 160, True, True, 1),
    ]
    blocks = [
        row._replace(expanded=divisible(row.expanded * width), out=divisible(row.out * width))
        for row in rows
    ]
    channels = 6 * blocks[-1].out
    stem = divisible(16 * width)
    return Backbone(1, stem, blocks, channels, hard=True, even=False, eps=1e-3)
