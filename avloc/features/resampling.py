"""Waves at another rate."""

from __future__ import annotations

import numpy as np

from avloc.errors import UsageError


def resample(wave: np.ndarray, rate: int, to: int) -> np.ndarray:
    """A mono wave (n,) from `rate` Hz to `to` Hz, float32; windowed sinc (torchaudio).

    Raises:
        UsageError: the wave is not one-dimensional or a rate is not positive.
    """
    wave = np.asarray(wave, np.float32)
    if wave.ndim != 1:
        raise UsageError(f"a mono wave (n,) is needed, not one of shape {wave.shape}")
    if rate <= 0 or to <= 0:
        raise UsageError(f"cannot resample from {rate} to {to} Hz; rates are positive")
    if rate == to or not len(wave):
        return wave
    import torch
    from torchaudio.functional import resample as sinc

    return sinc(torch.from_numpy(np.ascontiguousarray(wave)), int(rate), int(to)).numpy()
