"""Fingerprints of sounds: which peaks of the spectrogram follow which (Wang 2003, "An
Industrial-Strength Audio Search Algorithm", ISMIR).

A pair of peaks, two frequencies and the time between them, survives another codec, another level
and a cut; two recordings that are the same have many pairs in common at one and the same shift.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.ndimage import maximum_filter
from scipy.signal import stft

from avloc.features.resampling import resample

RATE = 8_000  # Hz; above 4 kHz codecs differ most
WINDOW = 512  # samples: 64 ms, bins of 15.6 Hz
HOP = 128  # samples: 16 ms
AROUND = (25, 15)  # bins and frames in which a peak has to be the greatest
DENSITY = 25  # peaks a second at most, the greatest ones
FAN = 6  # pairs that a peak begins at most
AHEAD = 64  # frames to the second peak at most, about 1 s
ASIDE = 64  # bins to the second peak at most, 1 kHz
QUIET = 1e-4  # from trough to peak: three steps of 16 bits
FLOOR = 60.0  # dB below the greatest peak where silence begins


class Prints(NamedTuple):
    """The pairs of one sound: what each is, and the frame that it begins in; both (n,) int64."""

    pairs: np.ndarray
    frames: np.ndarray


class Match(NamedTuple):
    """A sound like the one that was looked for.

    Attributes:
        name: whose it is.
        common: pairs that both have at one shift.
        share: of the pairs of the sound that has fewer.
        shift: seconds from the sought sound's start to the found one's.
    """

    name: str
    common: int
    share: float
    shift: float


def fingerprint(wave: np.ndarray, rate: int) -> Prints:
    """The pairs of peaks in a mono wave (n,); none where it is silent or very short."""
    wave = resample(wave, rate, RATE)
    if len(wave) < 2 * WINDOW or np.ptp(wave) <= QUIET:
        return Prints(np.zeros(0, np.int64), np.zeros(0, np.int64))
    return _paired(*_peaks(wave))


@dataclass(frozen=True)
class Index:
    """The pairs of many sounds, sorted for looking up."""

    names: tuple[str, ...]
    sizes: np.ndarray
    pairs: np.ndarray
    owners: np.ndarray
    frames: np.ndarray

    @classmethod
    def of(cls, sounds: Iterable[tuple[str, Prints]]) -> Index:
        """Of names and the prints of each."""
        listed = list(sounds)
        sizes = np.array([len(prints.pairs) for _, prints in listed], np.int64)
        pairs = _joined([prints.pairs for _, prints in listed])
        order = np.argsort(pairs, kind="stable")
        return cls(
            tuple(name for name, _ in listed),
            sizes,
            pairs[order],
            np.repeat(np.arange(len(listed)), sizes)[order],
            _joined([prints.frames for _, prints in listed])[order],
        )

    def search(self, sought: Prints, common: int, share: float) -> list[Match]:
        """Sounds that have at least `common` pairs and `share` in common with one, best first."""
        low = np.searchsorted(self.pairs, sought.pairs, "left")
        hits = np.searchsorted(self.pairs, sought.pairs, "right") - low
        if not hits.any():
            return []
        # Entry numbers of all hits: the ranges low..low+hits, one after the other.
        begin = np.repeat(low - np.concatenate([[0], np.cumsum(hits)[:-1]]), hits)
        where = begin + np.arange(hits.sum())
        shifts = self.frames[where] - np.repeat(sought.frames, hits)
        # Half a frame of difference moves a pair to the next shift: two neighbours count as one.
        wide = np.int64(1) << 32
        keys = np.concatenate([self.owners[where] * wide + shifts + s + wide // 2 for s in (0, 1)])
        kinds, counts = np.unique(keys, return_counts=True)
        best: dict[int, Match] = {}
        for at in np.flatnonzero(counts >= common):
            owner, shift = divmod(int(kinds[at]), int(wide))
            fewer = min(int(self.sizes[owner]), len(sought.pairs))
            part = min(1.0, float(counts[at] / fewer))
            if part >= share and (owner not in best or counts[at] > best[owner].common):
                seconds = (shift - int(wide) // 2) * HOP / RATE
                best[owner] = Match(self.names[owner], int(counts[at]), part, seconds)
        return sorted(best.values(), key=lambda match: -match.common)


def _peaks(wave: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bins and frames of the peaks, in order of time."""
    _, _, spectrum = stft(wave, nperseg=WINDOW, noverlap=WINDOW - HOP, boundary=None)
    level = 20 * np.log10(np.abs(spectrum[1:-1]) + 1e-10)
    top = (level == maximum_filter(level, AROUND)) & (level > level.max() - FLOOR)
    bins, frames = np.nonzero(top)
    kept = np.argsort(-level[bins, frames], kind="stable")
    kept = np.sort(kept[: max(1, round(DENSITY * len(wave) / RATE))])
    bins, frames = bins[kept], frames[kept]
    order = np.lexsort((bins, frames))
    return bins[order], frames[order]


def _paired(bins: np.ndarray, frames: np.ndarray) -> Prints:
    """Each peak with the first `FAN` that follow it closely."""
    begun = np.zeros(len(bins), int)
    pairs, starts = [], []
    for ahead in range(1, len(bins)):
        gap, step = frames[ahead:] - frames[:-ahead], bins[ahead:] - bins[:-ahead]
        if gap.min() >= AHEAD:
            break
        good = (gap > 0) & (gap < AHEAD) & (np.abs(step) < ASIDE) & (begun[:-ahead] < FAN)
        begun[:-ahead] += good
        code = (bins[:-ahead] * 2 * ASIDE + step + ASIDE) * AHEAD + gap
        pairs.append(code[good])
        starts.append(frames[:-ahead][good])
    return Prints(_joined(pairs), _joined(starts))


def _joined(parts: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate(parts).astype(np.int64) if parts else np.zeros(0, np.int64)
