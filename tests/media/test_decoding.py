"""How much of a damaged file is told to be lost."""

import numpy as np
import pytest

from avloc.media.reader import VideoReader

RATE = 16000
STEP = 0.04


def noise(number, width, height):
    return np.random.default_rng(number).integers(0, 255, (height, width, 3), np.uint8)


@pytest.fixture(scope="module")
def heavy(tmp_path_factory, make_clip, tone):
    """Makes eight seconds of noise, so that a hole is many bytes, a key frame each second."""
    folder = tmp_path_factory.mktemp("heavy")

    def make(name, sound):
        path = folder / name
        if not path.exists():
            sounds = [{"wave": tone(8, RATE), "rate": RATE}] if sound else []
            make_clip(
                path,
                ticks=range(0, 8000, 40),
                size=(96, 64),
                picture=noise,
                options={
                    "g": "25",
                    "crf": "20",
                    "x264-params": "scenecut=0:b-adapt=0:bframes=3",
                    "preset": "veryfast",
                },
                sounds=sounds,
                container_options={"cluster_time_limit": "1000"} if name.endswith("mkv") else None,
            )
        return path

    return make


def read(path):
    with VideoReader(path) as reader:
        times = [shown.time for shown in reader]
        return times, reader.lost_seconds


@pytest.mark.parametrize("suffix", ["mkv", "ts"])
@pytest.mark.parametrize("sound", [False, True])
def test_a_hole_is_noticed(tmp_path, heavy, suffix, sound):
    data = heavy(f"{suffix}{sound}.{suffix}", sound).read_bytes()
    begin, end = len(data) // 3, len(data) // 2
    path = tmp_path / f"clip.{suffix}"
    path.write_bytes(data[:begin] + bytes(end - begin) + data[end:])
    times, lost = read(path)
    assert lost > 0.8
    assert lost == pytest.approx(8 - len(times) * STEP, abs=0.3)


@pytest.mark.parametrize("suffix", ["mkv", "ts", "mp4"])
def test_a_whole_file_lost_nothing(heavy, suffix):
    for sound in (False, True):
        assert read(heavy(f"{suffix}{sound}.{suffix}", sound))[1] == 0


@pytest.mark.parametrize("suffix", ["mkv", "ts"])
def test_a_picture_may_pause(tmp_path, make_clip, suffix):
    ticks = [*range(0, 2000, 40), *range(5000, 7000, 40)]
    path = make_clip(tmp_path / f"clip.{suffix}", ticks=ticks, size=(96, 64), picture=noise)
    times, lost = read(path)
    assert (len(times), lost) == (100, 0)


def test_frames_missing_before_the_place_where_a_file_breaks_off(tmp_path, heavy):
    """B-frames come after frames that are shown later, so that some of them are cut off."""
    data = heavy("mkvFalse.mkv", False).read_bytes()
    gaps = []
    for share in np.linspace(0.5, 0.56, 7):
        (tmp_path / "cut.mkv").write_bytes(data[: round(share * len(data))])
        times, lost = read(tmp_path / "cut.mkv")
        gaps.append(np.max(np.diff(times)))
        assert lost == pytest.approx(8 - len(times) * STEP, abs=0.01)
    assert max(gaps) > 1.5 * STEP  # or the test would have tested nothing
