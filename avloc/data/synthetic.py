"""Synthetic scenes: moving things of known classes, and which of them sounds when.

A `Scene` is a description; pictures, sound and truth come from it by pure functions of time, the
same for the same seed on every run. Nothing in a picture tells which thing sounds: who wants to
know must listen.

    scene = Scene.random(seed=7, objects=3)
    picture = scene.frame(1.5)          # (360, 640, 3) uint8
    wave = scene.wave(32000)            # (192000,) float32
    sounding = [state.box for state in scene.truth(1.5) if state.sounds]
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from avloc.data.synthetic_backgrounds import BACKDROPS, backdrop
from avloc.data.synthetic_classes import CLASSES
from avloc.data.synthetic_plan import STEPS, Drift, Event, chatter, turns, wander
from avloc.data.synthetic_things import Sprite, Thing
from avloc.data.synthetic_tones import add, convolved, eased, noise, room
from avloc.errors import UsageError
from avloc.files import replacing
from avloc.types import Box

SCHEMA = "avloc/scene/1"
AREA = (0.03, 0.15)
"""Least and greatest share of the picture that a thing's box covers."""
CROWDED = 0.45
"""Things together cover no more of the picture than this."""
BAND = 32
"""Rows of a picture that are worked on at a time."""
LOUDNESS = 0.1
"""Root mean square of a thing of level 1 and gain 1."""
SPEED = 0.12
"""Of things: pictures' heights a second, on average."""
PARTS = ("room", "event", "noise", "path", "backdrop")
"""What has a generator of its own."""
NOISES = {"white": 0.0, "pink": 0.5, "brown": 1.0}
"""Kinds of background noise: the power of frequency by which their amplitude falls."""


@dataclass(frozen=True)
class ObjectState:
    """A thing at one moment.

    Attributes:
        name: its class.
        box: (x0, y0, x1, y1) in 0..1, clipped to the picture.
        sounds: whether one of its events is on.
        visible: share of its box inside the picture, 0..1.
    """

    name: str
    box: Box
    sounds: bool
    visible: float


