"""The front end of the sound network against one made of NumPy, librosa and Kaldi's formula."""

import librosa
import numpy as np
import pytest
import torch

from avloc.features.spectrogram import BANDS, HOP, RATE, SPAN, TOP_BAND, WINDOW, log_mel, mel_bank


def kaldi_bank() -> np.ndarray:
    """(BANDS, SPAN // 2 + 1): triangles in mel, from Kaldi's mel-computations.cc."""

    def mel(hertz):
        return 1127.0 * np.log(1.0 + np.asarray(hertz, float) / 700.0)

    step = mel(TOP_BAND) / (BANDS + 1)
    points = mel(np.arange(SPAN // 2) * RATE / SPAN)
    bank = np.zeros((BANDS, SPAN // 2 + 1))
    for band in range(BANDS):
        left, centre, right = band * step, (band + 1) * step, (band + 2) * step
        for index, point in enumerate(points):
            if left < point <= centre:
                bank[band, index] = (point - left) / (centre - left)
            elif centre < point < right:
                bank[band, index] = (right - point) / (right - centre)
    return bank


def by_hand(wave: np.ndarray) -> np.ndarray:
    """(f, t): the log-mel spectrogram of one wave in double precision."""
    emphasised = wave[1:].astype(float) - 0.97 * wave[:-1]
    spectrum = librosa.stft(
        emphasised,
        n_fft=SPAN,
        hop_length=HOP,
        win_length=WINDOW,
        window=np.hanning(WINDOW),
        center=True,
        pad_mode="reflect",
    )
    return (np.log(kaldi_bank() @ np.abs(spectrum) ** 2 + 1e-5) + 4.5) / 5


@pytest.fixture
def waves(tone):
    rng = np.random.default_rng(0)
    noisy = 0.1 * rng.standard_normal(RATE // 2).astype(np.float32)
    return np.stack([noisy, tone(0.5, RATE, 1000.0) + 0.01 * noisy])


def test_bank_is_kaldis():
    np.testing.assert_allclose(mel_bank(torch.device("cpu")).numpy(), kaldi_bank(), atol=2e-4)


def test_spectrogram_is_the_hand_made_one(waves):
    ours = log_mel(torch.from_numpy(waves)).numpy()
    for row, wave in zip(ours, waves, strict=True):
        np.testing.assert_allclose(row[0], by_hand(wave), atol=2e-3)


def test_a_tone_is_in_its_band(tone):
    bands = log_mel(torch.from_numpy(tone(0.5, RATE, 1000.0))[None])[0, 0, :, 10:-10].mean(1)
    centre = 1127 * np.log(1 + 1000 / 700) / (1127 * np.log(1 + TOP_BAND / 700) / (BANDS + 1)) - 1
    assert abs(int(bands.argmax()) - centre) <= 1


@pytest.mark.parametrize("samples", [2 * RATE, RATE, 32_001, 32_000 + HOP, 1024])
def test_a_frame_every_hop(samples):
    spectrogram = log_mel(torch.zeros(2, samples))
    assert spectrogram.shape == (2, 1, BANDS, (samples - 1) // HOP + 1)


def test_gradients_pass_after_inference():
    mel_bank.cache_clear()
    with torch.inference_mode():
        log_mel(torch.zeros(1, 2048))
    wave = torch.randn(1, 2048, requires_grad=True)
    log_mel(wave).sum().backward()
    assert wave.grad.abs().sum() > 0


def test_silence_is_finite():
    silent = log_mel(torch.zeros(1, RATE))
    np.testing.assert_allclose(silent, (np.log(1e-5) + 4.5) / 5, rtol=1e-5)
