import os
import resource
import threading
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from avloc.errors import MediaError, UsageError
from avloc.media.companions import Sound
from avloc.media.orientation import Orientation
from avloc.media.probe import probe
from avloc.media.reader import VideoReader
from avloc.media.sound import read_wave
from avloc.media.writer import VideoWriter

VARIABLE = [0, 33, 67, 100, 400, 433, 800, 1500]


def copy(source, target, start=0.0, end=None, sound=True, deep=False, **options):
    """Write `source` anew and unpainted; gives the writer's notes."""
    with VideoReader(source, start, end, deep) as reader:
        along = Sound(Path(source), None, True) if sound else None
        size = (reader.width, reader.height)
        with VideoWriter(Path(target), reader, size, sound=along, **options) as writer:
            for shown in reader:
                writer.write(shown.picture)
        return writer.notes


def times_of(path):
    with av.open(str(path)) as source:
        return [float(f.pts * f.time_base) for f in source.decode(video=0)]


@contextmanager
def room_for(size):
    """A limit on the size of files stands in for a full disk: both fail in write()."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "mov", "webm"])
def test_frame_times_stay(tmp_path, make_clip, suffix):
    path = make_clip(tmp_path / "in.mp4", ticks=VARIABLE)
    copy(path, tmp_path / f"out.{suffix}", sound=False)
    assert times_of(tmp_path / f"out.{suffix}") == pytest.approx([t / 1000 for t in VARIABLE])


@pytest.mark.parametrize("codec", ["h264", "hevc", "vp9", "av1"])
def test_codecs(tmp_path, make_clip, codec):
    path = make_clip(tmp_path / "in.mp4")
    copy(path, tmp_path / "out.mp4", sound=False, codec=codec)
    found = {"libdav1d": "av1"}
    name = probe(tmp_path / "out.mp4").video.codec
    assert found.get(name, name) == codec
    assert len(times_of(tmp_path / "out.mp4")) == 25


def test_ten_bits_stay_where_players_read_them(tmp_path, make_clip):
    path = make_clip(tmp_path / "in.mp4", pix_fmt="yuv420p10le")
    copy(path, tmp_path / "out.mp4", sound=False, codec="hevc", deep=True)
    assert probe(tmp_path / "out.mp4").video.format == "yuv420p10le"


def test_sound_is_copied_to_the_sample(tmp_path, make_clip, tone):
    path = make_clip(tmp_path / "in.mp4", sounds=[{"wave": tone(1, 44100), "rate": 44100}])
    copy(path, tmp_path / "out.mp4")
    before, start = read_wave(path, 44100)
    after, new_start = read_wave(tmp_path / "out.mp4", 44100)
    assert new_start == pytest.approx(start)
    np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize(
    ("source", "suffix", "codec"), [("aac", "webm", "opus"), ("pcm_s16le", "mp4", "aac")]
)
def test_sound_is_encoded_where_it_cannot_be_copied(
    tmp_path, make_clip, tone, source, suffix, codec
):
    sound = {"wave": np.stack([tone(1, 44100)] * 2), "rate": 44100, "codec": source}
    path = make_clip(tmp_path / "in.mkv", sounds=[sound])
    copy(path, tmp_path / f"out.{suffix}")
    track = probe(tmp_path / f"out.{suffix}").sounds[0]
    assert codec in track.codec
    before, start = read_wave(path, 16000)
    after, new_start = read_wave(tmp_path / f"out.{suffix}", 16000)
    lag = np.argmax(np.correlate(after[4000:8000], before[4100:7900], "valid")) - 100
    shift = lag / 16000 + new_start - start
    period = 1 / 440
    assert abs((shift + period / 2) % period - period / 2) < 5e-4
    assert len(after) == pytest.approx(len(before), abs=1600)


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_cut_keeps_sound_and_picture_together(tmp_path, make_clip, suffix):
    rate = 16000
    wave = np.zeros(4 * rate, np.float32)
    wave[2 * rate : 2 * rate + 800] = 0.8 * np.sin(np.arange(800))  # a beep at 2.0 s
    path = make_clip(
        tmp_path / "in.mp4", ticks=range(0, 4000, 40), sounds=[{"wave": wave, "rate": rate}]
    )
    target = tmp_path / f"out.{suffix}"
    copy(path, target, start=1.5, end=3.0)
    assert times_of(target)[0] == pytest.approx(0.02, abs=2e-3)
    assert times_of(target)[-1] == pytest.approx(1.46, abs=2e-3)
    cut, start = read_wave(target, rate)
    beep = np.argmax(np.abs(cut) > 0.2) / rate + start
    assert beep == pytest.approx(0.5, abs=0.01)
    assert start + len(cut) / rate == pytest.approx(1.5, abs=0.1)


def test_colors_tags_and_languages_are_carried_over(tmp_path, make_clip, tone):
    path = make_clip(
        tmp_path / "in.mp4",
        tags={"title": "Frogs"},
        language="deu",
        color={"colorspace": 9, "color_primaries": 9, "color_trc": 16, "color_range": 1},
        sounds=[{"wave": tone(1, 32000), "rate": 32000, "language": "fra"}],
    )
    copy(path, tmp_path / "out.mp4")
    info = probe(tmp_path / "out.mp4")
    video = info.video
    colors = (video.color_matrix, video.color_primaries, video.color_transfer, video.color_range)
    assert colors == (9, 9, 16, 1)
    assert info.tags["title"] == "Frogs"
    assert info.sounds[0].language == "fra"


def test_full_range_stays_full(tmp_path, make_clip):
    path = make_clip(tmp_path / "in.mp4", pix_fmt="yuvj420p")
    copy(path, tmp_path / "out.mp4", sound=False)
    assert probe(tmp_path / "out.mp4").video.color_range == 2


@pytest.mark.parametrize(("suffix", "codec"), [("mp4", "mov_text"), ("mkv", "subrip")])
def test_subtitles_are_carried_over(tmp_path, make_clip, suffix, codec):
    lines = [(0.1, 0.4, "Quak?"), (0.5, 0.9, "Quak!")]
    path = make_clip(tmp_path / "in.mkv", subtitles=lines)
    notes = copy(path, tmp_path / f"out.{suffix}", sound=False)
    assert notes == []
    with av.open(str(tmp_path / f"out.{suffix}")) as out:
        assert codec in out.streams.subtitles[0].codec_context.name.replace("srt", "subrip")
        told = [
            (float(p.pts * p.time_base), b" ".join(part.dialogue for part in p.decode()))
            for p in out.demux(subtitles=0)
            if p.pts is not None and p.size > 2
        ]
    assert [text for _, text in told] == [b"Quak?", b"Quak!"]
    assert [time for time, _ in told] == pytest.approx([0.1, 0.5], abs=2e-3)


@pytest.mark.parametrize("size", [(63, 47), (64, 47)])
def test_odd_sizes_are_padded_by_repetition(tmp_path, make_clip, size):
    path = make_clip(tmp_path / "in.mkv", size=size, codec="ffv1", options={}, pix_fmt="bgr0")
    copy(path, tmp_path / "out.mp4", sound=False)
    with VideoReader(tmp_path / "out.mp4") as reader:
        picture = reader.rgb(next(iter(reader)).picture).astype(int)
    assert picture.shape == (48, 64, 3)
    assert abs(picture[-1] - picture[-2]).mean() < 6


@pytest.mark.parametrize("keep", [False, True])
def test_rotation_is_baked_in_or_kept(tmp_path, make_clip, keep):
    turn = Orientation(True, True, False)
    path = make_clip(tmp_path / "in.mp4", display=turn.matrix())
    copy(path, tmp_path / "out.mp4", sound=False, keep_rotation=keep)
    video = probe(tmp_path / "out.mp4").video
    assert (video.coded_width, video.coded_height) == ((64, 48) if keep else (48, 64))
    assert (video.width, video.height) == (48, 64)
    assert video.rotation == (90 if keep else 0)
    with VideoReader(path) as a, VideoReader(tmp_path / "out.mp4") as b:
        first, second = (r.rgb(next(iter(r)).picture).astype(int) for r in (a, b))
    assert abs(first - second).mean() < 4


def test_sample_aspect_stays(tmp_path, make_clip):
    path = make_clip(tmp_path / "in.mp4", aspect=Fraction(4, 3))
    copy(path, tmp_path / "out.mp4", sound=False)
    assert float(probe(tmp_path / "out.mp4").video.sample_aspect) == pytest.approx(4 / 3)


def test_containers_refuse_what_they_do_not_hold(tmp_path, make_clip):
    path = make_clip(tmp_path / "in.mp4")
    with pytest.raises(UsageError, match="does not hold h264"):
        copy(path, tmp_path / "out.webm", sound=False, codec="h264")
    with pytest.raises(UsageError, match="cannot write"):
        copy(path, tmp_path / "out.foo", sound=False)


def test_a_folder_that_is_not_there(tmp_path, make_clip):
    path = make_clip(tmp_path / "in.mp4")
    with pytest.raises(MediaError, match="cannot be written"):
        copy(path, tmp_path / "no" / "out.mp4", sound=False)


@pytest.mark.parametrize("suffix", ["mp4", "mov"])
def test_browsers_can_play_while_they_load(tmp_path, make_clip, tone, suffix):
    path = make_clip(tmp_path / "in.mp4", sounds=[{"wave": tone(1, 32000), "rate": 32000}])
    copy(path, tmp_path / f"out.{suffix}")
    data = (tmp_path / f"out.{suffix}").read_bytes()
    assert 0 < data.index(b"moov") < data.index(b"mdat")


def test_a_disk_that_fills_up_at_the_very_end_is_told(tmp_path, make_clip):
    """While the index is written or moved to the front."""
    path = make_clip(tmp_path / "in.mp4", ticks=range(0, 4000, 4))
    copy(path, tmp_path / "whole.mp4", sound=False)
    size = (tmp_path / "whole.mp4").stat().st_size
    index = (tmp_path / "whole.mp4").read_bytes().index(b"mdat")
    for missing in (10, index // 2, index - 100):
        with room_for(size - missing), pytest.raises(MediaError, match="cannot be written"):
            copy(path, tmp_path / "out.mp4", sound=False)


def test_a_full_disk_is_told(tmp_path, make_clip):
    noise = np.random.default_rng(0)
    path = make_clip(
        tmp_path / "in.mp4",
        size=(320, 240),
        ticks=range(0, 4000, 40),
        picture=lambda k, w, h: noise.integers(0, 255, (h, w, 3), np.uint8),
        options={"preset": "ultrafast"},
    )
    with room_for(200_000), pytest.raises(MediaError, match="cannot be written"):
        copy(path, tmp_path / "out.mp4", sound=False)


def test_an_error_in_between_ends_the_thread(tmp_path, make_clip):
    def interrupted():
        with (
            VideoReader(make_clip(tmp_path / "in.mp4")) as reader,
            VideoWriter(tmp_path / "out.mp4", reader, (64, 48)) as writer,
        ):
            writer.write(next(iter(reader)).picture)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not [t for t in threading.enumerate() if t.name == "avloc-writer"]


def test_sound_runs_along_with_the_picture_in_the_file(tmp_path, make_clip, tone):
    sound = {"wave": tone(20, 32000), "rate": 32000}
    path = make_clip(tmp_path / "in.mp4", ticks=range(0, 20000, 40), sounds=[sound])
    copy(path, tmp_path / "out.mp4")
    with av.open(str(tmp_path / "out.mp4")) as out:
        order = sorted(
            (p.pos, p.stream.type, float(p.dts * p.time_base))
            for p in out.demux()
            if p.dts is not None
        )
    latest = {"video": 0.0, "audio": 0.0}
    for _, kind, time in order:
        latest[kind] = time
        assert abs(latest["video"] - latest["audio"]) < 3.0


def test_nothing_is_written_beside(tmp_path, make_clip):
    path = make_clip(tmp_path / "in.mp4")
    copy(path, tmp_path / "out.mp4", sound=False)
    assert sorted(os.listdir(tmp_path)) == ["in.mp4", "out.mp4"]
