"""A model's heatmaps of a whole benchmark: in batches, resumable, and by several processes.

Items are taken in parts of fixed size, so that a map does not depend on which process made it, or
on where an earlier run had stopped.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from avloc.data.benchmarks.types import Item
from avloc.errors import UsageError
from avloc.evaluation.maps import ItemMaps
from avloc.files import replacing
from avloc.inference.engine import Engine, Evidence, Objects
from avloc.inference.localizer import HEAR_BATCH
from avloc.inference.questions import Question, Sound, ask, own_sound

PART = 16
"""Items looked at together."""

STATE = "run.json"


@dataclass(frozen=True, eq=False)
class Part:
    """What a model says of some items, and which could not be asked."""

    maps: dict[str, ItemMaps]
    faults: dict[str, str]


def examine(
    engine: Engine,
    items: Sequence[Item],
    workers: int = 2,
    sound: Sound = own_sound,
    objects: Objects | None = None,
) -> Iterator[Part]:
    """Heatmaps of all items, `PART` at a time; files are read ahead by threads.

    With `objects` also the objectness of their pictures, each as the engine sees it.
    """
    with ThreadPoolExecutor(workers) as pool:
        waiting: deque[Future[Question]] = deque()
        rest = iter(items)

        def fill() -> None:
            for item in rest:
                waiting.append(pool.submit(ask, engine, item, sound))
                if len(waiting) >= 2 * PART:
                    return

        try:
            fill()
            while waiting:
                count = min(PART, len(waiting))
                questions = [waiting.popleft().result() for _ in range(count)]
                fill()
                yield answer(engine, questions, objects)
        finally:
            for future in waiting:
                future.cancel()


def together(own: Part, foreign: Mapping[str, Part]) -> Part:
    """The maps of some items with those of the same pictures under other sounds, by kind."""
    faults = dict(own.faults)
    for kind, part in foreign.items():
        for name, fault in part.faults.items():
            faults.setdefault(name, f"{kind}: {fault}")
    maps = {
        name: replace(
            one,
            silence=foreign["silence"].maps[name].values,
            noise=foreign["noise"].maps[name].values,
            offscreen=foreign["offscreen"].maps[name].values,
        )
        for name, one in own.maps.items()
        if name not in faults
    }
    return Part(maps, faults)


def answer(engine: Engine, questions: Sequence[Question], objects: Objects | None = None) -> Part:
    """One part: everything is heard together, and pictures of one size are looked at together."""
    good = [question for question in questions if not question.fault]
    maps: dict[str, ItemMaps] = {}
    if good:
        heard = _hear(engine, [question.windows for question in good])
        shapes: dict[tuple[int, ...], list[int]] = {}
        for number, question in enumerate(good):
            shapes.setdefault(question.prepared.shape, []).append(number)
        for numbers in shapes.values():
            frames = np.stack([good[number].prepared for number in numbers])
            evidence = Evidence.join([heard[number] for number in numbers])
            looks = engine.look(frames, evidence)
            things = [None] * len(frames) if objects is None else list(objects(frames))
            for number, (values, confidence), thing in zip(numbers, looks, things, strict=True):
                maps[good[number].id] = ItemMaps(values, thing, confidence=confidence)
    ordered = {question.id: maps[question.id] for question in good}
    return Part(ordered, {q.id: q.fault for q in questions if q.fault})


def _hear(engine: Engine, windows: Sequence[np.ndarray]) -> list[Evidence]:
    """For each item all of its windows as one piece of evidence; those of one length together."""
    lengths: dict[int, list[int]] = {}
    for number, some in enumerate(windows):
        lengths.setdefault(some.shape[1], []).append(number)
    heard: dict[int, Evidence] = {}
    for numbers in lengths.values():
        together = np.concatenate([windows[number] for number in numbers])
        starts = range(0, len(together), HEAR_BATCH)
        parts = Evidence.join([engine.hear(together[k : k + HEAR_BATCH]) for k in starts])
        end = 0
        for number in numbers:
            first, end = end, end + len(windows[number])
            heard[number] = parts[first:end].mean()
    return [heard[number] for number in range(len(windows))]


class Kept:
    """A folder that keeps the parts of a run.

    Args:
        folder: made where it is missing.
        about: what the maps depend on; a folder about anything else is refused.

    Raises:
        UsageError: the folder holds maps of something else.
    """

    def __init__(self, folder: Path, about: dict[str, Any]) -> None:
        self.folder = folder
        about = {**about, "part": PART}
        state = folder / STATE
        if state.is_file():
            if json.loads(state.read_text(encoding="utf-8")) != about:
                raise UsageError(
                    f"{folder}: holds maps of another model, quality, list or --ogl; name another "
                    "folder with --keep"
                )
            return
        with replacing(state) as part:
            part.write_text(json.dumps(about, indent=1), encoding="utf-8")

    def examine(
        self,
        engine: Callable[[], Engine],
        items: Sequence[Item],
        workers: int = 2,
        rank: int = 0,
        world: int = 1,
        done: Callable[[int], None] = lambda count: None,
        sound: Sound = own_sound,
        objects: Callable[[], Objects | None] = lambda: None,
    ) -> None:
        """Make the parts that are not there yet and fall to this process.

        Args:
            engine: loads the model; not asked where nothing is left to do.
            items: all of them.
            workers: threads that read files.
            rank, world: the number of this process and of all.
            done: told how many items are done.
            sound: what they are heard with; part of what the folder is `about`.
            objects: loads what sees objectness; so is this.
        """
        parts = [items[first : first + PART] for first in range(0, len(items), PART)]
        mine = [number for number in range(len(parts)) if number % world == rank]
        left = [number for number in mine if not self._path(number).is_file()]
        count = sum(len(parts[number]) for number in mine) - sum(len(parts[n]) for n in left)
        if not left:
            return
        network = engine()
        wanted = [item for number in left for item in parts[number]]
        found = examine(network, wanted, workers, sound, objects())
        for number, part in zip(left, found, strict=True):
            self._write(number, part)
            count += len(parts[number])
            done(count)

    def read(self, count: int) -> Iterator[Part]:
        """The parts of `count` items."""
        for number in range(-(-count // PART)):
            with np.load(self._path(number), allow_pickle=False) as file:
                told = json.loads(str(file["about"]))
                maps = {
                    name: ItemMaps(
                        file[f"map {k}"],
                        file.get(f"objects {k}"),
                        confidence=told["confidence"][k],
                    )
                    for k, name in enumerate(told["ids"])
                }
            yield Part(maps, told["faults"])

    def _path(self, number: int) -> Path:
        return self.folder / f"{number:06}.npz"

    def _write(self, number: int, part: Part) -> None:
        told = {
            "ids": list(part.maps),
            "confidence": [maps.confidence for maps in part.maps.values()],
            "faults": part.faults,
        }
        arrays = {f"map {k}": maps.values for k, maps in enumerate(part.maps.values())}
        for k, maps in enumerate(part.maps.values()):
            if maps.objectness is not None:
                arrays[f"objects {k}"] = maps.objectness
        with replacing(self._path(number)) as path:
            np.savez(path, about=np.array(json.dumps(told)), **arrays)  # type: ignore[arg-type]
