"""Filter banks as the Audio Spectrogram Transformer (Gong et al. 2021, arXiv 2104.01778) has them.

16 kHz, frames of 25 ms every 10 ms, 128 Kaldi mel bands, AudioSet's mean and spread.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

BANDS = 128
FRAMES = 1024
MEAN, SPREAD = -4.2677393, 4.5689974  # of AudioSet, as its authors measured


def ast_fbank(waves: Tensor, rate: int) -> Tensor:
    """Waves (b, n) in [-1, 1] -> (b, 1, 128, 1024), cut or filled with zeros at the end."""
    from torchaudio.compliance.kaldi import fbank

    banks = torch.stack(
        [
            fbank(
                wave[None],
                sample_frequency=float(rate),
                window_type="hanning",
                num_mel_bins=BANDS,
                htk_compat=True,
                use_energy=False,
                dither=0.0,
            )
            for wave in waves
        ]
    )
    banks = functional.pad(banks, (0, 0, 0, FRAMES - banks.shape[1]))
    return ((banks - MEAN) / (2 * SPREAD)).mT[:, None]