@dataclass(frozen=True)
class Scene:
    """A description of a scene, of plain values only.

    Attributes:
        seed: seeds all that is not listed here: paths, backdrop texture, each event's details.
        width, height: of the picture, pixels.
        fps: frames a second, when it is written and in its truth as JSON.
        seconds: duration.
        things: what is to be seen, from back to front.
        events: what is to be heard, in order of their starts.
        background: name of the backdrop.
        drift: sway of the camera.
        noise: kind of background noise.
        noise_db: how far below the sounds it lies; None: no noise.
        echo: seconds in which the room's echo falls by 60 dB; 0: none.
        gain: factor on the whole sound.
        apart: whether each thing keeps to its own upright strip of the picture.
    """

    seed: int
    width: int
    height: int
    fps: float
    seconds: float
    things: tuple[Thing, ...]
    events: tuple[Event, ...]
    background: str
    drift: Drift
    noise: str = "pink"
    noise_db: float | None = 25.0
    echo: float = 0.4
    gain: float = 1.0
    apart: bool = False

    @classmethod
    def random(
        cls,
        seed: int,
        objects: int = 3,
        seconds: float = 6.0,
        width: int = 640,
        height: int = 360,
        fps: float = 25.0,
        sounding: int | None = None,
        classes: Sequence[str] | None = None,
        repeat: bool = False,
        area: tuple[float, float] = AREA,
    ) -> Scene:
        """A random scene, the same for the same arguments.

        Args:
            objects: how many things, at least 1.
            sounding: how many of them ever sound; None: a random number, at least 1.
            classes: names to choose from; None: all.
            repeat: whether several things may share a class.
            area: least and greatest share of the picture that a thing's box covers.

        Raises:
            UsageError: for numbers that make no scene, or an unknown class.
        """
        names = _choose(seed, objects, classes, repeat)
        if sounding is not None and not 0 <= sounding <= objects:
            raise UsageError(f"{sounding} of {objects} objects cannot sound; take 0 to {objects}")
        _check(seconds, width, height, fps)
        rng = np.random.default_rng([seed, 1])
        shares = np.exp(rng.uniform(np.log(area[0]), np.log(area[1]), objects))
        shares *= min(1.0, CROWDED / shares.sum())
        things = tuple(
            Thing.random(name, float(share), (width, height), rng)
            for name, share in zip(names, shares, strict=True)
        )
        if sounding is None:
            sounding = int(rng.integers(1, objects + 1))
        heard = sorted(int(k) for k in rng.permutation(objects)[:sounding])
        return cls(
            seed=seed,
            width=width,
            height=height,
            fps=fps,
            seconds=seconds,
            things=things,
            events=chatter(heard, seconds, rng),
            background=BACKDROPS[int(rng.integers(len(BACKDROPS)))].__name__,
            drift=Drift.random(0.04 * height, rng),
            noise=str(rng.choice(list(NOISES), p=(0.15, 0.5, 0.35))),
            noise_db=float(rng.uniform(10, 30)),
            echo=float(rng.uniform(0.15, 0.8)),
            gain=float(10 ** (rng.uniform(-8, 4) / 20)),
        )

    @classmethod
    def turns(cls, seed: int, seconds: float = 8.0, each: float = 2.0, **options: Any) -> Scene:
        """Two things far apart that sound strictly in turn, `each` seconds at a time.

        `options` as in `random`. Noise lies 30 dB below, the camera stands still.
        """
        scene = cls.random(seed, objects=2, seconds=seconds, sounding=2, **options)
        things = tuple(
            dataclasses.replace(
                thing,
                level=1.0,
                # Narrower than its half of the picture, so that they stay apart.
                scale=thing.scale * min(1.0, 0.19 * scene.width / thing.half[0]),
            )
            for thing in scene.things
        )
        return dataclasses.replace(
            scene,
            things=things,
            apart=True,
            events=turns((0, 1), seconds, each),
            drift=Drift(0.0, (0.0, 0.0), (0.0, 0.0)),
            noise_db=30.0,
            gain=1.0,
        )

    def truth(self, time: float) -> tuple[ObjectState, ...]:
        """The state of each thing at `time` seconds, in the order of `things`."""
        on = {event.thing for event in self.events if event.start <= time < event.end}
        return tuple(self._state(k, time, k in on) for k, thing in enumerate(self.things))

    def frame(self, time: float) -> np.ndarray:
        """The picture at `time` seconds: (H, W, 3) uint8 RGB."""
        x, y = self.drift.at(time)
        picture = _window(self._canvas, self._margin + x, self._margin + y, self.width, self.height)
        for sprite, middle in zip(self._sprites, self._middles(time), strict=True):
            sprite.lay(picture, middle)
        return picture

    def wave(self, rate: int = 32000) -> np.ndarray:
        """The whole sound: (round(seconds * rate),) float32 in [-1, 1]."""
        mix = np.zeros(round(self.seconds * rate), np.float32)
        hall = room(self.echo, rate, self._rng("room")) if self.echo > 0 else None
        for number, event in enumerate(self.events):
            thing, rng = self.things[event.thing], self._rng("event", number)
            part = CLASSES[thing.name].timbre(thing.voice, event.end - event.start, rate, rng)
            if hall is not None:
                part = convolved(part, hall)
            part *= thing.level / max(float(np.sqrt(np.mean(part**2))), 1e-9)
            add(mix, eased(part, rate, 0.002, 0.05), event.start, rate)
        if self.noise_db is not None:
            slope = NOISES[self.noise]
            hiss = noise(len(mix), rate, self._rng("noise"), lambda f: (100 / f) ** slope)
            mix += np.float32(10 ** (-self.noise_db / 20)) * hiss
        mix *= np.float32(LOUDNESS * self.gain)
        return mix * np.float32(min(1.0, 0.98 / max(float(np.abs(mix).max(initial=0)), 1e-9)))

    def to_json(self) -> dict[str, Any]:
        """The truth as a JSON-ready dictionary, schema ``avloc/scene/1`` (docs/synthetic.md)."""
        times = [round(k / self.fps, 4) for k in range(self.frames)]
        steps = [self.truth(time) for time in times]
        return {
            "schema": SCHEMA,
            "seed": self.seed,
            "width": self.width,
            "height": self.height,
            "fps": self.fps,
            "seconds": self.seconds,
            "background": self.background,
            "noise": self.noise if self.noise_db is not None else None,
            "noise_db": self.noise_db,
            "classes": {
                thing.name: {
                    "audioset": list(CLASSES[thing.name].audioset),
                    "imagenet": list(CLASSES[thing.name].imagenet),
                }
                for thing in self.things
            },
            "times": times,
            "objects": [
                {
                    "class": thing.name,
                    "boxes": [[round(edge, 4) for edge in step[k].box] for step in steps],
                    "sounds": [step[k].sounds for step in steps],
                    "visible": [round(step[k].visible, 3) for step in steps],
                }
                for k, thing in enumerate(self.things)
            ],
            "events": [
                {
                    "object": event.thing,
                    "class": self.things[event.thing].name,
                    "start": event.start,
                    "end": event.end,
                }
                for event in self.events
            ],
        }

    @property
    def frames(self) -> int:
        """How many frames it has when written."""
        return max(1, round(self.seconds * self.fps))

    def _state(self, index: int, time: float, sounds: bool) -> ObjectState:
        (x, y), box = self._middles(time)[index], self._sprites[index].box
        size = (self.width, self.height, self.width, self.height)
        whole = [(at + edge) / all_ for at, edge, all_ in zip((x, y, x, y), box, size, strict=True)]
        x0, y0, x1, y1 = (float(min(1.0, max(0.0, edge))) for edge in whole)
        inside = (x1 - x0) * (y1 - y0) / ((whole[2] - whole[0]) * (whole[3] - whole[1]))
        return ObjectState(self.things[index].name, (x0, y0, x1, y1), sounds, inside)

    def _middles(self, time: float) -> list[tuple[float, float]]:
        """Where the middles of the things lie in the picture, pixels."""
        step = float(np.clip(time * STEPS, 0, self._paths.shape[1] - 1.001))
        before, share = int(step), step % 1.0
        points = (1 - share) * self._paths[:, before] + share * self._paths[:, before + 1]
        x, y = self.drift.at(time)
        return [(float(px - x), float(py - y)) for px, py in points]

    @cached_property
    def _paths(self) -> np.ndarray:
        halves = [thing.half for thing in self.things]
        width, height = float(self.width), float(self.height)
        fields = [(0.0, 0.0, width, height)] * len(halves)
        if self.apart:
            strip = width / len(halves)
            # A third of its half more on each side, since things may leave their field by that.
            inset = [0.02 * width + 0.33 * half[0] for half in halves]
            fields = [
                (k * strip + rim, 0.0, (k + 1) * strip - rim, height) for k, rim in enumerate(inset)
            ]
        return wander(halves, fields, self.seconds, self._rng("path"), SPEED * self.height)

    @cached_property
    def _sprites(self) -> list[Sprite]:
        return [Sprite.of(thing) for thing in self.things]

    @property
    def _margin(self) -> int:
        """Pixels of backdrop on every side that the camera's sway can show."""
        return int(self.drift.reach) + 2

    @cached_property
    def _canvas(self) -> np.ndarray:
        """The backdrop (h, w, 3) uint8 with its margin."""
        height, width = self.height + 2 * self._margin, self.width + 2 * self._margin
        picture = backdrop(self.background, height, width, self._rng("backdrop"))
        return (255 * picture + np.float32(0.5)).astype(np.uint8)

    def _rng(self, part: str, number: int = 0) -> np.random.Generator:
        """A generator for one part of the scene, whatever else was drawn before."""
        return np.random.default_rng([self.seed, 2 + PARTS.index(part), number])


