"""Writing frames and a wave that are not from a file: H.264 and AAC in an MP4."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from avloc.errors import MediaError
from avloc.files import replacing

BT709 = 1
"""AVColorSpace, AVColorPrimaries and AVColorTransferCharacteristic of ordinary video."""
TELEVISION_RANGE = 1
"""AVColorRange with black at 16."""
AHEAD = 0.5
"""Seconds the sound may run ahead of the picture in the file."""


def write_clip(
    path: str | Path,
    frames: Iterable[np.ndarray],
    fps: float,
    wave: np.ndarray | None = None,
    rate: int = 32000,
    crf: int = 18,
) -> Path:
    """Write a video; it appears under its name when it is whole.

    Args:
        path: an ``.mp4`` file.
        frames: (H, W, 3) uint8 RGB each, all of one size, H and W even.
        fps: frames a second.
        wave: (N,) float32 mono in [-1, 1] that starts with the first frame; None: no sound.
        rate: of `wave`, Hz.
        crf: quality of the picture, 0 (lossless) to 51.

    Returns:
        The path.

    Raises:
        MediaError: there are no frames, their sizes are odd or differ, or the file cannot be
            written.
    """
    path = Path(path)
    with replacing(path) as part:
        try:
            with av.open(str(part), "w", options={"movflags": "+faststart"}) as out:
                _write(out, path, iter(frames), fps, wave, rate, crf)
        except av.error.FFmpegError as error:
            reason = error.strerror or str(error)
            raise MediaError(f"{path}: cannot be written ({reason}); check the folder") from error
    return path


def _write(
    out: av.container.OutputContainer,
    path: Path,
    frames: Iterator[np.ndarray],
    fps: float,
    wave: np.ndarray | None,
    rate: int,
    crf: int,
) -> None:
    first = next(frames, None)
    if first is None:
        raise MediaError(f"{path}: nothing to write; give at least one frame")
    height, width = first.shape[:2]
    if height % 2 or width % 2:
        raise MediaError(f"{path}: H.264 needs an even size; {width}x{height} is odd")
    pace = Fraction(fps).limit_denominator(1001)
    video = out.add_stream("libx264", rate=pace, options={"crf": str(crf), "preset": "veryfast"})
    video.width, video.height, video.pix_fmt = width, height, "yuv420p"
    context = video.codec_context
    context.colorspace = context.color_primaries = context.color_trc = BT709
    context.color_range = TELEVISION_RANGE
    chunks: Iterator[av.AudioFrame] = iter(())
    if wave is not None:
        audio = out.add_stream("aac", rate=rate, layout="mono")
        audio.bit_rate = 128_000
        chunks = _chunks(wave, rate)
    chunk = next(chunks, None)
    count = 0
    frame: np.ndarray | None = first
    while frame is not None or chunk is not None:
        heard = math.inf if chunk is None else float((chunk.pts or 0) / rate)
        if frame is None or heard < count / fps + AHEAD:
            if chunk is not None:
                out.mux(audio.encode(chunk))
            chunk = next(chunks, None)
            continue
        if frame.shape != first.shape:
            raise MediaError(f"{path}: frame {count} has another size than the first")
        picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), "rgb24").reformat(
            format="yuv420p", dst_colorspace=BT709, dst_color_range=TELEVISION_RANGE
        )
        picture.pts, picture.time_base = count, 1 / pace
        out.mux(video.encode(picture))
        count += 1
        frame = next(frames, None)
    out.mux(video.encode(None))
    if wave is not None:
        out.mux(audio.encode(None))


def _chunks(wave: np.ndarray, rate: int, size: int = 1024) -> Iterator[av.AudioFrame]:
    """The wave in frames of `size` samples with their times."""
    samples = np.ascontiguousarray(wave, np.float32)[None]
    for start in range(0, samples.shape[1], size):
        chunk = av.AudioFrame.from_ndarray(samples[:, start : start + size], "fltp", "mono")
        chunk.sample_rate, chunk.pts, chunk.time_base = rate, start, Fraction(1, rate)
        yield chunk
