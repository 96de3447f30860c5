"""Against PyTorch's own transforms, and through every spectrogram there is."""

import pytest
import torch

from avloc.features.sounds import SOUNDS
from avloc.features.spectrogram import log_mel
from avloc.models.dense_fourier import DenseFourier


@pytest.fixture(scope="module")
def waves():
    return torch.randn(2, 20_000, generator=torch.Generator().manual_seed(0))


def test_a_transform_of_segments(waves):
    segments = waves[:, :1600].unflatten(1, (4, 400))
    for span in (None, 400, 512):
        wanted = torch.fft.rfft(segments, span)
        with DenseFourier():
            given = torch.fft.rfft(segments, span)
        torch.testing.assert_close(given, wanted, rtol=0, atol=1e-4)


@pytest.mark.parametrize("normalized", [False, True])
@pytest.mark.parametrize(
    ("span", "hop", "width"), [(1024, 320, 800), (512, 353, 512), (64, 16, 33)]
)
def test_a_transform_over_time(waves, span, hop, width, normalized):
    window = torch.hann_window(width, periodic=False)
    told = {"window": window, "normalized": normalized, "return_complex": True}
    wanted = torch.stft(waves, span, hop, width, **told)
    with DenseFourier():
        given = torch.stft(waves, span, hop, width, **told)
    torch.testing.assert_close(given, wanted, rtol=0, atol=2e-4)


@pytest.mark.parametrize("name", [*SOUNDS, "bundled"])
def test_every_spectrogram_stays_what_it_is(waves, name):
    make = log_mel if name == "bundled" else lambda x: SOUNDS[name].spectrogram(x, 16_000)
    wanted = make(0.1 * waves)
    with DenseFourier():
        given = make(0.1 * waves)
    torch.testing.assert_close(
        given, wanted, rtol=0, atol=1e-4 * float(wanted.max() - wanted.min())
    )
