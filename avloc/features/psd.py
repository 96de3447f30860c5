"""The logarithmic power spectrogram of SciPy's defaults, in PyTorch: on any device, in batches.

LVS took ``scipy.signal.spectrogram`` as it is, and most methods since take it over: a Tukey window,
the mean of each segment removed, power for each Hz.
"""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch import Tensor

SPAN = 512
"""Samples of a segment."""

TAPER = 64
"""Samples over which the window rises, and falls: an eighth of a segment at each end."""

FLOOR = 1e-7
SCALE = 12.0


@lru_cache(maxsize=8)
def tukey(device: torch.device, dtype: torch.dtype) -> Tensor:
    """The window of a segment, (SPAN,): a raised cosine at both ends, 1 between them."""
    with torch.inference_mode(False):  # what is made in it must not be met again in training
        edge = torch.arange(SPAN, dtype=torch.float64).sub_(SPAN / 2).abs_().sub_(SPAN / 2 - TAPER)
        window = 0.5 + 0.5 * torch.cos(math.pi * edge.clamp_(min=0) / TAPER)
        return window.to(device, dtype)


def log_psd(waves: Tensor, rate: int, overlap: int = 274, columns: int | None = None) -> Tensor:
    """Waves (b, n) -> (b, 1, 257, t), logarithm of the power density over `SCALE`.

    Args:
        waves: in [-1, 1]; what lies beyond is clipped. n >= 512.
        rate: Hz; densities depend on it.
        overlap: samples that segments share.
        columns: of the spectrogram, only those in the middle are kept; None keeps all.
    """
    segments = waves.clamp(-1, 1).unfold(-1, SPAN, SPAN - overlap)
    window = tukey(waves.device, waves.dtype)
    spectrum = torch.fft.rfft((segments - segments.mean(-1, keepdim=True)) * window)
    power = (spectrum.real.square() + spectrum.imag.square()) / (rate * window.square().sum())
    # One side stands for both, except at 0 Hz and at half the rate, which have no other side.
    power = torch.cat([power[..., :1], 2 * power[..., 1:-1], power[..., -1:]], -1)
    scaled = torch.log(power + FLOOR) / SCALE
    if columns is not None:
        first = round((scaled.shape[-2] - columns) / 2)
        scaled = scaled[..., first : first + columns, :]
    return scaled.transpose(-1, -2)[:, None]
