from fractions import Fraction

import av
import numpy as np
import pytest

from avloc.errors import MediaError
from avloc.media.orientation import Orientation
from avloc.media.reader import VideoReader

VARIABLE = [0, 33, 67, 100, 400, 433, 800, 1500]


def read(path, **options):
    with VideoReader(path, **options) as reader:
        return [(shown.time, reader.rgb(shown.picture)) for shown in reader], reader


def psnr(a, b):
    return 10 * np.log10(255**2 / max(1e-9, np.mean((a.astype(float) - b) ** 2)))


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "mov"])
def test_frames_keep_their_own_times(tmp_path, make_clip, suffix):
    path = make_clip(tmp_path / f"clip.{suffix}", ticks=VARIABLE)
    frames, reader = read(path)
    assert [time for time, _ in frames] == pytest.approx([t / 1000 for t in VARIABLE])
    assert reader.lost_seconds == 0


@pytest.mark.parametrize(
    ("start", "end"), [(0.0, None), (0.1, None), (0.05, 0.41), (0.4, 0.8), (0.0, 0.001)]
)
def test_cut_keeps_what_is_shown_between(tmp_path, make_clip, start, end):
    path = make_clip(tmp_path / "clip.mp4", ticks=VARIABLE, options={"g": "3", "bf": "2"})
    frames, _ = read(path, start=start, end=end)
    expected = [t / 1000 for t in VARIABLE if t / 1000 >= start and (end is None or t / 1000 < end)]
    assert [time for time, _ in frames] == pytest.approx(expected)


def test_time_zero_is_the_first_frame(tmp_path, make_clip):
    path = make_clip(tmp_path / "clip.mkv", ticks=[t + 5000 for t in VARIABLE])
    frames, reader = read(path)
    assert frames[0][0] == 0
    assert reader.origin == pytest.approx(5.0)


def test_transport_stream_without_an_index(tmp_path, make_clip):
    ticks = range(0, 4000, 40)
    path = make_clip(tmp_path / "clip.ts", ticks=ticks, options={"g": "50", "bf": "2"})
    frames, _ = read(path, start=1.5, end=2.5)
    assert [time for time, _ in frames] == pytest.approx(np.arange(1.52, 2.5, 0.04), abs=2e-3)


def test_nothing_between_the_times_is_an_error(tmp_path, make_clip):
    path = make_clip(tmp_path / "clip.mp4")
    with pytest.raises(MediaError, match="no frame from 9 s on"):
        read(path, start=9.0)


@pytest.mark.parametrize(
    "orientation",
    [Orientation(a, b, c) for a in (0, 1) for b in (0, 1) for c in (0, 1)],
)
def test_pictures_come_upright(tmp_path, make_clip, orientation):
    orientation = Orientation(*map(bool, vars(orientation).values()))
    plain, _ = read(make_clip(tmp_path / "plain.mp4", ticks=[0, 40]))
    path = make_clip(tmp_path / "clip.mp4", ticks=[0, 40], display=orientation.matrix())
    frames, reader = read(path)
    expected = plain[0][1]
    if orientation.transpose:
        expected = expected.transpose(1, 0, 2)
    expected = expected[:, ::-1] if orientation.mirror_x else expected
    expected = expected[::-1] if orientation.mirror_y else expected
    assert frames[0][1].shape == expected.shape == (reader.height, reader.width, 3)
    assert psnr(frames[0][1], expected) > 30


@pytest.mark.parametrize("size", [(63, 47), (64, 47), (63, 48)])
def test_odd_sizes(tmp_path, make_clip, size):
    path = make_clip(tmp_path / "clip.mkv", size=size, codec="ffv1", options={}, pix_fmt="bgr0")
    frames, reader = read(path)
    assert frames[0][1].shape == (size[1], size[0], 3)
    assert reader.format == "yuv420p"


def test_sample_aspect_is_told_and_turned(tmp_path, make_clip):
    turned = Orientation(True, True, False)
    path = make_clip(tmp_path / "clip.mp4", aspect=Fraction(4, 3), display=turned.matrix())
    _, reader = read(path)
    assert (reader.width, reader.height) == (48, 64)
    assert reader.sample_aspect == Fraction(3, 4)


@pytest.mark.parametrize(
    ("codec", "pix_fmt", "deep", "expected"),
    [
        ("libx264", "yuv420p10le", False, "yuv420p"),
        ("libx264", "yuv420p10le", True, "yuv420p10le"),
        ("libx264", "yuv444p", True, "yuv420p"),
        ("libx264", "yuvj420p", False, "yuvj420p"),
        ("ffv1", "bgr0", False, "yuv420p"),
        ("ffv1", "gray", False, "yuv420p"),
    ],
)
def test_formats(tmp_path, make_clip, codec, pix_fmt, deep, expected):
    options = {"crf": "10"} if codec == "libx264" else {}
    path = make_clip(tmp_path / "clip.mkv", codec=codec, pix_fmt=pix_fmt, options=options)
    frames, reader = read(path, deep=deep)
    assert reader.format == expected
    assert len(frames) == 25
    if pix_fmt != "gray":
        red = frames[0][1][4:12, 3:12].reshape(-1, 3).mean(axis=0)
        np.testing.assert_allclose(red, (220, 40, 40), atol=12)


