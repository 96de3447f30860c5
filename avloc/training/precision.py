"""In which number format the towers compute."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Literal

import torch

from avloc.errors import EnvironmentProblem

Precision = Literal["auto", "float32", "bf16", "fp16"]


def bf16_flags() -> list[str]:
    """The instructions of this processor that compute bfloat16, as Linux names them."""
    there = torch.cpu.get_capabilities()
    return [name for name in ("avx512_bf16", "amx_bf16") if there.get(name)]


def chosen(wanted: Precision, device: torch.device) -> torch.dtype:
    """The format for `wanted` on `device`.

    ``auto`` takes bfloat16 only where the hardware computes it: elsewhere it is emulated, many
    times slower than float32.

    Raises:
        EnvironmentProblem: ``bf16`` on hardware that has none, ``fp16`` anywhere but on a GPU.
    """
    if device.type == "cuda":
        there = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        there = device.type == "cpu" and bool(bf16_flags())
    if wanted == "bf16" and not there:
        raise EnvironmentProblem(
            f"precision bf16: {device} has no instructions for it; take precision=auto"
        )
    if wanted == "fp16" and device.type != "cuda":
        raise EnvironmentProblem(f"precision fp16: not on {device}; take precision=auto")
    if wanted == "fp16":
        return torch.float16
    return torch.bfloat16 if wanted != "float32" and there else torch.float32


def computing_in(dtype: torch.dtype, device: torch.device) -> AbstractContextManager[object]:
    """The context in which convolutions and products are computed in `dtype`."""
    if dtype == torch.float32:
        return nullcontext()
    return torch.autocast(device.type, dtype)
