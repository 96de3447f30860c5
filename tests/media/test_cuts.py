import av
import numpy as np
import pytest

from avloc.media.cuts import CutDetector, coarse_luma
from avloc.media.reader import VideoReader


def frames_of(luma):
    for values in luma:
        rgb = np.repeat(values[..., None], 3, axis=2).astype(np.uint8)
        yield av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format="yuv420p")


def scene(seed, count, speed=2, size=(96, 128)):
    """A textured picture that moves."""
    generator = np.random.default_rng(seed)
    coarse = generator.integers(20, 235, (12, 16))
    picture = np.kron(coarse, np.ones((size[0] // 12, size[1] // 16)))
    return [np.roll(picture, speed * k, axis=1) for k in range(count)]


def cuts_in(luma):
    detector = CutDetector()
    return [k for k, frame in enumerate(frames_of(luma)) if detector.is_cut(frame)]


def test_finds_the_splice_and_nothing_else():
    assert cuts_in(scene(1, 30) + scene(2, 20) + scene(3, 25)) == [30, 50]


def test_motion_and_slow_fades_are_no_cuts():
    assert cuts_in(scene(1, 60, speed=4)) == []
    start, end = scene(1, 1)[0], scene(2, 1)[0]
    assert cuts_in([start + (end - start) * k / 50 for k in range(51)]) == []


@pytest.mark.parametrize("format", ["yuv420p", "yuv420p10le"])
def test_coarse_luma_is_the_mean(format):
    values = np.full((90, 160), 128)
    values[:45] = 60
    frame = next(frames_of([values])).reformat(format=format)
    grid = coarse_luma(frame)
    plane = next(frames_of([values])).to_ndarray()[:90]
    assert grid[0, 0] == pytest.approx(plane[0, 0], abs=1)
    assert grid[-1, -1] == pytest.approx(plane[-1, -1], abs=1)


def test_tiny_pictures():
    assert cuts_in([np.zeros((8, 8)), np.full((8, 8), 250)]) == [1]


def test_real_clips_of_one_shot(data_dir):
    for name in ("wild_012", "wild_089", "wild_036", "wild_095"):
        detector = CutDetector()
        with VideoReader(data_dir / "wild" / "clips" / f"{name}.mp4") as reader:
            assert not any(detector.is_cut(shown.picture) for shown in reader), name
