import json
import os

import av
import numpy as np
import pytest

from avloc.errors import MediaError, NoAudioError, UsageError
from avloc.media.reader import VideoReader
from avloc.media.sound import read_wave
from avloc.media.style import Style

RATE = 8000


@pytest.fixture
def clip(tmp_path, make_clip, tone):
    """Two seconds; the sound grows louder."""
    wave = tone(2, RATE) * np.linspace(0, 1, 2 * RATE, dtype=np.float32)
    return make_clip(
        tmp_path / "clip.mp4", ticks=range(0, 2000, 40), sounds=[{"wave": wave, "rate": RATE}]
    )


def test_one_instant_all_ways(fake, clip, tmp_path):
    wave, start = read_wave(clip, RATE)
    with VideoReader(clip) as reader:
        frame = next(reader.rgb(s.picture) for s in reader if s.time >= 1.2 - 1e-6)
    alone = fake.heatmap(frame, wave, RATE, time=1.2 - start)
    streamed = next(h for h in fake.stream(clip) if h.time == pytest.approx(1.2))
    whole = fake.localize(clip, tmp_path / "out.mp4").heatmaps[6]
    cut = fake.localize(clip, start=1.2).heatmaps[0]
    for other in (streamed, whole, cut):
        assert other.time == pytest.approx(1.2)
        np.testing.assert_array_equal(other.values, alone.values)
        assert other.confidence == alone.confidence
        assert other.tags == alone.tags


def test_without_a_time_all_of_the_wave_counts(fake, tone):
    frame = np.full((48, 64, 3), 128, np.uint8)
    wave = np.concatenate([np.zeros(4 * RATE, np.float32), tone(4, RATE)])
    heard = fake.heatmap(frame, wave, RATE)
    loud, silent = (fake.heatmap(frame, wave, RATE, time=t) for t in (6.0, 2.0))
    assert silent.confidence == 0
    assert 0 < heard.confidence < loud.confidence


def test_other_rates_channels_and_short_waves(fake, tone):
    frame = np.full((48, 64, 3), 128, np.uint8)
    reference = fake.heatmap(frame, tone(3, RATE), RATE)
    for wave, rate in [
        (tone(3, 44100), 44100),
        (np.stack([tone(3, RATE)] * 2), RATE),
        (tone(0.3, RATE), RATE),
    ]:
        heatmap = fake.heatmap(frame, wave, rate)
        assert heatmap.confidence == pytest.approx(reference.confidence, abs=0.02)


@pytest.mark.parametrize(
    ("frame", "wave"),
    [
        (np.zeros((8, 8), np.uint8), np.zeros(9, np.float32)),
        (np.zeros((8, 8, 3), np.float32), np.zeros(9, np.float32)),
        (np.zeros((8, 8, 3), np.uint8), np.zeros(9, np.int16)),
    ],
)
def test_refuses_other_shapes(fake, frame, wave):
    with pytest.raises(UsageError):
        fake.heatmap(frame, wave, RATE)


def test_all_outputs_agree(fake, clip, tmp_path):
    kinds = {kind: tmp_path / f"out.{kind}" for kind in ("json", "csv", "npz", "gif", "frames")}
    kinds["video"] = tmp_path / "out.mp4"
    result = fake.localize(clip, kinds, style=Style(strip=True))
    for kind in ("json", "csv"):
        saved = result.save(tmp_path / f"saved.{kind}")
        assert kinds[kind].read_text() == saved.read_text()
    spooled, saved = np.load(kinds["npz"]), np.load(result.save(tmp_path / "saved.npz"))
    assert set(spooled) == set(saved)
    for name in saved:
        np.testing.assert_array_equal(spooled[name], saved[name])
    assert len(os.listdir(kinds["frames"])) == len(result.heatmaps) == 10
    with av.open(str(kinds["gif"])) as gif:
        assert sum(1 for _ in gif.decode(video=0)) == 10
    with av.open(str(kinds["video"])) as video:
        assert sum(1 for _ in video.decode(video=0)) == 50
    assert not [name for name in os.listdir(tmp_path) if "part" in name]


