from fractions import Fraction

import av
import numpy as np
import pytest

from avloc.errors import MediaError
from avloc.media.probe import probe


def test_tells_what_is_there(tmp_path, make_clip, tone):
    path = make_clip(
        tmp_path / "clip.mp4",
        aspect=Fraction(4, 3),
        tags={"title": "Frogs"},
        color={"colorspace": 1, "color_primaries": 1, "color_trc": 1, "color_range": 1},
        sounds=[
            {"wave": tone(1, 48000), "rate": 48000, "language": "eng"},
            {"wave": np.stack([tone(1, 44100)] * 2), "rate": 44100, "language": "fra"},
        ],
    )
    info = probe(path)
    video = info.video
    assert (video.coded_width, video.coded_height) == (64, 48)
    assert (video.width, video.height) == (85, 48)
    assert video.sample_aspect == Fraction(4, 3)
    assert video.fps == pytest.approx(25)
    assert video.duration == pytest.approx(1.0, abs=0.05)
    assert (video.color_matrix, video.color_primaries, video.color_transfer) == (1, 1, 1)
    assert not video.interlaced
    assert not video.still
    assert [(s.rate, s.channels, s.language) for s in info.sounds] == [
        (48000, 1, "eng"),
        (44100, 2, "fra"),
    ]
    assert info.tags["title"] == "Frogs"


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda p: p / "none.mp4", "no such file"),
        (lambda p: p, "folder"),
        (lambda p: _write(p / "empty.mp4", b""), "empty"),
        (lambda p: _write(p / "text.mp4", b"Dear diary, " * 99), "not a media file"),
    ],
)
def test_errors_say_what_is_wrong(tmp_path, make, words):
    with pytest.raises(MediaError, match=words) as caught:
        probe(make(tmp_path))
    assert "\n" not in str(caught.value)


def test_a_name_like_a_protocol(tmp_path, make_clip, monkeypatch):
    make_clip(tmp_path / "plain.mp4").rename(tmp_path / "part 1: start.mp4")
    monkeypatch.chdir(tmp_path)
    assert probe("part 1: start.mp4").video is not None


def test_cover_art_is_no_video(tmp_path, tone):
    path = tmp_path / "song.mp4"
    with av.open(str(path), "w") as out:
        sound = out.add_stream("aac", rate=32000)
        cover = out.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 32, 32, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        frame = av.AudioFrame.from_ndarray(tone(1, 32000)[None], format="fltp", layout="mono")
        frame.sample_rate = 32000
        picture = av.VideoFrame(32, 32, "yuvj420p")
        out.mux(cover.encode(picture))
        out.mux(cover.encode(None))
        out.mux(sound.encode(frame))
        out.mux(sound.encode(None))
    info = probe(path)
    assert info.video is None
    assert len(info.sounds) == 1


def test_latin_1_tags(data_dir):
    assert probe(data_dir / "odd" / "inek_13.wav").video is None


def test_rotated(data_dir):
    video = probe(data_dir / "odd" / "video_90.mov").video
    assert video.rotation == 90
    assert (video.width, video.height) == (320, 568)


def _write(path, data):
    path.write_bytes(data)
    return path