def write(scene: Scene, path: str | Path, rate: int = 32000) -> tuple[Path, Path]:
    """Write `scene` as a video and its truth beside it, ``scene.mp4`` and ``scene.json``.

    Returns:
        The two paths. Each file appears under its name when it is whole.

    Raises:
        UsageError: the name does not end in ``.mp4``, or the size is odd.
        MediaError: a file cannot be written.
    """
    from avloc.media.simple import write_clip

    path = Path(path)
    if path.suffix.lower() != ".mp4":
        raise UsageError(f"{path}: scenes are written as .mp4; give such a name")
    if scene.width % 2 or scene.height % 2:
        raise UsageError(f"{path}: a video needs an even size, not {scene.width}x{scene.height}")
    truth = path.with_suffix(".json")
    pictures = (scene.frame(k / scene.fps) for k in range(scene.frames))
    write_clip(path, pictures, scene.fps, scene.wave(rate), rate)
    with replacing(truth) as part:
        part.write_text(json.dumps(scene.to_json()), "utf-8")
    return path, truth


def _window(canvas: np.ndarray, x: float, y: float, width: int, height: int) -> np.ndarray:
    """The part of `canvas` (h, w, 3) uint8 whose corner lies at (x, y), in 128ths of a pixel.

    Integers and a few rows at a time, which stay in the cache, make this five times as fast as
    the plain way.
    """
    left, top = int(x), int(y)
    right, down = round(128 * (x - left)), round(128 * (y - top))
    picture = np.empty((height, width, 3), np.uint8)
    for row in range(0, height, BAND):
        band = picture[row : row + BAND]
        rows = canvas[top + row : top + row + len(band) + 1, left : left + width + 1]
        part = rows[:-1] * np.uint16(128 - down)
        part += rows[1:] * np.uint16(down)
        part >>= 7
        mixed = part[:, :-1] * np.uint16(128 - right)
        mixed += part[:, 1:] * np.uint16(right)
        mixed += 64
        mixed >>= 7
        band[:] = mixed
    return picture


def _choose(seed: int, objects: int, classes: Sequence[str] | None, repeat: bool) -> list[str]:
    """The classes of `objects` things."""
    names = list(CLASSES) if classes is None else list(classes)
    for name in names:
        _ = CLASSES[name]
    if seed < 0:
        raise UsageError(f"seed {seed} is negative; take 0 or above")
    if objects < 1:
        raise UsageError(f"{objects} objects make no scene; take 1 or more")
    if not names or (objects > len(names) and not repeat):
        raise UsageError(
            f"{objects} objects of {len(names)} classes must share classes; "
            f"take fewer objects or repeat=True"
        )
    rng = np.random.default_rng([seed, 0])
    return [names[int(k)] for k in rng.choice(len(names), objects, replace=repeat)]


def _check(seconds: float, width: int, height: int, fps: float) -> None:
    if not 0.1 <= seconds <= 3600:
        raise UsageError(f"a scene of {seconds} seconds cannot be made; take 0.1 to 3600")
    if min(width, height) < 32 or max(width, height) > 8192:
        raise UsageError(f"a scene of {width}x{height} cannot be made; take 32 to 8192 pixels")
    if not 1 <= fps <= 240:
        raise UsageError(f"{fps} frames a second cannot be made; take 1 to 240")