def test_the_map_changes_with_the_first_frame_of_a_shot(fake, tmp_path, make_clip, tone):
    def spliced(number, width, height):
        picture = np.full((height, width, 3), 30, np.uint8)
        side = slice(0, width // 2) if number < 23 else slice(width // 2, width)
        picture[:, side] = 220
        return picture

    path = make_clip(
        tmp_path / "clip.mp4",
        picture=spliced,
        ticks=range(0, 1600, 40),
        sounds=[{"wave": tone(1.6, RATE), "rate": RATE}],
    )
    heatmaps = fake.localize(path).heatmaps
    assert [round(h.time, 2) for h in heatmaps] == [0, 0.2, 0.4, 0.6, 0.8, 0.92, 1.0, 1.2, 1.4]
    assert [h.peak()[0] < 0.5 for h in heatmaps] == [True] * 5 + [False] * 4


def test_no_sound_track(fake, tmp_path, make_clip):
    path = make_clip(tmp_path / "clip.mp4")
    with pytest.raises(NoAudioError, match="--no-audio"):
        fake.localize(path, tmp_path / "out.mp4")
    assert os.listdir(tmp_path) == ["clip.mp4"]
    result = fake.localize(path, use_audio=False)
    assert "picture alone" in result.notes[0]


def test_silent_track(fake, tmp_path, make_clip):
    sound = {"wave": np.zeros(RATE, np.float32), "rate": RATE}
    result = fake.localize(make_clip(tmp_path / "clip.mp4", sounds=[sound]))
    assert "silent" in result.notes[0]
    assert max(h.confidence for h in result.heatmaps) == 0
    assert not any(h.tags for h in result.heatmaps)


def test_sound_shorter_than_the_picture(fake, tmp_path, make_clip, tone):
    path = make_clip(
        tmp_path / "clip.mp4",
        ticks=range(0, 6000, 40),
        sounds=[{"wave": tone(1, RATE), "rate": RATE}],
    )
    result = fake.localize(path, tmp_path / "out.mp4")
    assert result.heatmaps[2].confidence > 0.5
    assert all(h.confidence == 0 for h in result.heatmaps if h.time > 1.5)
    assert result.status == "complete"
    assert "sound ends" in result.notes[0]


def test_sound_longer_than_the_picture(fake, tmp_path, make_clip, tone):
    path = make_clip(tmp_path / "clip.mp4", sounds=[{"wave": tone(6, RATE), "rate": RATE}])
    result = fake.localize(path, tmp_path / "out.mp4")
    assert result.status == "complete"
    assert result.duration == pytest.approx(1.0)


def test_a_photo_with_a_sound(fake, tmp_path, make_clip, tone):
    from PIL import Image

    photo = tmp_path / "photo.jpg"
    Image.fromarray(np.full((48, 64, 3), 90, np.uint8)).save(photo)
    bark = make_clip(tmp_path / "bark.mp4", sounds=[{"wave": tone(3, RATE), "rate": RATE}])
    with pytest.raises(NoAudioError, match="--audio"):
        fake.localize(photo)
    result = fake.localize(photo, tmp_path / "out.mp4", audio=bark)
    assert result.duration == pytest.approx(3.0, abs=0.15)
    with av.open(str(tmp_path / "out.mp4")) as out:
        assert len(out.streams.audio) == 1


def test_a_sound_file_is_no_picture(fake, data_dir):
    with pytest.raises(MediaError, match="no picture"):
        fake.localize(data_dir / "odd" / "inek_13.wav")


def test_a_truncated_clip_is_partial(fake, tmp_path, make_clip, tone):
    path = make_clip(
        tmp_path / "clip.mp4",
        ticks=range(0, 6000, 40),
        sounds=[{"wave": tone(6, RATE), "rate": RATE}],
        container_options={"movflags": "faststart"},
    )
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 3 // 4])
    out = {"video": tmp_path / "out.mp4", "json": tmp_path / "out.json"}
    result = fake.localize(path, out)
    assert result.status == "partial"
    told = json.loads(out["json"].read_text())
    assert told["status"] == "partial"
    assert told["lost_seconds"] == pytest.approx(result.lost_seconds, abs=1e-3)
    assert out["video"].exists()


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError, SystemExit])
def test_nothing_is_left_of_an_interrupted_run(fake, clip, tmp_path, error):
    def stop(done, total):
        if done > 1:
            raise error

    out = {k: tmp_path / f"out.{k}" for k in ("json", "csv", "npz", "gif", "frames")}
    with pytest.raises(error):
        fake.localize(clip, {**out, "video": tmp_path / "out.mp4"}, progress=stop)
    assert os.listdir(tmp_path) == ["clip.mp4"]


def test_an_error_in_the_model_comes_out(fake, clip, tmp_path, monkeypatch):
    def broken(prepared, evidence):
        raise RuntimeError("out of memory")

    monkeypatch.setattr(fake.engine, "look", broken)
    with pytest.raises(RuntimeError, match="out of memory"):
        fake.localize(clip, tmp_path / "out.mp4")
    assert os.listdir(tmp_path) == ["clip.mp4"]


@pytest.mark.parametrize(
    "arguments",
    [
        {"fps": 0},
        {"start": -1},
        {"start": 3, "end": 2},
        {"rotation": "flip"},
        {"out": "out.foo"},
        {"out": {"hologram": "x"}},
        {"audio": "x.wav", "use_audio": False},
    ],
)
def test_arguments_that_do_not_fit(fake, clip, arguments):
    with pytest.raises(UsageError):
        fake.localize(clip, **arguments)
