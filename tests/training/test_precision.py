"""The number format of a run: what hardware computes, and never what it emulates."""

import platform
from pathlib import Path

import pytest
import torch

from avloc.errors import EnvironmentProblem
from avloc.training.precision import bf16_flags, chosen, computing_in

CPU, GPU = torch.device("cpu"), torch.device("cuda")
WITHOUT = [{}, {"avx512_bf16": False, "amx_bf16": False}, {"avx512_f": True, "avx512_vnni": True}]
WITH = [{"avx512_bf16": True}, {"amx_bf16": True, "avx512_bf16": False}]


@pytest.fixture
def processor(monkeypatch):
    """Gives this machine a processor with some capabilities."""
    return lambda there: monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: there)


@pytest.mark.parametrize("there", WITHOUT)
def test_auto_is_float32_without_instructions_for_bf16(processor, there):
    processor(there)
    assert chosen("auto", CPU) is torch.float32
    assert chosen("float32", CPU) is torch.float32
    assert bf16_flags() == []
    with pytest.raises(EnvironmentProblem, match="precision bf16: cpu has no instructions for it"):
        chosen("bf16", CPU)


@pytest.mark.parametrize("there", WITH)
def test_auto_is_bf16_with_them(processor, there):
    processor(there)
    assert chosen("auto", CPU) is chosen("bf16", CPU) is torch.bfloat16
    assert chosen("float32", CPU) is torch.float32
    assert bf16_flags() == [name for name, has in there.items() if has]


@pytest.mark.parametrize("there", [*WITHOUT, *WITH])
def test_processors_are_refused_fp16(processor, there):
    processor(there)
    with pytest.raises(EnvironmentProblem, match="precision fp16: not on cpu; take precision=auto"):
        chosen("fp16", CPU)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [("auto", torch.float32), ("float32", torch.float32), ("fp16", torch.float16)],
)
def test_a_gpu_that_emulates_bf16_counts_as_one_without(monkeypatch, wanted, expected):
    def supported(including_emulation=True):
        return including_emulation

    monkeypatch.setattr(torch.cuda, "is_bf16_supported", supported)
    assert chosen(wanted, GPU) is expected
    with pytest.raises(EnvironmentProblem, match="precision bf16: cuda"):
        chosen("bf16", GPU)


def test_a_gpu_that_computes_bf16_takes_it(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: True)
    assert chosen("auto", GPU) is torch.bfloat16


@pytest.mark.skipif(platform.system() != "Linux", reason="/proc tells flags on Linux alone")
@pytest.mark.skipif(platform.machine() != "x86_64", reason="names of x86")
def test_flags_are_those_that_linux_tells():
    flags = Path("/proc/cpuinfo").read_text().split()
    assert bf16_flags() == [name for name in ("avx512_bf16", "amx_bf16") if name in flags]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_products_are_computed_in_the_format(dtype):
    ones = torch.ones(2, 2)
    with computing_in(dtype, CPU):
        assert (ones @ ones).dtype is dtype
    assert (ones @ ones).dtype is torch.float32
