"""Building blocks of made sounds: ringing partials, shaped noise, strokes, swept tones.

Everything is float32 at a rate the caller chooses and drops what lies above 0.45 of that rate, so
that the same sound at a lower rate is the same sound with its top cut off.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

TOP = 0.45
"""Of the rate: partials above it would alias or sit on the edge of any resampler."""


def seconds_of(count: int, rate: int) -> np.ndarray:
    """(count,) float32: the time of each sample."""
    return np.arange(count, dtype=np.float32) / np.float32(rate)


def sine(cycles: np.ndarray) -> np.ndarray:
    """The sine of a phase in cycles (n,), wrapped first: float32 loses precision otherwise."""
    return np.sin((2 * np.pi) * (cycles % 1.0).astype(np.float32))


def ring(
    frequencies: Sequence[float] | np.ndarray,
    levels: Sequence[float],
    decays: Sequence[float] | np.ndarray,
    seconds: float,
    rate: int,
) -> np.ndarray:
    """Struck partials, each dying away by e in its `decays` seconds: (n,) float32."""
    count = round(seconds * rate)
    wave = np.zeros(count, np.float32)
    for frequency, level, decay in zip(frequencies, levels, decays, strict=True):
        if frequency < TOP * rate:
            # After seven time constants a partial is 60 dB down.
            time = seconds_of(min(count, round(7 * decay * rate)), rate)
            wave[: len(time)] += level * np.exp(-time / decay) * sine(frequency * time)
    return wave


def glide(frequency: np.ndarray, rate: int) -> np.ndarray:
    """The phase in cycles (n,) float64 of a tone whose frequency in Hz is given per sample."""
    return np.cumsum(frequency, dtype=np.float64) / rate


def harmonics(
    frequency: np.ndarray, level: Callable[[np.ndarray], np.ndarray], count: int, rate: int
) -> np.ndarray:
    """`count` harmonics of a gliding tone (n,); `level` says how loud a frequency in Hz may be.

    Sines of multiples come from Chebyshev's recurrence, one multiplication a harmonic.
    """
    phase = glide(frequency, rate)
    before, now = np.zeros(len(phase), np.float32), sine(phase)
    turn = 2 * np.cos((2 * np.pi) * (phase % 1.0)).astype(np.float32)
    lowest, highest = float(frequency.min()), float(frequency.max())
    wave = np.zeros(len(phase), np.float32)
    for k in range(1, count + 1):
        if k * highest > TOP * rate:
            break
        # A glide of less than a tenth needs no level of its own for every sample.
        steady = highest < 1.1 * lowest
        at = np.float32(k * (lowest + highest) / 2) if steady else k * frequency
        wave += np.asarray(level(np.asarray(at)), np.float32) * now
        before, now = now, turn * now - before
    return wave


def formants(*peaks: tuple[float, float, float]) -> Callable[[np.ndarray], np.ndarray]:
    """The level over frequency of a throat with `peaks` of (Hz, width in Hz, level)."""

    def level(frequency: np.ndarray) -> np.ndarray:
        return sum(
            (top / (1 + ((frequency - centre) / width) ** 2) for centre, width, top in peaks),
            np.zeros_like(frequency),
        )

    return level


def noise(
    count: int, rate: int, rng: np.random.Generator, level: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    """(count,) float32 noise of root mean square 1 whose amplitude spectrum follows `level`."""
    if count < 2:
        return np.zeros(count, np.float32)
    size = 1 << (count - 1).bit_length()
    frequency = np.fft.rfftfreq(size, 1 / rate)
    shape = level(np.maximum(frequency, frequency[1])) * (frequency < TOP * rate)
    bins = rng.standard_normal((2, len(frequency)), np.float32)
    wave = np.fft.irfft(shape * (bins[0] + 1j * bins[1]), size)[:count].astype(np.float32)
    return wave / max(float(np.sqrt(np.mean(wave**2))), 1e-9)


def band(low: float, high: float, slope: float = 3.0) -> Callable[[np.ndarray], np.ndarray]:
    """A level that passes `low` to `high` Hz and falls off by the power `slope` beyond."""

    def level(frequency: np.ndarray) -> np.ndarray:
        return 1 / np.sqrt(1 + (low / frequency) ** (2 * slope) + (frequency / high) ** (2 * slope))

    return level


def plucked(
    frequency: float, seconds: float, bright: float, rate: int, rng: np.random.Generator
) -> np.ndarray:
    """A plucked string (n,): Karplus and Strong, "Digital synthesis of plucked strings" (1983).

    The loop is as long as a period, so a whole period is computed at once. `bright` in 0..1 says
    how little the pluck is softened.
    """
    period = max(2, round(rate / frequency - 0.5))
    pluck: np.ndarray = rng.uniform(-1, 1, period).astype(np.float32)
    for _ in range(round(4 * (1 - bright)) + 3):
        pluck = (pluck + np.roll(pluck, 1)) / 2
    pluck -= pluck.mean()
    # Plucked at two fifths of the string: what has a node there stays silent.
    pluck -= np.roll(pluck, round(0.4 * period))
    rounds = -(-round(seconds * rate) // period)
    string = np.empty((rounds, period), np.float32)
    last = np.float32(0)
    fade = np.float32(0.001 ** (period / rate / 3.3))
    for k in range(rounds):
        string[k] = pluck
        before = np.concatenate(([last], pluck[:-1]))
        last = pluck[-1]
        pluck = fade * (0.64 * pluck + 0.36 * before)
    return string.ravel() / max(float(np.abs(string).max()), 1e-9)


def add(wave: np.ndarray, part: np.ndarray, start: float, rate: int, level: float = 1.0) -> None:
    """Add `part` into `wave` from `start` seconds on, cut off at the end of `wave`."""
    at = round(start * rate)
    room = len(wave) - at
    if room > 0:
        wave[at : at + len(part)] += level * part[:room]


def eased(wave: np.ndarray, rate: int, rise: float = 0.005, fall: float = 0.03) -> np.ndarray:
    """`wave` with its first `rise` and last `fall` seconds ramped, so that no edge clicks."""
    up, down = (min(len(wave), max(1, round(part * rate))) for part in (rise, fall))
    out = wave.astype(np.float32)
    out[:up] *= np.linspace(0, 1, up, dtype=np.float32)
    out[len(out) - down :] *= np.linspace(1, 0, down, dtype=np.float32)
    return out


def room(seconds: float, rate: int, rng: np.random.Generator) -> np.ndarray:
    """The impulse response (n,) of a room whose echo falls by 60 dB in `seconds`.

    One direct click, then noise that starts 20 ms later and dies away, duller as it goes.
    """
    count = round(seconds * rate)
    tail = noise(count, rate, rng, lambda f: 1 / (1 + f / 2500))
    tail *= 10 ** (-3 * seconds_of(count, rate) / seconds) * np.float32(0.35)
    tail /= np.sqrt(max(1.0, 0.1 * seconds * rate))
    tail[: round(0.02 * rate)] = 0
    tail[0] = 1
    return tail


def convolved(wave: np.ndarray, response: np.ndarray) -> np.ndarray:
    """`wave` (n,) through `response`, as long as `wave`."""
    size = 1 << (len(wave) + len(response) - 1).bit_length()
    product = np.fft.rfft(wave, size) * np.fft.rfft(response, size)
    return np.fft.irfft(product, size)[: len(wave)].astype(np.float32)
