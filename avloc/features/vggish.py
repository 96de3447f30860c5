"""Log-mel examples as VGGish takes them (Hershey et al. 2017, arXiv 1609.09430)."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional

RATE = 16_000  # Hz
WINDOW = 400  # samples: 25 ms
HOP = 160  # samples: 10 ms
SPAN = 512  # samples of one Fourier transform
BANDS = 64  # mel bands from 125 to 7500 Hz
FRAMES = 96  # of an example: 0.96 s


@lru_cache(maxsize=4)
def mel_bank(device: torch.device) -> Tensor:
    """The (SPAN // 2 + 1, f) matrix from magnitudes to mel bands."""
    from torchaudio.compliance.kaldi import get_mel_banks

    with torch.inference_mode(False):
        bank, _ = get_mel_banks(BANDS, SPAN, float(RATE), 125.0, 7500.0, 100.0, -500.0, 1.0)
        return functional.pad(bank, (0, 1)).T.contiguous().to(device)


def log_mel(waves: Tensor) -> Tensor:
    """Waves (b, n) at `RATE` -> (b, t, 64), a row for each `HOP`."""
    segments = waves.unfold(-1, WINDOW, HOP)
    window = torch.hann_window(WINDOW, device=waves.device, dtype=waves.dtype)
    magnitudes = torch.fft.rfft(segments * window, SPAN).abs()
    return torch.log(magnitudes @ mel_bank(waves.device).to(waves.dtype) + 0.01)


def examples(waves: Tensor) -> Tensor:
    """Waves (b, n) at `RATE` -> (b, k, 1, 96, 64), k whole examples one behind the other."""
    return log_mel(waves).unfold(1, FRAMES, FRAMES).transpose(-1, -2)[:, :, None]
