"""The heatmaps of a model for `avloc evaluate`, made now or kept from an earlier run."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from avloc.cli.console import Reporter
from avloc.errors import DataError, UsageError

if TYPE_CHECKING:
    from avloc.data.benchmarks import Benchmark, Item
    from avloc.evaluation.maps import ItemMaps
    from avloc.inference.engine import Engine
    from avloc.inference.examining import Part

READERS = 2  # threads that read files ahead


@dataclass(frozen=True)
class Choice:
    """How a model is asked."""

    quality: str
    device: str
    keep: Path | None
    allow_missing: bool


def located(listed: Benchmark, media: Path | None, name: str | None) -> Benchmark:
    """The list with the paths of its frames, sounds and clips."""
    from avloc.data.benchmarks.media import with_media

    if media is None and name is not None and Path(name).exists():
        path = Path(name)
        media = path if path.is_dir() else path.parent
    if media is None:
        raise UsageError("name the folder with frames and sounds (--data DIR)")
    return with_media(listed, media)


def parts(
    weights: Path, listed: Benchmark, choice: Choice, reporter: Reporter
) -> Iterator[Part] | None:
    """The maps, part by part; None in all processes but the first of several.

    Raises:
        DataError: files are missing, and that was not allowed.
    """
    from avloc.evaluation.provenance import sha256
    from avloc.inference.examining import Kept, examine

    items = _with_files(listed, choice.allow_missing)
    rank, world = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))

    def load() -> Engine:
        from avloc.inference.loading import load_engine

        engine = load_engine(weights, _device(choice.device), choice.quality)
        reporter.detail(f"model {engine.id} on {engine.device}")
        return engine

    if choice.keep is None:
        if world > 1:
            raise UsageError("several processes share a folder; name it with --keep DIR")
        return examine(load(), items, READERS)
    about = {
        "weights": sha256(weights),
        "quality": choice.quality,
        "benchmark": listed.name,
        "items": [item.id for item in items],
    }
    kept = Kept(choice.keep, about)
    total = -(-len(items) // world)
    with reporter.progress(f"{listed.name}, maps", "items") as advance:
        kept.examine(load, items, READERS, rank, world, lambda done: advance(done, total))
    if world > 1:
        _wait_for_all()
    return None if rank else kept.read(len(items))


def fitting(
    source: Iterator[Part], faults: dict[str, str], allow_missing: bool
) -> Iterator[tuple[str, ItemMaps]]:
    """The maps of all parts; what could not be asked goes to `faults` where that is allowed."""
    for part in source:
        for name, fault in part.faults.items():
            if not allow_missing:
                raise DataError(f"{name}: {fault}; score the others with --allow-missing")
            faults[name] = fault
        yield from part.maps.items()


def _with_files(listed: Benchmark, allow_missing: bool) -> Sequence[Item]:
    from avloc.inference.questions import lacks

    lacking = {item.id: what for item in listed.items if (what := lacks(item))}
    items = [item for item in listed.items if item.id not in lacking]
    if lacking and not (allow_missing and items):
        name, what = next(iter(lacking.items()))
        more = f" (nor all of {len(lacking) - 1} more)" if len(lacking) > 1 else ""
        raise DataError(
            f"{name}: {what} of it in the folder{more}; add the files, or score the other "
            f"{len(items)} of {len(listed.items)} items with --allow-missing"
        )
    return items


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
