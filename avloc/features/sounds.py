"""Waves as the sound networks of published methods take them, by name."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
import torch
from torch import Tensor, hann_window

from avloc.features import fbank, spectrogram, vggish
from avloc.features.psd import log_psd
from avloc.registry import Registry


@dataclass(frozen=True)
class Sound:
    """How a wave becomes the input of a network.

    Attributes:
        rate: Hz at which the method hears; its densities and widths depend on it.
        seconds: how much it hears at once.
        spectrogram: (b, n) and Hz -> what the network takes.
        span: seconds that a whole file is repeated or cut to before the middle of it is taken.
        repeat: too short a file is repeated before its middle is found, and not after.
        whole_seconds: a begun second at the end does not move the middle.
        first: its evaluation hears that many seconds from the start of a file, which is repeated
            where it is shorter; infinite: all of the file. None: `seconds` from its middle.
    """

    rate: int
    seconds: float
    spectrogram: Callable[[Tensor, int], Tensor]
    span: float | None = None
    repeat: bool = False
    whole_seconds: bool = False
    first: float | None = None

    def excerpt(self, wave: np.ndarray, rate: int | None = None) -> np.ndarray:
        """What the original hears of a whole file: (N,) -> (n,).

        n = seconds * rate, or with `first` that * rate, or N if that is infinite, and no less than
        a moment takes.

        Args:
            wave: mono, in [-1, 1]; an empty one counts as silence.
            rate: Hz, if not that of the method.
        """
        rate = rate or self.rate
        length = int(self.seconds * rate)
        wave = np.asarray(wave, np.float32) if len(wave) else np.zeros(1, np.float32)
        if self.first is not None:
            if math.isinf(self.first):
                return np.resize(wave, max(len(wave), length))
            return np.resize(wave, round(self.first * rate))
        if self.span is not None:
            wave = np.resize(wave, int(self.span * rate))
        elif self.repeat and len(wave) < length:
            wave = np.tile(wave, length // len(wave) + 1)
        whole = len(wave) // rate * rate if self.whole_seconds else len(wave)
        first = max(whole // 2 - length // 2, 0)
        return np.resize(wave[first : first + length], length)


@lru_cache(maxsize=8)
def _mel(rate: int, device: torch.device) -> Callable[[Tensor], Tensor]:
    from torchaudio.transforms import MelSpectrogram

    with torch.inference_mode(False), warnings.catch_warnings():
        # There are as many bands as frequencies, so that some bands hear nothing: so be it.
        warnings.simplefilter("ignore")
        return MelSpectrogram(rate, 512, hop_length=239, n_mels=257, normalized=True).to(device)


def mel_decibels(waves: Tensor, rate: int) -> Tensor:
    """Waves (b, n) -> (b, 1, 257, t): as many mel bands as frequencies, in decibels (SSL-TIE)."""
    from torchaudio.functional import amplitude_to_DB

    return amplitude_to_DB(_mel(rate, waves.device)(waves), 10.0, 1e-10, 0.0)[:, None]


def stretched_examples(waves: Tensor, rate: int) -> Tensor:
    """Waves (b, n) at 16 kHz, each stretched to -1..1 -> VGGish's examples (SSPL, SACL)."""
    low = waves.amin(-1, keepdim=True)
    height = waves.amax(-1, keepdim=True) - low
    return vggish.examples(2 * ((waves - low) / (height + 1e-3) - 0.5))


def standardised_power(waves: Tensor, rate: int) -> Tensor:
    """Waves (b, n) -> (b, 1, 257, t): log power, of each sound to mean 0, deviation 1 (RCGrad)."""
    window = hann_window(512, device=waves.device)
    spectrum = torch.stft(waves, 512, 353, window=window, return_complex=True)
    logs = torch.log(spectrum.real.square() + spectrum.imag.square() + 1e-7)
    deviation, mean = torch.std_mean(logs, (1, 2), keepdim=True)
    return ((logs - mean) / (deviation + 1e-9))[:, None]


def standardised_wave(waves: Tensor, rate: int) -> Tensor:
    """Waves (b, n) -> the same to mean 0, deviation 1, as HuBERT was taught (DenseAV)."""
    variance, mean = torch.var_mean(waves, -1, correction=0, keepdim=True)
    return (waves - mean) / torch.sqrt(variance + 1e-7)


def mel_picture(waves: Tensor, rate: int) -> Tensor:
    """Waves (b, n) at 16 kHz -> (b, 1, 64, t): VGGish's bands, not cut up; for small networks."""
    return vggish.log_mel(waves).transpose(1, 2)[:, None]


def audioset_mel(waves: Tensor, rate: int) -> Tensor:
    """Waves (b, n) at 32 kHz -> (b, 1, 128, t), as for avloc's own sound network."""
    return spectrogram.log_mel(waves)


SOUNDS: Registry[Sound] = Registry("sound preset")
SOUNDS.add("log-mel", Sound(vggish.RATE, 2.0, mel_picture))
SOUNDS.add("lvs", Sound(16_000, 10.0, log_psd, span=10.0))
SOUNDS.add("ezvsl", Sound(16_000, 3.0, log_psd))
SOUNDS.add("sslalign", Sound(16_000, 3.0, partial(log_psd, overlap=353), span=10.0))
# How SSLalignment's own evaluation feeds EZ-VSL, SLAVC and MarginNCE.
SOUNDS.add("sslalign-ezvsl", Sound(16_000, 10.0, partial(log_psd, columns=200), span=10.0))
SOUNDS.add("heartheflow", Sound(22_050, 3.0, log_psd, whole_seconds=True))
SOUNDS.add("ssltie", Sound(16_000, 10.0, mel_decibels, span=10.0))
SOUNDS.add("vggish", Sound(vggish.RATE, 3.0, stretched_examples, repeat=True))
# Taught on 5 s; its script for videos hears half a second on either side of a frame.
SOUNDS.add("rcgrad", Sound(16_000, 1.0, standardised_power, first=math.inf))
# Taught on 10 s, which it turns into a step each 0.18 s; a moment is better told by 2 s.
SOUNDS.add("denseav", Sound(16_000, 2.0, standardised_wave, first=164_200 / 16_000))
# As the pretrained sound networks of AudioSet hear, for new networks around them.
SOUNDS.add("audioset", Sound(spectrogram.RATE, 3.0, audioset_mel))
SOUNDS.add("ast", Sound(16_000, 10.24, fbank.ast_fbank, span=10.24))
