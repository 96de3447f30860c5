"""Whole sound files as arrays, for training and evaluation."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from avloc.errors import MediaError


def read_wave(path: Path, rate: int) -> np.ndarray:
    """A sound file as mono float32 (n,) in [-1, 1], resampled to `rate` Hz."""
    import librosa
    import soundfile

    try:
        with soundfile.SoundFile(path) as file:  # a path would let librosa try audioread
            wave, _ = librosa.load(file, sr=rate, mono=True)
    except (OSError, soundfile.LibsndfileError) as error:
        raise MediaError(f"{path}: cannot be read as sound ({error})") from error
    return wave.astype(np.float32, copy=False)