def test_interlaced_frames_lose_their_comb(tmp_path, make_clip):
    def woven(number, width, height):
        picture = np.full((height, width, 3), 30, np.uint8)
        for field in (0, 1):
            left = 6 * (2 * number + field) % (width - 16)
            picture[field::2, left : left + 16] = 230
        return picture

    interlaced = av.codec.context.Flags.interlaced_dct | av.codec.context.Flags.interlaced_me
    path = make_clip(
        tmp_path / "clip.mp4",
        picture=woven,
        size=(128, 64),
        flags=interlaced,
        options={"crf": "5", "x264-params": "tff=1"},
    )
    with av.open(str(path)) as source:
        raw = [frame.to_ndarray(format="rgb24") for frame in source.decode(video=0)]
        if not any(frame.interlaced_frame for frame in _decoded(path)):
            pytest.skip("this PyAV cannot write interlaced video")
    frames, _ = read(path)
    assert len(frames) == len(raw)

    def comb(picture):
        rows = picture[..., 1].astype(float)
        return np.abs(2 * rows[1:-1] - rows[:-2] - rows[2:]).mean()

    middle = len(raw) // 2
    assert comb(frames[middle][1]) < 0.5 * comb(raw[middle])


def test_a_still_is_shown_as_long_as_asked(tmp_path):
    from PIL import Image

    Image.fromarray(np.full((40, 60, 3), (200, 30, 30), np.uint8)).save(tmp_path / "photo.png")
    frames, reader = read(tmp_path / "photo.png", still_seconds=2.0)
    assert reader.still
    assert len(frames) == 50
    assert frames[-1][0] == pytest.approx(1.96)
    np.testing.assert_allclose(frames[9][1].mean(axis=(0, 1)), (200, 30, 30), atol=3)


def test_exif_orientation_of_a_photo(tmp_path):
    from PIL import Image

    image = Image.fromarray(np.zeros((40, 60, 3), np.uint8))
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(tmp_path / "photo.jpg", exif=exif)
    _, reader = read(tmp_path / "photo.jpg")
    assert (reader.width, reader.height) == (40, 60)


def test_damage_in_the_middle_costs_only_itself(tmp_path, make_clip):
    path = make_clip(tmp_path / "clip.mp4", ticks=range(0, 8000, 40), options={"g": "10"})
    with av.open(str(path)) as source:
        spans = [
            (p.pos, p.size) for p in source.demux(video=0) if p.pts and 3000 <= p.pts / 16 < 3400
        ]
    data = bytearray(path.read_bytes())
    for position, size in spans:
        data[position : position + size] = b"\xff" * size
    path.write_bytes(data)
    frames, reader = read(path)
    times = np.array([time for time, _ in frames])
    assert times[-1] == pytest.approx(7.96)
    assert 0.1 <= reader.lost_seconds <= 1.0
    assert len(times) + round(reader.lost_seconds / 0.04) == 200
    assert (np.diff(times) > 0).all()


def test_a_truncated_file_is_partial(tmp_path, make_clip):
    path = make_clip(
        tmp_path / "clip.mp4",
        ticks=range(0, 8000, 40),
        container_options={"movflags": "faststart"},
    )
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])
    frames, reader = read(path)
    assert 1 < frames[-1][0] < 7
    assert reader.lost_seconds == pytest.approx(8.0 - frames[-1][0] - 0.04, abs=0.1)


def test_color_matrix_is_obeyed(tmp_path, make_clip):
    """The same code values mean other colours under BT.709."""
    stated = make_clip(tmp_path / "709.mp4", color={"colorspace": 1})
    plain = make_clip(tmp_path / "601.mp4")
    red709, red601 = (read(path)[0][0][1][6, 6].astype(int) for path in (stated, plain))
    assert abs(red709 - red601).max() > 10


def test_real_files(data_dir):
    expected = {
        "av1_video.mkv": (125, 0.0),
        "corrupted.mp4": (49, 0.1),
        "h264_10bits.mp4": (30, 0.0),
        "test.avi": (164, 0.0),
        "frog.webm": (248, 0.0),
    }
    for name, (count, lost) in expected.items():
        frames, reader = read(data_dir / "odd" / name)
        assert len(frames) == count, name
        assert reader.lost_seconds == pytest.approx(lost), name
        times = [time for time, _ in frames]
        assert times == sorted(set(times)), name


def _decoded(path):
    with av.open(str(path)) as source:
        yield from source.decode(video=0)
