"""When things sound and where they move in a synthetic scene: events, paths, camera drift."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

STEPS = 25
"""Points of a path a second; between them things move straight on."""


@dataclass(frozen=True)
class Event:
    """One sound: `thing` (its place in the scene) sounds from `start` to `end` seconds."""

    thing: int
    start: float
    end: float


def chatter(things: Sequence[int], seconds: float, rng: np.random.Generator) -> tuple[Event, ...]:
    """Things sound one after the other: mostly one alone, some overlaps, some short silences.

    Events last 0.9 to 2.4 seconds. Every one of `things` sounds if the time allows.
    """
    order = list(rng.permutation(things))
    events: list[Event] = []
    start = float(rng.uniform(0, 0.4))
    while order and start < seconds - 0.4:
        end = min(seconds, start + float(rng.uniform(0.9, 2.4)))
        events.append(Event(int(order.pop(0)), round(start, 3), round(end, 3)))
        if not order:
            rest = list(rng.permutation(things))
            # Nobody twice in a row where there is somebody else.
            order = rest if len(rest) == 1 or rest[0] != events[-1].thing else rest[::-1]
        chance = rng.random()
        alone = order[0] == events[-1].thing
        if chance < 0.2 and not alone:
            start = end - min(float(rng.uniform(0.3, 0.7)), 0.5 * (end - start))
        elif chance < 0.55 or alone:
            start = end + float(rng.uniform(0.15, 0.5))
        else:
            start = end + 0.02
        # Nobody talks over itself.
        start = max([start, *(event.end + 0.02 for event in events if event.thing == order[0])])
    return tuple(events)


def turns(things: Sequence[int], seconds: float, each: float) -> tuple[Event, ...]:
    """Things sound strictly in turn, `each` seconds long, without a gap."""
    starts = np.arange(0, seconds - 1e-9, each)
    return tuple(
        Event(things[k % len(things)], round(float(start), 3), round(min(seconds, start + each), 3))
        for k, start in enumerate(starts)
    )


def wander(
    halves: Sequence[tuple[float, float]],
    fields: Sequence[tuple[float, float, float, float]],
    seconds: float,
    rng: np.random.Generator,
    speed: float,
) -> np.ndarray:
    """Paths (n, steps, 2) of the centres in pixels of things that bounce off walls and each other.

    Args:
        halves: half width and half height of each thing, pixels.
        fields: where each may go, (x0, y0, x1, y1) in pixels; it leaves its field by a sixth of
            its size at most.
        speed: pixels a second, on average.
    """
    reach, field = np.array(halves), np.array(fields)
    low, high = field[:, :2] + 0.67 * reach, field[:, 2:] - 0.67 * reach
    low, high = np.minimum(low, (low + high) / 2), np.maximum(high, (low + high) / 2)
    centres = _apart(reach, low, high, rng)
    way = rng.uniform(0, 2 * np.pi, len(reach))
    pace = speed * rng.uniform(0.4, 1.6, len(reach))
    velocity = np.stack((np.cos(way), np.sin(way)), 1) * pace[:, None]
    path = np.empty((len(reach), round(seconds * STEPS) + 2, 2))
    for step in range(path.shape[1]):
        path[:, step] = centres
        centres = centres + velocity / STEPS
        velocity = np.where((centres < low) & (velocity < 0), -velocity, velocity)
        velocity = np.where((centres > high) & (velocity > 0), -velocity, velocity)
        centres = np.clip(centres, low, high)
        _bounce(centres, velocity, reach)
    return path


def _overlap(centres: np.ndarray, reach: np.ndarray, first: int, second: int) -> np.ndarray:
    """By how much the boxes of two things, a tenth shrunk, overlap in x and y (2,)."""
    gap = np.abs(centres[first] - centres[second])
    return 0.9 * (reach[first] + reach[second]) - gap


def _bounce(centres: np.ndarray, velocity: np.ndarray, reach: np.ndarray) -> None:
    """Turn the two of a colliding pair away from each other, in place."""
    for first in range(len(reach)):
        for second in range(first):
            depth = _overlap(centres, reach, first, second)
            if (depth > 0).all():
                axis = int(np.argmin(depth))
                side = 1.0 if centres[first, axis] >= centres[second, axis] else -1.0
                velocity[first, axis] = side * abs(velocity[first, axis])
                velocity[second, axis] = -side * abs(velocity[second, axis])
                # Those that start too close drift apart instead of sticking together.
                push = min(float(depth[axis]), 1.0) / 2
                centres[first, axis] += side * push
                centres[second, axis] -= side * push


def _apart(
    reach: np.ndarray, low: np.ndarray, high: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Centres (n, 2) within low..high: of many random ones those that overlap least."""
    best, least = low, np.inf
    for _ in range(60):
        centres = rng.uniform(low, high)
        clash = sum(
            float(np.prod(np.maximum(_overlap(centres, reach, a, b), 0)))
            for a in range(len(reach))
            for b in range(a)
        )
        if clash < least:
            best, least = centres, clash
        if not clash:
            break
    return best


@dataclass(frozen=True)
class Drift:
    """The slow sway of a held camera: pixels of reach; cycles a second and phase, by axis."""

    reach: float
    pace: tuple[float, float]
    phase: tuple[float, float]

    @classmethod
    def random(cls, reach: float, rng: np.random.Generator) -> Drift:
        """A sway of up to `reach` pixels to either side."""
        pace, phase = rng.uniform(0.04, 0.12, 2), rng.uniform(0, 1, 2)
        return cls(
            float(reach * rng.uniform(0, 1)),
            (float(pace[0]), float(pace[1])),
            (float(phase[0]), float(phase[1])),
        )

    def at(self, time: float) -> tuple[float, float]:
        """The camera's offset (x, y) in pixels at `time` seconds."""
        x, y = (
            self.reach * float(np.sin(2 * np.pi * (pace * time + phase)))
            for pace, phase in zip(self.pace, self.phase, strict=True)
        )
        return x, y
