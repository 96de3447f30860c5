from fractions import Fraction

import av
import pytest

from avloc.media.chapters import cut_chapters
from avloc.media.reader import VideoReader
from avloc.media.tracks import Span
from avloc.media.writer import VideoWriter

BASE = Fraction(1, 1000)
FROGS = [(0, 800, "Pond"), (800, 2000, "Quak?"), (2500, 4000, "Quak!")]

needs_chapters = pytest.mark.skipif(
    not hasattr(av.container.InputContainer, "chapters"), reason="PyAV before 16"
)


def chapters(spans):
    return [
        {"id": n, "start": a, "end": b, "time_base": BASE, "metadata": {"title": title}}
        for n, (a, b, title) in enumerate(spans, 1)
    ]


def told(path):
    with av.open(str(path)) as container:
        return [
            (
                round(float(c["start"] * c["time_base"] * 1000)),
                round(float(c["end"] * c["time_base"] * 1000)),
                c["metadata"]["title"],
            )
            for c in container.chapters()
        ]


@pytest.fixture(scope="module")
def plain(tmp_path_factory, make_clip):
    """A clip of four seconds whose first frame is at one second."""
    folder = tmp_path_factory.mktemp("plain")
    return make_clip(folder / "plain.mkv", ticks=range(1000, 5000, 40))


def with_chapters(plain, path, shift):
    """The same clip with `FROGS`, `shift` milliseconds later."""
    with av.open(str(plain)) as source, av.open(str(path), "w") as out:
        moved = [(a + shift, b + shift, title) for a, b, title in FROGS]
        out.set_chapters(chapters(moved))
        video = out.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.pts is not None:
                packet.stream = video
                out.mux(packet)
    return path


def write(source, target, **cut):
    with VideoReader(source, **cut) as reader:
        size = (reader.width, reader.height)
        with VideoWriter(target, reader, size) as writer:
            for shown in reader:
                writer.write(shown.picture)
    return told(target)


def as_held(spans, suffix):
    """MP4 knows no gaps between chapters: each lasts until the next."""
    if suffix not in ("mp4", "mov"):
        return spans
    starts = [start for start, _, _ in spans]
    return [(a, end, t) for (a, _, t), end in zip(spans, [*starts[1:], spans[-1][1]], strict=True)]


@needs_chapters
@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv", "webm"])
def test_chapters_are_carried_over(tmp_path, plain, suffix):
    source = with_chapters(plain, tmp_path / "in.mkv", 1000)
    assert write(source, tmp_path / f"out.{suffix}") == as_held(FROGS, suffix)


@needs_chapters
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_chapters_are_cut_with_the_picture(tmp_path, plain, suffix):
    source = with_chapters(plain, tmp_path / "in.mkv", 1000)
    found = write(source, tmp_path / f"out.{suffix}", start=0.9, end=3.0)
    assert found == as_held([(0, 1100, "Quak?"), (1600, 2100, "Quak!")], suffix)


@needs_chapters
def test_no_chapters_come_from_none(tmp_path, plain):
    assert write(plain, tmp_path / "out.mp4") == []


def test_a_cut_drops_what_lies_outside():
    kept = cut_chapters(chapters(FROGS), Span(0.8, 2.5, cut=True))
    assert [(c["start"], c["end"], c["id"]) for c in kept] == [(0, 1200, 1)]


def test_without_an_end_the_last_chapter_stays_whole():
    kept = cut_chapters(chapters(FROGS), Span(1.0, None, cut=True))
    assert [(c["start"], c["end"]) for c in kept] == [(0, 1000), (1500, 3000)]
