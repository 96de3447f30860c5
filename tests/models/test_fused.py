"""Fused convolutions give what the plain network gives."""

from copy import deepcopy

import pytest
import torch
from torch import nn

from avloc.models.fused import FusedConv, can_fuse, fuse
from avloc.models.mobile import ConvNorm, Excite, fold_norms, mobilenet_v2, mobilenet_v3

needs_operator = pytest.mark.skipif(not can_fuse(), reason="this PyTorch lacks the operator")


def lively(network):
    """Statistics and weights that are not those of a fresh network."""
    generator = torch.Generator().manual_seed(3)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1, generator=generator)
            module.running_var.uniform_(0.5, 1.5, generator=generator)
    return network.eval()


@needs_operator
@pytest.mark.parametrize(
    ("make", "shape"), [(mobilenet_v2, (2, 3, 96, 160)), (mobilenet_v3, (2, 1, 128, 201))]
)
def test_fused_equals_plain(make, shape):
    torch.manual_seed(0)
    plain = lively(make())
    quick = fold_norms(deepcopy(plain))
    fuse(quick)
    assert not any(isinstance(module, ConvNorm) for module in quick.modules())
    example = torch.randn(shape).contiguous(memory_format=torch.channels_last)
    with torch.inference_mode():
        expected, found = plain(example), quick(example)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4 * float(expected.abs().max()))
    assert float(expected.abs().max()) > 0


@needs_operator
@pytest.mark.parametrize("groups", [1, 4])
def test_one_sided_padding_without_padding(groups):
    torch.manual_seed(1)
    source = ConvNorm(4, 4, 3, 2, groups, nn.ReLU6(), even=True).eval()
    source.fold()
    example = torch.randn(1, 4, 8, 10)
    with torch.inference_mode():
        torch.testing.assert_close(FusedConv(source)(example), source(example))


@needs_operator
def test_one_network_takes_inputs_of_several_shapes():
    torch.manual_seed(2)
    plain = nn.Sequential(ConvNorm(3, 8, 3, activation=nn.Hardswish()), Excite(8, 4)).eval()
    quick = fold_norms(deepcopy(plain))
    fuse(quick)
    assert sum(isinstance(module, FusedConv) for module in quick.modules()) == 3
    with torch.inference_mode():
        for shape in [(1, 3, 8, 10), (4, 3, 8, 10), (2, 3, 6, 6), (1, 3, 8, 10)]:
            example = torch.randn(shape).contiguous(memory_format=torch.channels_last)
            torch.testing.assert_close(quick(example), plain(example))
