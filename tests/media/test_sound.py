import numpy as np
import pytest
from scipy import signal

from avloc.errors import NoAudioError, UsageError
from avloc.media.sound import SoundReader, read_wave


def level(wave, rate, begin, end):
    part = wave[round(begin * rate) : round(end * rate)]
    return float(np.sqrt(np.mean(part**2)))


def test_resamples_as_scipy_does(tmp_path, make_clip, tone):
    wave = tone(2, 48000, 880)
    path = make_clip(tmp_path / "clip.mkv", sounds=[{"wave": wave, "rate": 48000}])
    got, start = read_wave(path, 32000)
    expected = signal.resample_poly(wave, 2, 3)
    lag = round(start * 32000)
    n = min(len(got), len(expected) - max(lag, 0)) - 4000
    error = got[2000:n] - expected[lag + 2000 : lag + n]
    assert np.sqrt(np.mean(error**2)) < 0.03


def test_mixes_the_mean_of_the_channels(tmp_path, make_clip, tone):
    left = tone(1, 44100, 300)
    path = make_clip(
        tmp_path / "clip.mp4", sounds=[{"wave": np.stack([left, -left]), "rate": 44100}]
    )
    wave, _ = read_wave(path, 32000)
    assert level(wave, 32000, 0.1, 0.9) < 0.02


@pytest.mark.parametrize("track", [0, 1, None])
def test_picks_the_track(tmp_path, make_clip, tone, track):
    sounds = [
        {"wave": tone(1, 32000, 440), "rate": 32000},
        {"wave": tone(1, 32000, 1200), "rate": 32000},
    ]
    path = make_clip(tmp_path / "clip.mp4", sounds=sounds)
    wave, _ = read_wave(path, 32000, track)
    spectrum = np.abs(np.fft.rfft(wave[4000:28000]))
    hertz = np.argmax(spectrum) * 32000 / 24000
    assert hertz == pytest.approx(1200 if track == 1 else 440, abs=10)


def test_an_unknown_track_and_no_track(tmp_path, make_clip, tone):
    path = make_clip(tmp_path / "a.mp4", sounds=[{"wave": tone(1, 32000), "rate": 32000}])
    with pytest.raises(UsageError, match="no sound track 3"):
        SoundReader(path, 32000, 3)
    with pytest.raises(NoAudioError, match="--no-audio"):
        SoundReader(make_clip(tmp_path / "b.mp4"), 32000)


def test_late_start_is_honoured(tmp_path, make_clip, tone):
    path = make_clip(
        tmp_path / "clip.mkv", sounds=[{"wave": tone(1, 32000), "rate": 32000, "start": 0.4}]
    )
    _, start = read_wave(path, 32000)
    assert start == pytest.approx(0.4, abs=0.05)
    _, shifted = read_wave(path, 32000, origin=0.1)
    assert shifted == pytest.approx(start - 0.1)


def test_gaps_become_silence(tmp_path, make_clip, tone):
    sound = {"wave": tone(6, 32000), "rate": 32000, "gap": (2.0, 4.0)}
    path = make_clip(tmp_path / "clip.mkv", ticks=range(0, 6000, 100), sounds=[sound])
    wave, start = read_wave(path, 32000)
    assert len(wave) / 32000 + start == pytest.approx(6.0, abs=0.1)
    assert level(wave, 32000, 0.5, 1.8) > 0.3
    assert level(wave, 32000, 2.3, 3.7) < 0.01
    assert level(wave, 32000, 4.3, 5.8) > 0.3


def test_chunks_join_to_the_whole_wave(data_dir):
    path = data_dir / "odd" / "flipping_a_pancake.mkv"
    with SoundReader(path, 32000) as reader:
        chunks = list(reader)
    assert max(map(len, chunks)) < 32000
    assert len(np.concatenate(chunks)) / 32000 == pytest.approx(10.37, abs=0.05)


def test_skips_to_a_late_moment(tmp_path, make_clip):
    rate = 8000
    # The level tells the second.
    wave = np.concatenate([np.full(rate, k / 100) for k in range(60)]).astype(np.float32)
    wave *= np.sign(np.sin(np.arange(len(wave))))
    path = make_clip(
        tmp_path / "clip.mp4", ticks=range(0, 60000, 1000), sounds=[{"wave": wave, "rate": rate}]
    )
    whole, start = read_wave(path, rate)
    with SoundReader(path, rate, skip=40.0) as reader:
        assert 35 < reader.first <= 40
        late = reader.read_all()
    offset = round((reader.first - start) * rate)
    same = whole[offset : offset + len(late)]
    np.testing.assert_allclose(late[4000 : len(same)], same[4000:], atol=0.02)


def test_bad_tags_do_no_harm(data_dir):
    wave, _ = read_wave(data_dir / "odd" / "inek_13.wav", 32000)
    assert len(wave) / 32000 == pytest.approx(1.67, abs=0.05)
