"""The heatmaps of a model for `avloc evaluate`, made now or kept from an earlier run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from avloc.cli.console import Advance, Reporter
from avloc.errors import DataError, UsageError

if TYPE_CHECKING:
    from avloc.data.benchmarks import Benchmark, Item
    from avloc.evaluation.maps import ItemMaps
    from avloc.inference.engine import Engine, Objects
    from avloc.inference.examining import Part
    from avloc.inference.questions import Sound
    from avloc.models.object_guides import ObjectGuide

READERS = 2  # threads that read files ahead


@dataclass(frozen=True)
class Choice:
    """How a model is asked.

    Attributes:
        foreign: also with sounds that are not in the picture.
        guide: what sees the objectness of the pictures; None: nobody asks for it.
    """

    quality: str
    device: str
    keep: Path | None
    allow_missing: bool
    foreign: bool = False
    guide: ObjectGuide | None = None


def located(listed: Benchmark, media: Path | None, name: str | None) -> Benchmark:
    """The list with the paths of its frames, sounds and clips."""
    from avloc.data.benchmarks.media import with_media

    if media is None and name is not None and Path(name).exists():
        path = Path(name)
        media = path if path.is_dir() else path.parent
    if media is None:
        raise UsageError("name the folder with frames and sounds (--data DIR)")
    return with_media(listed, media)


def answers(
    weights: Path, listed: Benchmark, choice: Choice, reporter: Reporter
) -> Callable[[], Iterator[Part]] | None:
    """Gives the maps, part by part, as often as it is called (without a folder they are made anew
    each time); None in all processes but the first of several.

    Raises:
        DataError: files are missing, and that was not allowed.
    """
    from avloc.evaluation.provenance import sha256
    from avloc.inference.examining import Kept, examine

    items = _with_files(listed, choice.allow_missing)
    rank, world = place()
    heard, abouts = _heard(items, listed.name, choice.foreign)

    @cache
    def load() -> Engine:
        from avloc.features.flow import flow_lacks
        from avloc.inference.loading import load_engine

        engine = load_engine(weights, _device(choice.device), choice.quality)
        reporter.detail(f"model {engine.id} on {engine.device}")
        if engine.moving:
            still = "in items that are pictures nothing moves: optical flow is only seen in clips"
            reporter.say(flow_lacks() or still)
        return engine

    @cache
    def objects() -> Objects | None:
        from avloc.inference.guided import load_objects

        return None if choice.guide is None else load_objects(choice.guide, load().device)

    def beside(kind: str) -> Callable[[], Objects | None]:
        """Objectness is seen once, together with the map of an item's own sound."""
        return (lambda: None) if kind else objects

    if choice.keep is None:
        if world > 1:
            raise UsageError("several processes share a folder; name it with --keep DIR")
        return lambda: _together(
            {
                kind: examine(load(), items, READERS, sound, beside(kind)())
                for kind, sound in heard.items()
            }
        )
    about = {
        "weights": sha256(weights),
        "quality": choice.quality,
        "benchmark": listed.name,
        "items": [item.id for item in items],
    }
    if choice.guide is not None:
        abouts[""] = {"ogl": choice.guide.describe()}
    kept = {kind: Kept(choice.keep / kind, about | abouts[kind]) for kind in heard}
    total = -(-len(items) // world)
    for kind, sound in heard.items():
        with reporter.progress(f"{listed.name}, {kind or 'maps'}", "items") as advance:

            def told(done: int, advance: Advance = advance) -> None:
                advance(done, total)

            kept[kind].examine(load, items, READERS, rank, world, told, sound, beside(kind))
    if world > 1:
        _wait_for_all()
    if rank:
        return None
    return lambda: _together({kind: one.read(len(items)) for kind, one in kept.items()})


def place() -> tuple[int, int]:
    """The number of this process, and how many work together (torchrun says so)."""
    return int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))


def _heard(
    items: Sequence[Item], name: str, foreign: bool
) -> tuple[dict[str, Sound], dict[str, dict[str, Any]]]:
    """What items are heard with by kind, "" for their own sound, and what is to be known of it."""
    from avloc.data.benchmarks.offscreen import offscreen
    from avloc.inference.foreign import sounds
    from avloc.inference.questions import own_sound

    if not foreign:
        return {"": own_sound}, {"": {}}
    elsewhere = offscreen(items, name)
    heard = sounds(elsewhere)
    abouts: dict[str, dict[str, Any]] = {kind: {"sound": kind} for kind in heard}
    abouts["offscreen"]["of"] = [elsewhere[item.id].id for item in items]
    return {"": own_sound, **heard}, {"": {}, **abouts}


def _together(parts: dict[str, Iterator[Part]]) -> Iterator[Part]:
    from avloc.inference.examining import together

    for own in parts[""]:
        others = {kind: next(rest) for kind, rest in parts.items() if kind}
        yield together(own, others) if others else own


def fitting(
    source: Iterator[Part], faults: dict[str, str], allow_missing: bool
) -> Iterator[tuple[str, ItemMaps]]:
    """The maps of all parts; what could not be asked goes to `faults` where that is allowed.

    Raises:
        DataError: something could not be asked, and that was not allowed, or nothing could.
    """
    left = False
    for part in source:
        for name, fault in part.faults.items():
            if not allow_missing:
                raise DataError(f"{name}: {fault}; score the others with --allow-missing")
            faults[name] = fault
        left = left or bool(part.maps)
        yield from part.maps.items()
    if faults and not left:
        name, fault = next(iter(faults.items()))
        raise DataError(f"no item is left to score; {name}: {fault}")


def _with_files(listed: Benchmark, allow_missing: bool) -> Sequence[Item]:
    from avloc.inference.questions import lacks

    lacking = {item.id: what for item in listed.items if (what := lacks(item))}
    items = [item for item in listed.items if item.id not in lacking]
    if not lacking or (allow_missing and items):
        return items
    name, what = next(iter(lacking.items()))
    if not items:
        raise DataError(
            f"{name}: {what} of it in the folder, and no other item of {listed.name} has its files "
            "there; name the folder with frames and sounds (--data DIR)"
        )
    more = f" (and {len(lacking) - 1} more lack something)" if len(lacking) > 1 else ""
    raise DataError(
        f"{name}: {what} of it in the folder{more}; add the files, or score the other "
        f"{len(items)} of {len(listed.items)} items with --allow-missing"
    )


def _device(name: str) -> str:
    """Under torchrun each process takes the GPU of its place on its machine."""
    place = os.environ.get("LOCAL_RANK")
    if name == "auto" and place is not None:
        import torch

        if torch.cuda.is_available():
            return f"cuda:{int(place) % torch.cuda.device_count()}"
    return name


def _wait_for_all() -> None:
    import torch.distributed as processes

    processes.init_process_group("gloo")
    processes.barrier()
    processes.destroy_process_group()
