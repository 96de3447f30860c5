"""Single frames and stretches of sound are those of a whole reading."""

import numpy as np
import pytest

from avloc.errors import MediaError
from avloc.media.excerpts import VideoExcerpts, read_sound, sound_span
from avloc.media.reader import VideoReader
from avloc.media.sound import read_wave

RATE = 16_000


def whole(path):
    """Every frame with its time."""
    with VideoReader(path) as reader:
        return [(shown.time, reader.rgb(shown.picture)) for shown in reader]


def ramp(seconds, rate=44_100):
    """A sound that tells its time and has no silence: a slow rise with a tone on it."""
    time = np.arange(round(seconds * rate)) / rate
    return (0.1 * time + 0.2 * np.sin(2 * np.pi * 300 * time)).astype(np.float32)


CASES = {
    "mp4": {"options": {"crf": "10", "g": "30", "bf": "3"}},
    "mkv": {"options": {"crf": "10", "g": "250"}, "ticks": [0, 40, 90, 400, 420, 1000, 1700, 2900]},
    "avi": {"codec": "mpeg4", "options": {"g": "12"}},
    "ts": {"options": {"crf": "10", "g": "25"}},
    "mov": {
        "options": {"crf": "10", "g": "25"},
        "display": [0, 65536, 0, -65536, 0, 0, 0, 0, 1 << 30],
    },
}


@pytest.mark.parametrize("kind", CASES)
def test_a_frame_is_the_one_on_display(make_clip, tmp_path, kind):
    case = {"ticks": range(0, 3000, 40), **CASES[kind]}
    path = make_clip(tmp_path / f"a.{kind}", **case)
    frames = whole(path)
    rng = np.random.default_rng(0)
    with VideoExcerpts(path) as video:
        assert video.seconds == pytest.approx(3.0, abs=0.13)
        for time in [0.0, *rng.uniform(0, 3, 6), frames[-1][0], 2.99]:
            wanted = [picture for begin, picture in frames if begin <= time + 5e-4][-1]
            assert (video.frame(float(time)) == wanted).all(), time


@pytest.mark.parametrize(
    ("kind", "codec"), [("mp4", "aac"), ("mkv", "libopus"), ("mp4", "libmp3lame")]
)
def test_a_stretch_of_sound_is_cut_from_the_whole(make_clip, tmp_path, kind, codec):
    rate = 48_000 if codec == "libopus" else 44_100
    sound = {"wave": ramp(9, rate), "rate": rate, "codec": codec, "start": 0.2}
    path = make_clip(tmp_path / f"a.{kind}", ticks=range(0, 9000, 40), sounds=[sound])
    with VideoExcerpts(path) as video:
        first, last = video.sound_span()
        origin = video.origin
    wave, start = read_wave(path, RATE, origin=origin)
    assert first == pytest.approx(start, abs=0.05)
    assert last == pytest.approx(start + len(wave) / RATE, abs=0.1)
    for begin in (start, 0.9, 2.5, 3.33, 5.0, 6.9):
        at = round((begin - start) * RATE)
        found = read_sound(path, RATE, begin, 2.0, origin)
        assert len(found) == 2 * RATE
        # Matroska rounds times to milliseconds, which are 16 samples.
        near = [at] if kind == "mp4" else range(at - 16, at + 17)
        wanted = [wave[max(k, 0) :][: len(found)] for k in near]
        assert min(np.abs(found[: len(one)] - one).max() for one in wanted) < 0.02


def test_the_end_of_the_sound_is_the_end(make_clip, tmp_path):
    path = make_clip(tmp_path / "a.mp4", sounds=[{"wave": ramp(1.0), "rate": 44_100}])
    assert 0.4 < len(read_sound(path, RATE, 0.5, 2.0)) / RATE < 0.6
    with pytest.raises(MediaError, match=r"no sound from 30 s on"):
        read_sound(path, RATE, 30.0, 1.0)
    assert sound_span(path)[1] == pytest.approx(1.0, abs=0.1)


def test_what_is_not_there(make_clip, tmp_path):
    path = make_clip(tmp_path / "silent.mp4")
    with VideoExcerpts(path) as video, pytest.raises(MediaError, match="no sound track"):
        video.sound_span()
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(MediaError, match="cannot be opened"):
        VideoExcerpts(tmp_path / "text.mp4")
