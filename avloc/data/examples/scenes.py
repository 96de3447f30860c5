"""Synthetic scenes as an endless data set, and held-out ones to measure with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from torch.utils.data import Dataset

from avloc.data.examples.assembling import Assembler, Clip, Example
from avloc.data.examples.augmenting import LARGER
from avloc.data.examples.plan import ExamplePlan
from avloc.data.scenes import LAST_SEED
from avloc.data.synthetic import Scene
from avloc.errors import UsageError
from avloc.options import Options, Positive, Some

STEP = 0.1
"""Seconds between the moments of a scene that may be taken."""

VISIBLE = 0.5
"""Share of a thing's box that has to be in the picture where it sounds."""

SPARE = 1_000_003
"""Between the seeds of a held-out scene and of the one in its place where it has no moment."""


@dataclass(frozen=True)
class SceneOptions(Options):
    """Options of synthetic scenes.

    Attributes:
        fewest, most: things in a scene.
        sounding: how many of them ever sound; 0: any number.
        smallest, largest: share of the picture that a thing covers.
        epoch: scenes in an epoch; each epoch has others.
    """

    fewest: Some = 2
    most: Some = 3
    sounding: int = 1
    smallest: Positive = 0.03
    largest: Positive = 0.15
    epoch: Some = 10_000

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.fewest <= self.most:
            raise UsageError(f"options fewest and most: {self.fewest} to {self.most} is no range")
        if not 0 <= self.sounding <= self.fewest:
            raise UsageError(f"option sounding: expected 0 to {self.fewest}, got {self.sounding}")
        if not self.smallest <= self.largest <= 1:
            raise UsageError("options smallest and largest: expected a range of shares up to 1")

    def scene(self, seed: int, side: int, seconds: float) -> Scene:
        """The scene of a seed, a square picture of `side` pixels."""
        return Scene.random(
            seed,
            objects=self.fewest + seed % (self.most - self.fewest + 1),
            seconds=seconds,
            width=side,
            height=side,
            sounding=self.sounding or None,
            area=(self.smallest, self.largest),
        )


def moment_of(scene: Scene, rng: Generator) -> float | None:
    """A random moment at which something sounds, and all that does is in view, if there is one."""
    times = STEP * np.arange(1, scene.seconds / STEP)
    heard = [t for t in times.tolist() if any(e.start <= t < e.end for e in scene.events)]
    for time in rng.permutation(heard).tolist():
        if all(state.visible >= VISIBLE for state in scene.truth(time) if state.sounds):
            return time
    return None


def boxes_of(scene: Scene, time: float, sounds: bool) -> np.ndarray:
    """The boxes (n, 4) of what sounds, or of what does not but is to be seen."""
    states = [state for state in scene.truth(time) if state.sounds == sounds and state.visible]
    return np.array([state.box for state in states], np.float64).reshape(-1, 4)


class Scenes(Dataset[Example]):
    """Random scenes as examples over (epoch, index), another scene for each.

    A scene lasts as long as the sound of an example, all of which is heard; the frame is of a
    moment at which something sounds. The plan's moment and window say nothing here.

    Raises:
        UsageError: the plan wants neighbours, which scenes do not have.
    """

    def __init__(self, options: SceneOptions, plan: ExamplePlan, seed: int = 0) -> None:
        if plan.neighbours:
            raise UsageError("option neighbours: synthetic scenes have none; leave it out")
        self.options = options
        self.plan = plan
        self.seed = seed
        self._assembled = Assembler(plan)
        # No larger: a thing drawn for more pixels takes longer, and is drawn as sharp.
        self._side = min(self._assembled.least, int(LARGER * plan.side))

    def __len__(self) -> int:
        return self.options.epoch

    def __getitem__(self, place: tuple[int, int]) -> Example:
        """The example at (epoch, index)."""
        epoch, index = place
        rng = np.random.default_rng([self.seed, epoch, index])
        clip = self._clip(rng)
        return self._assembled(rng, clip, self._clip(rng) if self.plan.mix else None)

    def _clip(self, rng: Generator) -> Clip:
        while True:
            seed = int(rng.integers(LAST_SEED))
            scene = self.options.scene(seed, self._side, self.plan.seconds)
            time = moment_of(scene, rng)
            if time is not None:
                wave, boxes = scene.wave(self.plan.rate), boxes_of(scene, time, sounds=True)
                return Clip(f"scene-{seed}", scene.frame(time), wave, boxes)


@dataclass(frozen=True)
class HeldOutScene:
    """A scene to measure with, at a moment at which something sounds.

    Attributes:
        id: its name, of its seed.
        frame: (side, side, 3) uint8.
        wave: (n,) float32, all of its sound.
        sounding: (n, 4) in 0..1, the boxes of what sounds.
        silent: (n, 4), of what does not sound at that moment.
    """

    id: str
    frame: np.ndarray
    wave: np.ndarray
    sounding: np.ndarray
    silent: np.ndarray


def held_out_scene(
    index: int, options: SceneOptions, side: int, rate: int, seconds: float
) -> HeldOutScene:
    """The scene number `index` of those that no example is made of, always the same.

    Args:
        options: what is in it.
        side: pixels of the picture.
        rate, seconds: of the sound.
    """
    seed = LAST_SEED + index
    while True:
        scene = options.scene(seed, side, seconds)
        time = moment_of(scene, np.random.default_rng(seed))
        if time is not None:
            return HeldOutScene(
                f"scene-{seed}",
                scene.frame(time),
                scene.wave(rate),
                boxes_of(scene, time, sounds=True),
                boxes_of(scene, time, sounds=False),
            )
        seed += SPARE
