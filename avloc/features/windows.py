"""The stretch of sound that is evidence for a moment, from a whole wave or from a stream."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

EDGE = 0.1
"""Seconds beyond the ends of a sound that still count as it; further out is silence."""


def window_at(
    wave: np.ndarray, rate: int, time: float, seconds: float, start: float = 0.0
) -> np.ndarray:
    """The samples around `time`: (n,) float32, n = round(seconds * rate).

    The window is centred on `time` and shifted to lie inside the sound. A sound shorter than the
    window is repeated; where nothing sounds, outside the wave, there are zeros.

    Args:
        wave: (N,) mono.
        rate: Hz.
        time: seconds, on the clock on which the wave begins at `start`.
        seconds: length of the window.
    """
    return _cut(np.asarray(wave, np.float32), 0, len(wave), rate, time, seconds, start)


def grid_times(length: int, rate: int, hop: float = 0.5, start: float = 0.0) -> np.ndarray:
    """The moments, `hop` seconds apart, whose windows together stand for a whole wave."""
    return start + hop * (np.arange(max(1, int(length / rate / hop))) + 0.5)


class WindowStream:
    """`window_at` over a sound that comes in chunks, for times that do not decrease.

    Keeps no more than a window and a chunk.

    Args:
        chunks: the wave in pieces, (n,) float32 each.
        rate: Hz.
        seconds: length of a window.
        start: seconds at which the sound begins.
        first: seconds of the first sample of the first chunk, where it begins later.
    """

    def __init__(
        self,
        chunks: Iterable[np.ndarray],
        rate: int,
        seconds: float,
        start: float = 0.0,
        first: float | None = None,
    ) -> None:
        self._chunks = iter(chunks)
        self._rate, self._seconds, self._start = rate, seconds, start
        self._size = round(seconds * rate)
        self._base = 0 if first is None else max(0, round((first - start) * rate))
        self._kept = np.zeros(0, np.float32)
        self._ended = False
        self.loudest = 0.0
        """The greatest sample so far, as an absolute value."""

    @property
    def end(self) -> float | None:
        """Seconds at which the sound ends; None as long as that was not reached."""
        if not self._ended:
            return None
        return self._start + (self._base + len(self._kept)) / self._rate

    def window(self, time: float) -> np.ndarray:
        """The samples around `time`, as `window_at` gives them."""
        wanted = _index(time, self._start, self._rate) - self._size // 2
        self._read(max(wanted, 0) + self._size)
        length = self._base + len(self._kept) if self._ended else _UNKNOWN
        cut = _cut(self._kept, self._base, length, self._rate, time, self._seconds, self._start)
        # The end may push later windows back to the last full one, but never further.
        last_full = self._base + len(self._kept) - self._size
        self._drop(min(wanted, last_full) - self._base)
        return cut

    def _read(self, end: int) -> None:
        parts = [self._kept]
        have = self._base + len(self._kept)
        while have < end and not self._ended:
            chunk = next(self._chunks, None)
            if chunk is None:
                self._ended = True
                break
            if len(chunk):
                self.loudest = max(self.loudest, float(np.abs(chunk).max()))
            parts.append(chunk)
            have += len(chunk)
            if len(parts) > 64 and have - self._base > 4 * self._size:
                parts = self._thin(parts, end)
        self._kept = np.concatenate(parts) if len(parts) > 1 else self._kept

    def _thin(self, parts: list[np.ndarray], end: int) -> list[np.ndarray]:
        """On the way to a time far ahead: forget what no window will need."""
        whole = np.concatenate(parts)
        spare = min(end - self._size - self._base, len(whole) - self._size)
        if spare > 0:
            whole = whole[spare:].copy()
            self._base += spare
        return [whole]

    def _drop(self, count: int) -> None:
        # Copying for every window would cost more than the memory it saves.
        if count > self._size:
            self._kept = self._kept[count:].copy()
            self._base += count


_UNKNOWN = 1 << 62


def _index(time: float, start: float, rate: int) -> int:
    return int(np.floor((time - start) * rate + 0.5))


def _cut(
    kept: np.ndarray,
    base: int,
    length: int,
    rate: int,
    time: float,
    seconds: float,
    start: float,
) -> np.ndarray:
    """A window out of a wave of `length` samples, of which `kept` begins at sample `base`."""
    size = round(seconds * rate)
    if not length or not -EDGE <= time - start <= length / rate + EDGE:
        return np.zeros(size, np.float32)
    if length < size:
        return np.resize(kept, size)
    begin = min(max(_index(time, start, rate) - size // 2, 0), length - size) - base
    window = kept[max(begin, 0) : max(begin + size, 0)]
    if len(window) < size:  # Read from a later point than this window reaches back to.
        window = np.pad(window, (size - len(window), 0))
    return window.astype(np.float32, copy=True)
