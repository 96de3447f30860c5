"""Scenes as files, read back with PyAV: as long, as fast and in step as they should be."""

import dataclasses
import json

import av
import numpy as np
import pytest

from avloc.data.synthetic import Event, Scene, write
from avloc.errors import MediaError, UsageError
from avloc.media.simple import write_clip


def read(path):
    with av.open(str(path)) as file:
        frames = [(f.time, f.to_ndarray(format="rgb24")) for f in file.decode(video=0)]
        fps = file.streams.video[0].average_rate
    with av.open(str(path)) as file:
        rate = file.streams.audio[0].rate
        parts = [(f.time, f.to_ndarray()[0]) for f in file.decode(audio=0)]
    return fps, frames, rate, parts[0][0], np.concatenate([samples for _, samples in parts])


def test_a_written_scene_reads_back(tmp_path):
    scene = Scene.random(4, seconds=2.0, width=160, height=96, fps=20.0)
    scene = dataclasses.replace(scene, events=(Event(0, 0.7, 1.4),), noise_db=None, gain=1.0)
    path, truth = write(scene, tmp_path / "made" / "scene.mp4")
    assert sorted(p.name for p in path.parent.iterdir()) == ["scene.json", "scene.mp4"]
    fps, frames, rate, start, wave = read(path)
    assert fps == 20
    assert [time for time, _ in frames] == pytest.approx([k / 20 for k in range(40)], abs=1e-3)
    for time, picture in frames[::13]:
        off = picture.astype(float) - scene.frame(time)
        assert np.abs(off).mean() < 6
        assert np.abs(off.mean((0, 1))).max() < 2  # The colours are those of the same matrix.
    assert rate == 32000
    assert start + len(wave) / rate == pytest.approx(2.0, abs=0.1)
    loud = np.flatnonzero(np.abs(wave) > 0.1 * np.abs(wave).max()) / rate + start
    told = json.loads(truth.read_text("utf-8"))["events"][0]
    assert loud[0] == pytest.approx(told["start"], abs=0.05)
    assert loud[-1] < told["end"] + 0.05
    # The whole wave lies where it was, to a hundredth of a second.
    padded = np.concatenate((np.zeros(round(start * rate)), wave))[: 2 * rate]
    original = scene.wave(rate)[: len(padded)]
    product = np.fft.irfft(np.fft.rfft(padded, 1 << 18) * np.fft.rfft(original, 1 << 18).conj())
    lag = int(np.argmax(product))
    assert min(lag, (1 << 18) - lag) / rate < 0.01


def test_unfit_names_and_sizes(tmp_path):
    scene = Scene.random(0, seconds=0.2, width=65, height=64)
    with pytest.raises(UsageError, match="even"):
        write(scene, tmp_path / "odd.mp4")
    with pytest.raises(UsageError, match="mp4"):
        write(scene, tmp_path / "scene.avi")
    assert not list(tmp_path.iterdir())


def test_nothing_stays_of_a_clip_that_breaks_off(tmp_path):
    def frames():
        yield np.zeros((64, 64, 3), np.uint8)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_clip(tmp_path / "a.mp4", frames(), 10.0)
    with pytest.raises(MediaError, match="frame"):
        write_clip(tmp_path / "b.mp4", iter(()), 10.0)
    with pytest.raises(MediaError, match="another size"):
        write_clip(tmp_path / "c.mp4", (np.zeros((64, w, 3), np.uint8) for w in (64, 32)), 10.0)
    (tmp_path / "file").write_text("x")
    with pytest.raises(MediaError, match="cannot be written"):
        write_clip(tmp_path / "file" / "d.mp4", [np.zeros((64, 64, 3), np.uint8)], 10.0)
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_a_silent_clip_has_no_sound_track(tmp_path):
    path = write_clip(tmp_path / "a.mp4", [np.zeros((64, 64, 3), np.uint8)] * 3, 30000 / 1001)
    with av.open(str(path)) as file:
        assert not file.streams.audio
        assert file.streams.video[0].average_rate == pytest.approx(30000 / 1001)
