"""The timbres of synthetic scenes: one function a class, deterministic by voice and generator.

Each makes ``seconds`` of its sound at ``rate``. They imitate what such things sound like closely
enough for a network that learned from real recordings to name most of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from avloc.data.synthetic_tones import (
    TOP,
    add,
    band,
    convolved,
    eased,
    formants,
    glide,
    harmonics,
    noise,
    plucked,
    ring,
    seconds_of,
    sine,
)


@dataclass(frozen=True)
class Voice:
    """How one individual of a class sounds.

    Attributes:
        pitch: factor on its frequencies, about 0.83 to 1.2.
        tempo: factor on its speed, about 0.83 to 1.2.
        bright: 0 (dull) to 1 (bright).
    """

    pitch: float
    tempo: float
    bright: float

    @classmethod
    def random(cls, rng: np.random.Generator) -> Voice:
        """A voice drawn from the usual range."""
        pitch, tempo = 2.0 ** rng.uniform(-0.27, 0.27, 2)
        return cls(float(pitch), float(tempo), float(rng.uniform(0, 1)))


Timbre = Callable[[Voice, float, int, np.random.Generator], np.ndarray]


def bell(voice: Voice, seconds: float, rate: int, rng: np.random.Generator) -> np.ndarray:
    """A bell struck again and again: hum, prime, tierce, quint, nominal and what lies above.

    Ratios after Hibbert, "The strike pitch of bells" (2008). Each partial beats with a near twin,
    as in bells that are not quite round.
    """
    ratios = np.array((0.5, 1.0, 1.19, 1.5, 2.0, 2.51, 2.66, 3.01, 4.17, 5.43))
    high = 0.1 + 0.3 * voice.bright
    levels = (0.4, 0.75, 1.1, 0.35, 1.0, 0.5, 0.45, 0.6, high, high)
    decays = 0.63 / ratios**1.1
    strike = 1400 * voice.pitch * ratios
    stroke = ring(strike, levels, decays, 2.5, rate)
    stroke += np.float32(0.55) * ring(1.004 * strike, levels, decays, 2.5, rate)
    click = eased(noise(round(0.03 * rate), rate, rng, band(1500, 8000)), rate, 0.001, 0.028)
    add(stroke, click, 0.0, rate, 1.2 + voice.bright)
    wave = np.zeros(round(seconds * rate), np.float32)
    for start in np.arange(0, seconds, 0.5 / voice.tempo):
        add(wave, stroke, start, rate, float(rng.uniform(0.7, 1.0)))
    return wave


def alarm_clock(voice: Voice, seconds: float, rate: int, rng: np.random.Generator) -> np.ndarray:
    """Five short beeps of a buzzer, a breath, five more."""
    time = seconds_of(round(0.068 * rate), rate)
    tone = 1820 * voice.pitch
    overtones = ((1, 1.0), (2, 0.4 + 0.4 * voice.bright), (3, 0.1), (5, 0.03 + 0.1 * voice.bright))
    beep = np.zeros(len(time), np.float32)
    for k, level in overtones:
        if k * tone < TOP * rate:
            beep += np.float32(level) * sine(k * tone * time)
    beep = eased(beep, rate, 0.002, 0.004)
    wave = np.zeros(round(seconds * rate), np.float32)
    step = 0.119 / voice.tempo
    for start in np.arange(0, seconds, 5.6 * step):
        for k in range(5):
            add(wave, beep, start + k * step, rate)
    return wave


def drum(voice: Voice, seconds: float, rate: int, rng: np.random.Generator) -> np.ndarray:
    """A beat on a kit: bass drum on one, snare between, soft strokes besides."""
    low, high = 58 * voice.pitch, 190 * voice.pitch
    time = seconds_of(round(0.3 * rate), rate)
    kick = sine(glide(low + 90 * np.exp(-time / 0.03), rate)) * np.exp(-time / 0.1)
    body = ring((high, 1.6 * high, 2.3 * high), (0.8, 0.5, 0.3), (0.06, 0.04, 0.03), 0.25, rate)
    wires = noise(len(body), rate, rng, band(1200, 4000 + 6000 * voice.bright, 1.5))
    snare = body + 0.7 * wires * np.exp(-seconds_of(len(body), rate) / 0.07)
    snare, kick = eased(snare, rate, 0.001), eased(kick, rate, 0.001)
    wave = np.zeros(round(seconds * rate), np.float32)
    step = 0.14 / voice.tempo
    for beat, start in enumerate(np.arange(0, seconds, step)):
        if beat % 8 in (0, 5):
            add(wave, kick, start, rate, 1.2)
        if beat % 4 == 2:
            add(wave, snare, start, rate)
        elif rng.random() < 0.6:
            add(wave, snare, start, rate, float(rng.uniform(0.1, 0.35)))
    return wave


def whistle(voice: Voice, seconds: float, rate: int, rng: np.random.Generator) -> np.ndarray:
    """Referee's whistle: two close tones that tremble, the pea's trill on them, breath."""
    count = round(seconds * rate)
    time = seconds_of(count, rate)
    trill = sine(16 * voice.tempo * time)
    points = max(2, round(100 * seconds))
    tremble = np.interp(time, np.linspace(0, seconds, points), rng.standard_normal(points))
    middle = 3700 * voice.pitch
    tone = middle * (1 + 0.003 * trill + 0.02 * tremble)
    wave = sine(glide(tone, rate)) + np.float32(0.43) * sine(glide(1.1 * tone, rate))
    wave += np.float32(0.1 * voice.bright) * sine(glide(2 * tone, rate))
    wave *= 0.92 + 0.08 * trill
    wave += np.float32(0.08) * noise(count, rate, rng, band(0.8 * middle, 1.5 * middle, 2))
    breath = 0.39 / voice.tempo
    rest = (time % breath) / breath
    return wave * np.clip(np.minimum(rest / 0.04, (0.75 - rest) / 0.05), 0, 1)


def guitar(voice: Voice, seconds: float, rate: int, rng: np.random.Generator) -> np.ndarray:
    """Plucked strings before a wooden body: a chord strummed, then broken up and down."""
    root = 138 * 2 ** (round(12 * np.log2(voice.pitch)) / 12)
    pattern = (0, 7, 12, 16, 19, 16, 12, 7)
    strings = {
        step: plucked(root * 2 ** (step / 12), 1.6, voice.bright, rate, rng)
        for step in sorted(set(pattern))
    }
    wave = np.zeros(round(seconds * rate), np.float32)
    for beat, start in enumerate(np.arange(0, seconds, 0.3 / voice.tempo)):
        level = float(rng.uniform(0.7, 1.0))
        if beat % 8 == 0:
            for late, string in enumerate(strings.values()):
                add(wave, string, start + 0.012 * late, rate, 0.6 * level)
        else:
            add(wave, strings[pattern[beat % 8]], start, rate, level)
    body = convolved(wave, ring((156, 320, 608), (1, 0.8, 0.5), (0.03, 0.02, 0.015), 0.12, rate))
    return wave + body * (1.2 * np.std(wave) / max(float(np.std(body)), 1e-9))


def telephone(voice: Voice, seconds: float, rate: int, rng: np.random.Generator) -> np.ndarray:
    """Two gongs and a clapper between them, 23 strokes a second, in short rings."""
    levels = (1.0, 0.1, 0.7 + 0.6 * voice.bright, 0.2 + 0.6 * voice.bright)
    decays = (0.08, 0.065, 0.04, 0.025)
    ratios = np.array((1.0, 1.77, 2.43, 3.0))
    gongs = [
        ring(1470 * voice.pitch * gong * ratios, levels, decays, 0.5, rate) for gong in (1.0, 1.16)
    ]
    wave = np.zeros(round(seconds * rate), np.float32)
    for stroke, start in enumerate(np.arange(0, seconds, 0.044 / voice.tempo)):
        if (start * voice.tempo) % 1.05 < 0.6:
            add(wave, gongs[stroke % 2], start, rate, float(rng.uniform(0.8, 1.0)))
    return wave


def ambulance(voice: Voice, seconds: float, rate: int, rng: np.random.Generator) -> np.ndarray:
    """A siren that wails between 600 and 1500 Hz through a horn."""
    time = seconds_of(round(seconds * rate), rate)
    turn = (time * 0.55 * voice.tempo**2 + rng.uniform()) % 1.0
    sweep = np.where(turn < 0.55, turn / 0.55, (1 - turn) / 0.45)
    tone = voice.pitch * 620 * (1450 / 620) ** (0.5 - 0.5 * np.cos(np.pi * sweep))
    horn = formants((1100, 500, 1.0), (2600, 700, 0.25 + 0.35 * voice.bright), (4000, 900, 0.12))
    return harmonics(tone, horn, 6, rate)


def car(voice: Voice, seconds: float, rate: int, rng: np.random.Generator) -> np.ndarray:
    """An engine revved a little up and down, the rush of air, and short blows of its horn."""
    count = round(seconds * rate)
    time = seconds_of(count, rate)
    rev = 0.5 - 0.5 * np.cos(2 * np.pi * (0.3 * voice.tempo * time + rng.uniform()))
    points = max(2, round(30 * seconds))
    rough = np.interp(time, np.linspace(0, seconds, points), 1 + 0.01 * rng.standard_normal(points))
    phase = glide(voice.pitch * 37 * (1 + 0.6 * rev**2) * rough, rate)
    firings = np.flatnonzero(np.diff(np.floor(phase)))
    sparks = np.zeros(count, np.float32)
    sparks[firings] = rng.uniform(0.8, 1.2, len(firings))
    thud = ring((60, 140, 413, 1160), (0.7, 1.0, 0.4, 0.3), (0.02, 0.014, 0.006, 0.003), 0.15, rate)
    engine = convolved(sparks, thud)
    engine /= max(float(np.std(engine)), 1e-6)
    rush = noise(count, rate, rng, band(84, 500 + 500 * voice.bright, 1.0))
    puff = 0.36 + 0.64 * np.abs(sine(phase / 2)) ** 3
    wave = (engine + 2.5 * rush * puff) * (0.3 + 0.7 * rev)
    wave /= max(float(np.std(wave)), 1e-6)
    reed = formants((1070, 530, 1.0), (3700, 1500, 0.4 + 0.6 * voice.bright))
    blow = round(0.24 * rate)
    horn = np.zeros(blow, np.float32)
    for tone in (380, 456):
        horn += harmonics(np.full(blow, tone * voice.pitch, np.float32), reed, 14, rate)
    horn = eased(horn / max(float(np.std(horn)), 1e-6), rate, 0.015, 0.04)
    for start in np.arange(0.1, seconds, 0.9 / voice.tempo):
        add(wave, horn, start, rate, 2.5)
    return wave


def frog(voice: Voice, seconds: float, rate: int, rng: np.random.Generator) -> np.ndarray:
    """Croaks: a train of short ringing pulses, 60 a second, that swells and stops."""
    tones = 1010 * voice.pitch * np.array((1.0, 2.11, 2.2))
    pulse = ring(tones, (1.0, 1.0, 0.1 + 0.3 * voice.bright), (0.0042,) * 3, 0.03, rate)
    wave = np.zeros(round(seconds * rate), np.float32)
    for start in np.arange(0, seconds, 0.55 / voice.tempo):
        pulses = round(19 + rng.uniform(-3, 3))
        for k in range(pulses):
            swell = np.sin(np.pi * (k + 1.5) / (pulses + 2))
            add(wave, pulse, start + k * 0.016 * (1 + 0.01 * k), rate, float(swell))
    return wave


def bird(voice: Voice, seconds: float, rate: int, rng: np.random.Generator) -> np.ndarray:
    """Chirps: quick sweeps of a nearly pure tone, in phrases."""
    wave = np.zeros(round(seconds * rate), np.float32)
    start = 0.0
    while start < seconds:
        kind = rng.integers(3)
        for _ in range(int(rng.integers(2, 6))):
            span = float(rng.uniform(0.05, 0.11)) / voice.tempo
            time = np.linspace(0, 1, round(span * rate), dtype=np.float32)
            bend = ((1 - time) ** 2, time**0.7, np.sin(np.pi * time))[kind]
            tone = 4000 * voice.pitch * (0.75 + 0.6 * bend)
            note = sine(glide(tone, rate)) + 0.15 * voice.bright * sine(glide(2 * tone, rate))
            add(
                wave,
                note * np.sqrt(np.abs(np.sin(np.pi * time))),
                start,
                rate,
                float(rng.uniform(0.5, 1)),
            )
            start += span + 0.035 / voice.tempo
        start += float(rng.uniform(0.08, 0.2)) / voice.tempo
    return wave


def dog(voice: Voice, seconds: float, rate: int, rng: np.random.Generator) -> np.ndarray:
    """Barks: a rough throaty tone that leaps up and falls, with breath in it."""
    throat = formants(
        (840 * voice.pitch, 440, 1.0),
        (1740 * voice.pitch, 510, 1.0),
        (2500 * voice.pitch, 600, 0.05 + 0.2 * voice.bright),
    )
    wave = np.zeros(round(seconds * rate), np.float32)
    time = np.linspace(0, 1, round(0.13 * rate), dtype=np.float32)
    shape = np.minimum(time / 0.04, 1) * np.exp(-0.6 * time) * np.minimum(1, (1 - time) / 0.1)
    leap = 0.47 + 0.53 * np.sin(np.pi * np.minimum(1, 0.75 * time + 0.015))
    start = 0.0
    while start < seconds:
        rough = np.interp(time, np.linspace(0, 1, 40), 1 + 0.03 * rng.standard_normal(40))
        voiced = harmonics((720 * voice.pitch * leap * rough).astype(np.float32), throat, 16, rate)
        breath = noise(len(time), rate, rng, throat)
        bark = (voiced / max(float(np.std(voiced)), 1e-6) + 0.12 * breath) * shape
        add(wave, bark, start, rate, float(rng.uniform(0.75, 1.0)))
        start += float(rng.choice((0.38, 0.45, 0.62))) / voice.tempo
    return wave


def marimba(voice: Voice, seconds: float, rate: int, rng: np.random.Generator) -> np.ndarray:
    """Wooden bars tuned one to four to ten, a pentatonic tune, each note struck."""
    root = 262 * 2 ** (round(12 * np.log2(voice.pitch)) / 12)
    scale = (0, 2, 4, 7, 9, 12, 14, 16, 19, 21)
    wave = np.zeros(round(seconds * rate), np.float32)
    place = int(rng.integers(len(scale)))
    bars: dict[int, np.ndarray] = {}
    levels = (1.0, 0.35 + 0.3 * voice.bright, 0.1 + 0.3 * voice.bright)
    knock = eased(noise(round(0.012 * rate), rate, rng, band(500, 3500)), rate, 0.001, 0.01)
    for start in np.arange(0, seconds, 0.17 / voice.tempo):
        place = int(np.clip(place + rng.integers(-2, 3), 0, len(scale) - 1))
        if place not in bars:
            tone = root * 2 ** (scale[place] / 12)
            bars[place] = ring(
                (tone, 3.93 * tone, 9.8 * tone), levels, (0.25, 0.08, 0.03), 0.6, rate
            )
            add(bars[place], knock, 0.0, rate, 0.25)
        add(wave, bars[place], start, rate, float(rng.uniform(0.7, 1.0)))
    return wave
