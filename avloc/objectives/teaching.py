"""Slow teachers: networks whose parameters follow those of a student."""

from __future__ import annotations

import torch
from torch import nn


@torch.no_grad()
def follow(teacher: nn.Module, student: nn.Module, momentum: float) -> None:
    """Move every parameter of `teacher` towards that of `student`.

    He et al. 2020, Momentum Contrast (arXiv 1911.05722), eq. 2. Buffers, such as the running
    statistics of normalisation, stay the teacher's own.

    Args:
        momentum: what remains of the teacher, 0..1.
    """
    for slow, fast in zip(teacher.parameters(), student.parameters(), strict=True):
        slow.lerp_(fast, 1 - momentum)
