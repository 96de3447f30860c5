"""Whether a program answers as PyTorch does, on made-up frames and sounds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image

from avloc.errors import UsageError
from avloc.inference.loading import engine_of
from avloc.inference.runners import Runner, TorchRunner
from avloc.models.graphs import Feeding, feeding
from avloc.models.weights import Header

SIZES: tuple[tuple[int, tuple[int, int], float], ...] = (
    (2, (480, 640), 1.0),
    (1, (640, 480), 0.0),
    (3, (360, 640), 2.5),
)
"""Of each trial the number of frames, their height and width, and the seconds by which the sound is
longer than what the network hears at once. One frame, and one window, are where tracers slip."""


class Trial(NamedTuple):
    """Frames (b, 3, h, w) as an engine prepares them, and a sound for each, waves (b, n)."""

    frames: np.ndarray
    sound: np.ndarray

    def inputs(self, feed: Feeding | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        """The same for a program; with `feed` for one whose preprocessing is outside."""
        frames, sound = torch.from_numpy(self.frames), torch.from_numpy(self.sound)
        if feed is None:
            return frames, sound
        return feed.normalise(frames).contiguous(), feed.spectrogram(sound).contiguous()


def trials(reference: TorchRunner, header: Header[Any]) -> Iterator[Trial]:
    """Smooth noise to see and noisy tones to hear, always the same."""
    feed, engine = feeding(header.network), engine_of(reference, header)
    longer = _hears_longer(reference, feed)
    for count, (height, width), seconds in SIZES:
        rng = np.random.default_rng(count)
        coarse = rng.integers(0, 256, (count, 8, 8, 3), np.uint8)
        pictures = [Image.fromarray(one).resize((width, height)) for one in coarse]
        frames = np.stack([engine.prepare(np.array(picture)) for picture in pictures])
        length = feed.window + longer * round(seconds * feed.rate)
        pitch = rng.uniform(200, 2200, (count, 1))
        tone = 0.3 * np.sin(2 * np.pi * pitch * np.arange(length) / feed.rate)
        noise = 0.03 * rng.standard_normal((count, length))
        yield Trial(frames, (tone + noise).astype(np.float32))


def _hears_longer(reference: TorchRunner, feed: Feeding) -> bool:
    """Whether the network itself takes sounds of any length; transformers may have but one."""
    try:
        reference.hear(np.zeros((1, feed.window + feed.rate), np.float32))
    except (RuntimeError, ValueError, AssertionError, UsageError):
        return False
    return True


def answers(runner: Runner, trial: Trial, outputs: tuple[str, ...]) -> dict[str, np.ndarray]:
    """All that a runner says of a trial; `outputs` are the names of what its `look` gives."""
    heard = runner.hear(trial.sound)
    looked = dict(zip(outputs, runner.look(trial.frames, heard), strict=True))
    return {**looked, "objectness": runner.objects(trial.frames), "heard": heard}


def differences(
    reference: TorchRunner,
    header: Header[Any],
    answer: Callable[[Trial], dict[str, np.ndarray]],
) -> dict[str, float]:
    """By output the largest difference from PyTorch in all trials, see `apart`."""
    found: dict[str, float] = {}
    for trial in trials(reference, header):
        given = answer(trial)
        for name, wanted in answers(reference, trial, reference.graph.outputs).items():
            found[name] = max(found.get(name, 0.0), apart(given[name], wanted))
    return found


def apart(given: np.ndarray, wanted: np.ndarray) -> float:
    """The largest absolute difference, of maps (b, h, w) and vectors (b, c) in units of the range
    of the item that is wanted.

    Infinite where shapes differ, or a number is none.
    """
    if given.shape != wanted.shape or not np.isfinite(given).all():
        return np.inf
    difference = np.abs(given.astype(np.float64) - wanted)
    if wanted.ndim == 1:
        return float(difference.max())
    items = tuple(range(1, wanted.ndim))
    span = np.ptp(wanted, axis=items)
    worst = difference.max(axis=items)
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.where(worst > 0, worst / span, 0.0).max())
