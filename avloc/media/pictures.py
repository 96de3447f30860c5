"""Painted frames as PNG files and as an animated GIF."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from avloc.errors import MediaError
from avloc.media.closing import Closing
from avloc.media.reader import to_rgb

GIF_SIDE = 480
"""Pixels of a GIF's longer side at most: beyond, it gets heavier than the video."""

GIF_TICKS = 100
"""A GIF counts time in hundredths of a second."""


def save_png(picture: av.VideoFrame, path: Path) -> None:
    """Write one picture.

    Raises:
        MediaError: the file cannot be written.
    """
    from PIL import Image

    try:
        Image.fromarray(to_rgb(picture)).save(path, compress_level=3)
    except OSError as error:
        raise MediaError(f"{path}: cannot be written ({error.strerror or error})") from error


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """A folder beside `path` that takes its place when the block ends well, and else goes."""
    part = path.with_name(f".{path.name}.part")
    try:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        yield part
        if path.exists():
            shutil.rmtree(path)
        part.rename(path)
    except OSError as error:
        raise MediaError(f"{path}: cannot be written ({error.strerror or error})") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


class GifWriter(Closing):
    """An animated GIF, each picture with a palette of its own.

    Args:
        path: where to write.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stream: av.VideoStream | None = None
        self._first = 0.0
        self._last = -1
        try:
            self._out = av.open(str(path.absolute()), "w", format="gif")
        except av.error.FFmpegError as error:
            raise self._error(error) from error

    def write(self, picture: av.VideoFrame, time: float) -> None:
        """Add a picture that is shown from `time` seconds on."""
        try:
            if self._stream is None:
                self._stream = self._open(picture, time)
            self._last = max(self._last + 1, round((time - self._first) * GIF_TICKS))
            self._encode(picture, self._stream)
        except av.error.FFmpegError as error:
            raise self._error(error) from error

    def close(self) -> None:
        """Finish the file."""
        try:
            if self._stream is not None:
                self._out.mux(self._stream.encode(None))
            self._out.close()
        except av.error.FFmpegError as error:
            raise self._error(error) from error

    def abandon(self) -> None:
        """Leave the file unfinished; whoever named it removes it."""
        with suppress(av.error.FFmpegError):
            self._out.close()

    def _open(self, like: av.VideoFrame, time: float) -> av.VideoStream:
        self._first = time
        scale = min(1.0, GIF_SIDE / max(like.width, like.height))
        width, height = max(1, round(like.width * scale)), max(1, round(like.height * scale))
        stream = self._out.add_stream("gif", rate=GIF_TICKS)
        stream.width, stream.height, stream.pix_fmt = width, height, "pal8"
        stream.codec_context.time_base = Fraction(1, GIF_TICKS)
        self._size = (width, height)
        return stream

    def _encode(self, picture: av.VideoFrame, stream: av.VideoStream) -> None:
        from PIL import Image

        width, height = self._size
        rgb = to_rgb(picture.reformat(width, height, interpolation="AREA"))
        image = Image.fromarray(rgb).quantize(256, Image.Quantize.FASTOCTREE)
        colors = np.full((256, 4), 255, np.uint8)  # alpha, red, green, blue
        palette = np.array(image.getpalette() or [], np.uint8).reshape(-1, 3)
        colors[: len(palette), 1:] = palette
        indexed = np.asarray(image), colors
        frame = av.VideoFrame.from_ndarray(indexed, format="pal8")  # type: ignore[arg-type]
        frame.pts, frame.time_base = self._last, Fraction(1, GIF_TICKS)
        self._out.mux(stream.encode(frame))

    def _error(self, error: av.error.FFmpegError) -> MediaError:
        return MediaError(f"{self.path}: cannot be written ({error.strerror or error})")
