"""The strip under a picture: confidence over time so far, a time axis, and a cursor."""

from __future__ import annotations

import numpy as np

from avloc.media.text import text_size, written

GROUND = (20, 20, 24)
GRID = (58, 58, 66)
AXIS_INK = (190, 190, 198)
CURSOR = (245, 245, 245)
CURVE = (92, 150, 214)
UNKNOWN_DURATION = 30.0


class Strip:
    """Remembers one confidence per column, so that a film of any length needs no more memory.

    Where time runs past the axis (the duration was unknown or stated too short), the axis doubles.

    Args:
        height, width: of the strip, pixels.
        duration: seconds on the axis; None where unknown.
    """

    def __init__(self, height: int, width: int, duration: float | None) -> None:
        self.duration = duration if duration and duration > 0 else UNKNOWN_DURATION
        self._text = max(9, round(0.28 * height))
        self._picture = np.empty((height, width, 3), np.uint8)
        self._base = height - round(1.4 * self._text)
        self._confidence = np.full(width, np.nan, np.float32)
        self._last: int | None = None
        self._axis()

    def advance(self, now: float, confidence: float) -> tuple[int, int]:
        """Note the confidence at `now`; returns the columns [first, end) that changed."""
        width = self._picture.shape[1]
        doubled = False
        while now > self.duration * (1 + 0.5 / width):
            self._double()
            doubled = True
        column = self.column(now)
        first = column if self._last is None or self._last >= column else self._last + 1
        before = self._confidence[first - 1] if first < column else confidence
        # Columns that no frame fell on lie on the line between their neighbours.
        line = np.linspace(before, confidence, column - first + 2)[1:]
        self._confidence[first : column + 1] = np.clip(line, 0, 1)
        self._last = column
        if doubled:
            self._axis()
            self._curve(0, width)
            return 0, width
        self._curve(first, column + 1)
        return first, column + 1

    def column(self, now: float) -> int:
        """The column of the time `now`."""
        width = self._picture.shape[1]
        return int(np.clip(now / self.duration * width, 0, width - 1))

    @property
    def picture(self) -> np.ndarray:
        """(height, width, 3) uint8 RGB, without the cursor."""
        return self._picture

    def cursor(self) -> np.ndarray:
        """The cursor as (height, 2, 4) uint8 RGBA, to be laid over the present column."""
        bar = np.empty((self._base, 2, 4), np.uint8)
        bar[...] = (*CURSOR, 255)
        return bar

    def _double(self) -> None:
        width = len(self._confidence)
        pairs = np.append(self._confidence, self._confidence[-1:])[: 2 * ((width + 1) // 2)]
        halved = np.fmax(pairs[0::2], pairs[1::2])
        self._confidence[:] = np.nan
        self._confidence[: len(halved)] = halved
        self.duration *= 2
        if self._last is not None:
            self._last //= 2

    def _curve(self, first: int, end: int) -> None:
        """Draw the columns [first, end) of the curve's area."""
        top = max(1, round(0.08 * self._base))
        span = self._base - top
        values = self._confidence[first:end]
        rows = np.arange(self._base)[:, None] + 0.5
        cover = np.clip(rows - (self._base - np.nan_to_num(values) * span) + 0.5, 0, 1)[..., None]
        cover = np.where(np.isnan(values)[None, :, None], 0, cover)
        area = np.empty((self._base, end - first, 3), np.float32)
        area[...] = GROUND
        area[[top, top + span // 2]] = GRID
        self._picture[: self._base, first:end] = np.round(area * (1 - cover) + CURVE * cover)

    def _axis(self) -> None:
        """Draw the empty curve, and ticks with times under it."""
        width = self._picture.shape[1]
        self._picture[...] = GROUND
        self._curve(0, width)
        self._picture[self._base] = GRID
        step = _tick_step(self.duration, width / (5.0 * self._text))
        free = 0
        for index in range(int(self.duration / step + 1e-6) + 1):
            x = round(index * step / self.duration * width)
            text = written(clock(index * step, step), self._text, AXIS_INK)
            left = min(max(x - text.shape[1] // 2, 2), width - text.shape[1] - 2)
            if x < width:
                self._picture[self._base : self._base + 3, x] = AXIS_INK
            if left >= free and left >= 0:
                _write(self._picture, text, self._base + round(0.05 * self._text) + 1, left)
                free = left + text.shape[1] + self._text // 2


def strip_height(height: int, width: int) -> int:
    """An even number of pixels: room for a curve and a line of small text."""
    return 2 * max(16, round(1.4 * text_size(height, width)))


def clock(seconds: float, step: float = 1.0) -> str:
    """``1:05``, ``1:02:03``, or ``0:00.5`` where the ticks are closer than a second."""
    tenths = round(seconds * 10)
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    tail = f"{rest // 10:02d}" + (f".{rest % 10}" if step < 1 else "")
    return f"{hours}:{minutes:02d}:{tail}" if hours else f"{minutes}:{tail}"


def _tick_step(duration: float, most: float) -> float:
    steps = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)
    wanted = duration / max(1.0, most)
    return next((step for step in steps if step >= wanted), 3600.0 * np.ceil(wanted / 3600))


def _write(picture: np.ndarray, text: np.ndarray, top: int, left: int) -> None:
    part = picture[top : top + text.shape[0], left : left + text.shape[1]]
    front = text[: part.shape[0], : part.shape[1]].astype(np.float32)
    share = front[..., 3:] / 255
    part[...] = np.round(part * (1 - share) + front[..., :3] * share)
