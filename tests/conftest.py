"""Media made for tests, and the folder with real data where there is one."""

import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import settings

# How long an example takes says more about the machine than about the code.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real data that AVLOC_DATA names; tests that need it are skipped without."""
    folder = os.environ.get("AVLOC_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("AVLOC_DATA names no folder")
    return Path(folder)


@pytest.fixture(scope="session")
def tone():
    """Makes a sine, (n,) float32."""
    return _tone


def _tone(seconds: float, rate: int, hertz: float = 440.0, level: float = 0.5) -> np.ndarray:
    return (level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)).astype(
        np.float32
    )


def block_picture(number: int, width: int, height: int) -> np.ndarray:
    """(H, W, 3) RGB: grey with a bright block in the upper left and a mark of the number."""
    picture = np.full((height, width, 3), 60, np.uint8)
    picture[: height // 3, : width // 4] = (220, 40, 40)
    at = 4 + number % max(1, width - 12)
    picture[height // 2 : height // 2 + 6, at : at + 6] = 250
    return picture


@pytest.fixture(scope="session")
def make_clip():
    """Writes a clip: pictures at given ticks, sound tracks, tags; everything has a default."""

    def make(
        path,
        ticks=range(0, 1000, 40),
        base=Fraction(1, 1000),
        size=(64, 48),
        codec="libx264",
        options=None,
        pix_fmt="yuv420p",
        picture=block_picture,
        sounds=(),
        display=None,
        aspect=None,
        tags=None,
        language=None,
        color=None,
        flags=0,
        subtitles=(),
        container_options=None,
    ) -> Path:
        ticks = list(ticks)
        with av.open(str(path), "w", container_options=container_options or {}) as out:
            out.metadata.update(tags or {})
            stream = out.add_stream(
                codec, rate=25, options=options if options is not None else {"crf": "10"}
            )
            stream.width, stream.height, stream.pix_fmt = *size, pix_fmt
            stream.codec_context.time_base = base
            stream.time_base = base
            if flags:
                stream.codec_context.flags |= flags
            if aspect:
                stream.codec_context.sample_aspect_ratio = aspect
            if display:
                stream.set_display_matrix(display)
            for name, value in (color or {}).items():
                setattr(stream.codec_context, name, value)
            if language:
                stream.metadata["language"] = language
            tracks = [_sound(out, **sound) for sound in sounds]
            texts = _texts(out, subtitles)
            for number, tick in enumerate(ticks):
                rgb = picture(number, *size)
                frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(
                    format=pix_fmt, dst_colorspace="ITU601"
                )
                frame.pts, frame.time_base = tick, base
                if flags:
                    _mark_interlaced(frame)
                out.mux(stream.encode(frame))
            out.mux(stream.encode(None))
            for track in tracks:
                track()
            for packet in texts:
                out.mux(packet)
        return Path(path)

    return make


def _mark_interlaced(frame):
    if hasattr(frame, "interlaced_frame") and not frame.interlaced_frame:
        try:
            frame.interlaced_frame = True
        except AttributeError:
            return


def _sound(out, wave, rate, start=0.0, codec="aac", language=None, gap=None):
    """Adds a track; the function it gives encodes it. `gap` leaves out (from, to) seconds."""
    wave = np.atleast_2d(wave)
    stream = out.add_stream(codec, rate=rate)
    stream.layout = "mono" if len(wave) == 1 else "stereo"
    if language:
        stream.metadata["language"] = language

    def encode():
        size = 1024
        for first in range(0, wave.shape[1], size):
            if gap and gap[0] <= first / rate < gap[1]:
                continue
            part = np.ascontiguousarray(wave[:, first : first + size], np.float32)
            frame = av.AudioFrame.from_ndarray(part, format="fltp", layout=stream.layout.name)
            frame.sample_rate = rate
            frame.pts, frame.time_base = first + round(start * rate), Fraction(1, rate)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))

    return encode


def _texts(out, subtitles):
    if not subtitles:
        return []
    stream = out.add_stream("srt")
    stream.codec_context.subtitle_header = b"[Script Info]\n\n[V4+ Styles]\n\n[Events]\n"
    stream.codec_context.time_base = stream.time_base = Fraction(1, 1000)
    packets = []
    for begin, end, text in subtitles:
        packet = av.Packet(text.encode())
        packet.stream = stream
        packet.time_base = Fraction(1, 1000)
        packet.pts = packet.dts = round(begin * 1000)
        packet.duration = round((end - begin) * 1000)
        packets.append(packet)
    return packets
