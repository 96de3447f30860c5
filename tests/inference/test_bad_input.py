"""Damaged, odd and empty files, and disks that are full: what is told, and what is left behind."""

import errno
import os
import resource

import av
import numpy as np
import pytest
import soundfile
from PIL import Image

from avloc.errors import MediaError
from avloc.inference import sinks

RATE = 8000


def test_damaged_matroska_that_skips_in_silence_is_partial(fake, tmp_path, make_clip, tone):
    """Nothing fails when it is read: packets of picture and sound are just not there."""
    path = make_clip(
        tmp_path / "clip.mkv",
        ticks=range(0, 8000, 40),
        size=(160, 96),
        options={"g": "10", "crf": "5"},
        picture=_noise,
        sounds=[{"wave": tone(8, RATE), "rate": RATE}],
    )
    data = path.read_bytes()
    third, hole = len(data) // 3, len(data) // 6
    path.write_bytes(data[:third] + bytes(hole) + data[third + hole :])
    result = fake.localize(path, tmp_path / "out.mp4")
    assert result.status == "partial"
    assert 0.5 < result.lost_seconds < 3
    assert result.duration == pytest.approx(8.0, abs=0.1)


def test_matroska_cut_off(fake, tmp_path, make_clip, tone):
    sound = {"wave": tone(6, RATE), "rate": RATE}
    path = make_clip(tmp_path / "clip.mkv", ticks=range(0, 6000, 40), sounds=[sound])
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    result = fake.localize(path, tmp_path / "out.json")
    assert result.status == "partial"
    assert result.lost_seconds + result.duration == pytest.approx(6.0, abs=0.3)


def test_a_video_without_a_frame(fake, tmp_path, make_clip, tone):
    sound = {"wave": tone(1, RATE), "rate": RATE}
    path = make_clip(tmp_path / "clip.mp4", ticks=[], sounds=[sound])
    with pytest.raises(MediaError, match=r"clip\.mp4"):
        fake.localize(path, tmp_path / "out.mp4")
    assert os.listdir(tmp_path) == ["clip.mp4"]


def test_a_video_of_one_frame(fake, tmp_path, make_clip, tone):
    sound = {"wave": tone(0.04, RATE), "rate": RATE}
    path = make_clip(tmp_path / "clip.mp4", ticks=[0], sounds=[sound])
    result = fake.localize(path, tmp_path / "out.mp4")
    assert [heatmap.time for heatmap in result.heatmaps] == [0]
    with av.open(str(tmp_path / "out.mp4")) as out:
        assert len(list(out.decode(video=0))) == 1


def test_a_photo_with_a_wav(fake, tmp_path, tone):
    Image.fromarray(np.full((49, 65, 3), 90, np.uint8)).save(tmp_path / "photo.jpg")
    soundfile.write(tmp_path / "bark.wav", tone(1.5, 44100), 44100)
    result = fake.localize(
        tmp_path / "photo.jpg", tmp_path / "out.mp4", audio=tmp_path / "bark.wav"
    )
    assert (result.status, result.duration) == ("complete", pytest.approx(1.5, abs=0.05))
    with av.open(str(tmp_path / "out.mp4")) as out:
        assert out.duration / av.time_base == pytest.approx(1.5, abs=0.1)
        assert out.streams.audio[0].codec_context.name == "aac"


def test_a_sound_file_without_a_sample(fake, tmp_path, make_clip):
    path = make_clip(tmp_path / "clip.mp4")
    soundfile.write(tmp_path / "empty.wav", np.zeros(0), 16000)
    result = fake.localize(path, tmp_path / "out.json", audio=tmp_path / "empty.wav")
    assert "silent" in result.notes[0]
    assert {heatmap.confidence for heatmap in result.heatmaps} == {0.0}


@pytest.mark.parametrize("kind", ["video", "npz", "gif", "frames"])
def test_a_full_disk(fake, tmp_path, make_clip, tone, kind):
    """A limit on the size of files stands in for the disk: both fail in write()."""
    sound = {"wave": tone(2, RATE), "rate": RATE}
    ticks = range(0, 2000, 40)
    path = make_clip(
        tmp_path / "clip.mp4", ticks=ticks, size=(160, 96), picture=_noise, sounds=[sound]
    )
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_000, before[1]))
    try:
        with pytest.raises(MediaError, match="cannot be written"):
            fake.localize(path, {kind: tmp_path / f"out.{kind}".replace("video", "mp4")})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert os.listdir(tmp_path) == ["clip.mp4"]


def test_a_full_disk_for_tables(fake, tmp_path, make_clip, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(sinks.JsonSink, "finish", full)
    path = make_clip(tmp_path / "clip.mp4")
    outputs = {"json": tmp_path / "out.json", "video": tmp_path / "out.mp4"}
    with pytest.raises(MediaError, match="No space left"):
        fake.localize(path, outputs, use_audio=False)
    assert os.listdir(tmp_path) == ["clip.mp4"]


def _noise(number, width, height):
    return np.random.default_rng(number).integers(0, 255, (height, width, 3), np.uint8)
