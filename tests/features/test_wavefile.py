"""Sound files as arrays."""

import numpy as np
import pytest
import soundfile

from avloc.errors import MediaError
from avloc.features.wavefile import read_wave


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg"])
def test_channels_are_averaged_and_the_rate_is_changed(tmp_path, tone, suffix):
    path = tmp_path / f"a.{suffix}"
    left, right = tone(0.5, 48_000, 440), tone(0.5, 48_000, 660)
    soundfile.write(path, np.stack([left, right], 1), 48_000)
    wave = read_wave(path, 32_000)
    assert wave.dtype == np.float32
    assert wave.shape == (16_000,)
    expected = (tone(0.5, 32_000, 440) + tone(0.5, 32_000, 660)) / 2
    error = (wave - expected)[800:-800]
    assert np.sqrt(np.mean(error**2)) < 0.02


def test_the_same_rate_keeps_samples(tmp_path, tone):
    soundfile.write(tmp_path / "a.wav", tone(0.1, 8000), 8000, subtype="FLOAT")
    np.testing.assert_array_equal(read_wave(tmp_path / "a.wav", 8000), tone(0.1, 8000))


@pytest.mark.parametrize("name", ["none.ogg", "text.ogg", "folder"])
def test_what_is_no_sound_is_told(tmp_path, name):
    (tmp_path / "text.ogg").write_text("no sound")
    (tmp_path / "folder").mkdir()
    with pytest.raises(MediaError, match=f"{name}: cannot be read as sound"):
        read_wave(tmp_path / name, 8000)
