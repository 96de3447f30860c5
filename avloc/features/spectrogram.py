"""Log-mel spectrograms as the bundled sound network takes them (EfficientAT's front end).

Schmid et al. 2023 (arXiv 2211.04772): 32 kHz, pre-emphasis, Kaldi mel bands.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional

RATE = 32_000  # Hz
BANDS = 128  # mel bands from 0 to TOP_BAND Hz
TOP_BAND = 15_000.0
SPAN = 1024  # samples of one Fourier transform
WINDOW = 800  # samples under the Hann window: 25 ms
HOP = 320  # samples between frames: 10 ms


@lru_cache(maxsize=4)
def mel_bank(device: torch.device) -> Tensor:
    """The (f, SPAN // 2 + 1) matrix from power to mel bands."""
    from torchaudio.compliance.kaldi import get_mel_banks

    # What is made in inference mode must not be met again in training.
    with torch.inference_mode(False):
        bank, _ = get_mel_banks(BANDS, SPAN, float(RATE), 0.0, TOP_BAND, 100.0, -500.0, 1.0)
        return functional.pad(bank, (0, 1)).to(device)  # Kaldi leaves out the highest frequency


@lru_cache(maxsize=4)
def hann_window(device: torch.device) -> Tensor:
    """The (WINDOW,) weights of the samples under a transform."""
    with torch.inference_mode(False):
        return torch.hann_window(WINDOW, periodic=False, device=device)


def log_mel(waves: Tensor) -> Tensor:
    """Waves (b, n) at `RATE` in [-1, 1] -> (b, 1, f, t) with t = (n - 1) // HOP + 1."""
    emphasised = waves[:, 1:] - 0.97 * waves[:, :-1]
    window = hann_window(waves.device)
    spectrum = torch.stft(emphasised, SPAN, HOP, WINDOW, window, return_complex=True)
    power = spectrum.real.square() + spectrum.imag.square()
    bands = mel_bank(waves.device) @ power
    return ((torch.log(bands + 1e-5) + 4.5) / 5.0)[:, None]
