import numpy as np
import pytest

from avloc.errors import UsageError
from avloc.features.resampling import resample


def test_keeps_a_tone():
    wave = np.sin(2 * np.pi * 440 * np.arange(16000) / 16000).astype(np.float32)
    out = resample(wave, 16000, 32000)
    expected = np.sin(2 * np.pi * 440 * np.arange(32000) / 32000)
    assert out.dtype == np.float32
    np.testing.assert_allclose(out[1000:-1000], expected[1000:-1000], atol=2e-3)


def test_same_rate_and_nothing():
    wave = np.ones(5, np.float32)
    np.testing.assert_array_equal(resample(wave, 8000, 8000), wave)
    assert len(resample(wave[:0], 8000, 16000)) == 0


@pytest.mark.parametrize(("wave", "rate"), [(np.ones((2, 5)), 8000), (np.ones(5), 0)])
def test_refuses_nonsense(wave, rate):
    with pytest.raises(UsageError):
        resample(wave, rate, 16000)
