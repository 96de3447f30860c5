"""Convolution and activation in one step on CPUs.

PyTorch in eager mode writes the result of every convolution to memory and reads it back for the
activation, and with one thread it does not use oneDNN for 1x1 convolutions at all. The operator
that its own compiler emits does both in one pass: a bit over half the time of the image network
(62 ms for 103 on a busy machine, printed by tools/bench_network.py). Where the operator is
missing nothing changes.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from avloc.models.mobile import ConvNorm

# How oneDNN calls the activations, with their bounds.
ACTIVATIONS: dict[type[nn.Module], tuple[str, list[float]]] = {
    nn.ReLU6: ("hardtanh", [0.0, 6.0]),
    nn.ReLU: ("relu", []),
    nn.Hardswish: ("hardswish", []),
    nn.Identity: ("none", []),
}


class FusedConv(nn.Module):
    """A folded `ConvNorm`, or a convolution alone, for inference in float32 on a CPU."""

    def __init__(self, source: ConvNorm | nn.Conv2d) -> None:
        super().__init__()
        conv = source.conv if isinstance(source, ConvNorm) else source
        after = source.activation if isinstance(source, ConvNorm) else nn.Identity()
        weight, padding = conv.weight.detach(), list(conv.padding)
        if isinstance(source, ConvNorm) and source.trim:
            # Padding at the right and bottom alone copies the whole picture. A kernel with a row
            # and a column of zeros before it, and the usual padding, reads the same pixels.
            weight = functional.pad(weight, (1, 0, 1, 0))
            padding = [source.reach, source.reach]
        weight = weight.contiguous(memory_format=torch.channels_last)
        self.weight = nn.Parameter(weight, requires_grad=False)
        self.bias = conv.bias
        self.padding = padding
        self.stride = list(conv.stride)
        self.groups = conv.groups
        self.activation, self.bounds = ACTIVATIONS[type(after)]
        self._packed: tuple[torch.Size, Tensor] | None = None

    def forward(self, x: Tensor) -> Tensor:
        packed = self._packed  # once: another thread may replace it
        if packed is None or packed[0] != x.shape:
            packed = self._packed = (x.shape, self._pack(x.shape))
        return torch.ops.mkldnn._convolution_pointwise(
            x,
            packed[1],
            self.bias,
            self.padding,
            self.stride,
            [1, 1],
            self.groups,
            self.activation,
            self.bounds,
            "",
        )

    def _pack(self, shape: torch.Size) -> Tensor:
        """The weight in the order that oneDNN wants for inputs of this shape; else it would be
        ordered anew for every input."""
        return torch.ops.mkldnn._reorder_convolution_weight(
            self.weight, self.padding, self.stride, [1, 1], self.groups, list(shape)
        )


def can_fuse() -> bool:
    """Whether this PyTorch has the operators."""
    names = "_convolution_pointwise", "_reorder_convolution_weight"
    return torch.backends.mkldnn.is_available() and all(
        hasattr(torch.ops.mkldnn, name) for name in names
    )


def fuse(network: nn.Module) -> None:
    """Replace every convolution of `network` by its fused form, in place.

    Normalisation has to be folded before. Convolutions are those of `mobile` and heads alike:
    zero padding, no dilation.
    """
    for name, child in network.named_children():
        if isinstance(child, ConvNorm | nn.Conv2d):
            setattr(network, name, FusedConv(child))
        else:
            fuse(child)
