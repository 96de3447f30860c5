import av
import numpy as np
import pytest

from avloc.media.companions import Sound
from avloc.media.probe import probe
from avloc.media.reader import VideoReader
from avloc.media.sound import read_wave
from avloc.media.writer import VideoWriter

RATE = 16000


def write(source, target, sound=None, **cut):
    """Write `source` anew; gives the writer's notes."""
    with VideoReader(source, **cut) as reader:
        along = sound or Sound(source, None, own=True)
        size = (reader.width, reader.height)
        with VideoWriter(target, reader, size, sound=along) as writer:
            for shown in reader:
                writer.write(shown.picture)
        return writer.notes


def beep(at, seconds=4.0):
    """Silence with a beep at a moment, to tell tracks apart by."""
    wave = np.zeros(round(seconds * RATE), np.float32)
    first = round(at * RATE)
    wave[first : first + 800] = 0.8 * np.sin(np.arange(800))
    return wave


def beep_of(path, track):
    wave, start = read_wave(path, RATE, track)
    return np.argmax(np.abs(wave) > 0.2) / RATE + start


@pytest.fixture(scope="module")
def bilingual(tmp_path_factory, make_clip):
    """Two tracks: Spanish beeps at 1 s, French at 2 s and cannot be copied into MP4 or WebM."""
    return make_clip(
        tmp_path_factory.mktemp("bilingual") / "in.mkv",
        ticks=range(0, 4000, 40),
        sounds=[
            {"wave": beep(1), "rate": RATE, "language": "spa", "title": "Rana"},
            {
                "wave": np.stack([beep(2)] * 2),
                "rate": RATE,
                "codec": "pcm_s16le",
                "language": "fra",
                "title": "Grenouille",
            },
        ],
    )


@pytest.mark.parametrize(
    ("suffix", "codecs"),
    [("mp4", ["aac"] * 2), ("mkv", ["aac", "pcm_s16le"]), ("webm", ["opus"] * 2)],
)
def test_all_sound_tracks_come_along(tmp_path, bilingual, suffix, codecs):
    target = tmp_path / f"out.{suffix}"
    assert write(bilingual, target) == []
    sounds = probe(target).sounds
    assert [codec in sound.codec for sound, codec in zip(sounds, codecs, strict=True)] == [True] * 2
    assert [s.language for s in sounds] == ["spa", "fra"]
    if suffix == "mp4":  # FFmpeg writes titles there but does not read them.
        assert all(title in target.read_bytes() for title in (b"Rana", b"Grenouille"))
    else:
        assert [s.title for s in sounds] == ["Rana", "Grenouille"]
    assert [beep_of(target, n) for n in (0, 1)] == pytest.approx([1, 2], abs=0.01)


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv"])
def test_the_chosen_track_is_first_and_the_default(tmp_path, bilingual, suffix):
    target = tmp_path / f"out.{suffix}"
    write(bilingual, target, Sound(bilingual, 1, own=True))
    sounds = probe(target).sounds
    assert [(s.language, s.default) for s in sounds] == [("fra", True), ("spa", False)]
    with av.open(str(target)) as out:
        marks = [bool(s.disposition & av.stream.Disposition.default) for s in out.streams.audio]
    assert marks == [True, False]
    assert beep_of(target, None) == pytest.approx(2, abs=0.01)


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_tracks_are_cut_alike(tmp_path, bilingual, suffix):
    target = tmp_path / f"out.{suffix}"
    write(bilingual, target, start=0.5, end=3.0)
    assert [beep_of(target, n) for n in (0, 1)] == pytest.approx([0.5, 1.5], abs=0.01)
    for track in (0, 1):
        wave, start = read_wave(target, RATE, track)
        assert start + len(wave) / RATE == pytest.approx(2.5, abs=0.1)


def test_another_files_chosen_track_comes_alone(tmp_path, make_clip, bilingual):
    path = make_clip(tmp_path / "in.mp4", sounds=[{"wave": beep(3), "rate": RATE}])
    target = tmp_path / "out.mp4"
    write(path, target, Sound(bilingual, 1, own=False), end=3.0)
    assert [sound.language for sound in probe(target).sounds] == ["fra"]
    assert beep_of(target, 0) == pytest.approx(2, abs=0.01)


def test_a_track_that_ends_early_does_not_hold_up_the_others(tmp_path, make_clip):
    sounds = [{"wave": beep(1), "rate": RATE}, {"wave": beep(0.1, 0.3), "rate": RATE}]
    path = make_clip(tmp_path / "in.mkv", ticks=range(0, 4000, 40), sounds=sounds)
    write(path, tmp_path / "out.mp4")
    assert [beep_of(tmp_path / "out.mp4", n) for n in (0, 1)] == pytest.approx([1, 0.1], abs=0.01)
