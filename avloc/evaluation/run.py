"""Heatmaps of a whole list under several protocols, in one pass."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from avloc.data.benchmarks import Benchmark, Item
from avloc.data.benchmarks.masks import read_mask
from avloc.errors import DataError, UsageError
from avloc.evaluation.baselines import centre, whole
from avloc.evaluation.canvas import Canvas, Scale
from avloc.evaluation.jobs import JOBS, Job, Sample, negatives_of
from avloc.evaluation.metrics import grouped, success, summary
from avloc.evaluation.negatives import KINDS, Thresholds
from avloc.evaluation.report import ProtocolReport, Report
from avloc.evaluation.truth import GRID, Truth, rasterise

CHUNK = 64
NO_THRESHOLDS = Thresholds(0.5, 0.5, 0.5)
MADE = ("centre", "random")
Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class ItemMaps:
    """What a method says of one item: maps (h, w), each of any size.

    `values` is the heatmap; `objectness` needs no sound; `silence`, `noise` and `offscreen` are
    heatmaps under those sounds; `confidence` that a visible object sounds.
    """

    values: np.ndarray
    objectness: np.ndarray | None = None
    silence: np.ndarray | None = None
    noise: np.ndarray | None = None
    offscreen: np.ndarray | None = None
    confidence: float | None = None


def evaluate(
    benchmark: Benchmark,
    maps: Mapping[str, ItemMaps],
    protocols: Sequence[str],
    *,
    scale: Scale | None = None,
    allow_missing: bool = False,
    skip: bool = False,
    baselines: bool = True,
    thresholds: Thresholds | None = None,
    threads: int = 2,
    progress: Progress | None = None,
) -> Report:
    """Score heatmaps under several protocols.

    Args:
        benchmark: The list.
        maps: By the ids of the list; items are fetched one by one, when they are needed.
        protocols: Names, see `JOBS`.
        scale: What the maps are; None: what each protocol's original receives.
        allow_missing: Go on without the items that have no map; the report names them.
        skip: Leave out protocols that need what is not there; the report says which.
        baselines: Also score heatmaps that anybody can make.
        thresholds: Universal ones for `negatives`; None: of these maps.
        threads: How many items are worked on at a time.
        progress: Called with items done and in all.

    Raises:
        DataError: a map is missing or malformed.
        UsageError: an unknown protocol, or one that needs what is not there.
    """
    items = [item for item in benchmark.items if item.id in maps]
    missing = tuple(item.id for item in benchmark.items if item.id not in maps)
    known = {item.id for item in benchmark.items}
    unknown = tuple(name for name in maps if name not in known)
    if missing and (not allow_missing or not items):
        raise DataError(
            f"{len(missing)} of {len(benchmark.items)} items have no map, the first is "
            f"{missing[0]!r}; add them, or allow missing ones"
        )
    if not items:
        raise DataError(f"the list {benchmark.name!r} has no items")
    makers = {name: JOBS[name] for name in protocols}
    plain = {name: make(benchmark.name, None) for name, make in makers.items()}
    skipped = {
        name: reason
        for name, job in plain.items()
        if (reason := _lacking(job, items, maps)) is not None
    }
    if skipped and not skip:
        name, reason = next(iter(skipped.items()))
        raise UsageError(f"the protocol {name!r} {reason}")
    if "negatives" in makers and "negatives" not in skipped and thresholds is None:
        thresholds = Thresholds.of(np.array(list(_greatest(items, maps))))
    jobs = [
        make(benchmark.name, thresholds) for name, make in makers.items() if name not in skipped
    ]
    table = _Table(jobs, scale, ("maps", *MADE) if baselines else ("maps",))
    table.fill(items, maps, threads, progress)
    return Report(
        benchmark.name,
        {job.name: table.report(job) for job in jobs},
        missing,
        unknown,
        skipped,
    )


def baselines_only(
    benchmark: Benchmark,
    protocols: Sequence[str],
    threads: int = 2,
    progress: Progress | None = None,
) -> Report:
    """What heatmaps that anybody can make score, from the annotation alone."""
    nothing = ItemMaps(whole((1, 1)))
    maps = {item.id: nothing for item in benchmark.items}
    jobs = [JOBS[name](benchmark.name, NO_THRESHOLDS) for name in protocols]
    skipped = {}
    for job in jobs:
        needs = replace(job, needs=job.needs - {"negatives"})
        if (reason := _lacking(needs, benchmark.items, maps)) is not None:
            skipped[job.name] = reason
    jobs = [job for job in jobs if job.name not in skipped]
    table = _Table(jobs, None, MADE)
    table.fill(benchmark.items, maps, threads, progress)
    found = {job.name: table.report(job) for job in jobs}
    return Report(benchmark.name, found, skipped=skipped)


class _Table:
    """Rows of all jobs, for the maps and for the baselines."""

    def __init__(self, jobs: Sequence[Job], scale: Scale | None, kinds: tuple[str, ...]) -> None:
        self._jobs, self._scale, self._kinds = jobs, scale, kinds
        self._centre = Canvas(centre((GRID, GRID)))
        self._rows: dict[tuple[str, str], list[Any]] = {
            (job.name, kind): [] for job in jobs for kind in self._kinds
        }
        self._ids: dict[str, list[str]] = {job.name: [] for job in jobs}
        self._bounds: dict[str, list[tuple[float, float, str]]] = {job.name: [] for job in jobs}

    def fill(
        self,
        items: Sequence[Item],
        maps: Mapping[str, ItemMaps],
        threads: int,
        progress: Progress | None,
    ) -> None:
        """Score all items, in chunks, in the order of the list."""
        done = 0
        with ThreadPoolExecutor(threads) as pool:
            for first in range(0, len(items), CHUNK * threads):
                group = items[first : first + CHUNK * threads]
                parts = [group[k : k + CHUNK] for k in range(0, len(group), CHUNK)]
                for part in pool.map(lambda some: [self._of(i, maps[i.id]) for i in some], parts):
                    for found in part:
                        self._keep(*found)
                    done += len(part)
                    if progress is not None:
                        progress(done, len(items))

    def _of(self, item: Item, maps: ItemMaps) -> tuple[Sample, dict[tuple[str, str], Any]]:
        sample = _sample(item, maps, self._scale)
        noise = np.random.default_rng(zlib.crc32(item.id.encode())).standard_normal((14, 14))
        heats = {"centre": self._centre, "random": Canvas(noise.astype(np.float32))}
        found = {}
        for job in self._jobs:
            if sample.truth.boxes or job.silent:
                for kind in self._kinds:
                    if kind == "maps":
                        found[job.name, kind] = job.score(sample)
                        continue
                    made = replace(sample, heat=heats[kind], objects=None, confidence=None)
                    found[job.name, kind] = job.score(negatives_of(job, made))
        return sample, found

    def _keep(self, sample: Sample, found: dict[tuple[str, str], Any]) -> None:
        for (name, kind), row in found.items():
            self._rows[name, kind].append(row)
            if kind == self._kinds[0]:
                self._ids[name].append(sample.id)
                truth = sample.truth
                if truth.boxes:
                    bounds = all_of_it(truth), best_half(truth), sample.group or sample.id
                    self._bounds[name].append(bounds)

    def report(self, job: Job) -> ProtocolReport:
        """What one protocol found."""
        count = len(self._ids[job.name])
        if not count:
            raise DataError(f"the protocol {job.name!r} has no item to score in this list")
        numbers = {kind: job.summarise(self._rows[job.name, kind]) for kind in self._kinds}
        metrics = numbers.pop("maps", {})
        if numbers:
            numbers |= {"whole": self._bound(job, 0), "half_oracle": self._bound(job, 1)}
        rows = self._rows.get((job.name, "maps"), [])
        items = dict(zip(self._ids[job.name], map(job.item, rows), strict=False))
        ties = [one["ties"] > 1 for one in items.values() if "ties" in one]
        return ProtocolReport(
            job.source,
            job.note,
            metrics,
            numbers,
            success_interval(metrics["ciou"], count) if "ciou" in metrics else None,
            float(np.mean(ties)) if ties else None,
            items,
            count,
        )

    def _bound(self, job: Job, which: int) -> dict[str, float]:
        """The numbers of the whole picture (0) or of the best half of it (1) as prediction."""
        ciou = np.array([bounds[which] for bounds in self._bounds[job.name]])
        groups = [bounds[2] for bounds in self._bounds[job.name]]
        found = dict(summary(ciou))
        if len(set(groups)) < len(groups):
            found["iiou"] = success(grouped(ciou, groups))
        return found


def all_of_it(truth: Truth) -> float:
    """cIoU of the whole picture."""
    return truth.area / (truth.area + truth.inside.size - truth.pixels)


def best_half(truth: Truth) -> float:
    """cIoU of the best mask that covers exactly half of the picture."""
    count = truth.inside.size // 2
    halves = 0 if truth.half is None else int(np.count_nonzero(truth.half))
    sure = truth.pixels - halves
    hit = min(count, sure) + 0.5 * min(max(count - sure, 0), halves)
    return hit / (truth.area + max(count - truth.pixels, 0))


def success_interval(share: float, count: int, draws: int = 10_000) -> tuple[float, float]:
    """The percentile bootstrap interval (95 %) of a share of `count` items."""
    if not np.isfinite(share):
        return float("nan"), float("nan")
    # Items drawn with replacement that succeed: binomial, no need to draw them one by one.
    found = np.random.default_rng(0).binomial(count, min(max(share, 0.0), 1.0), draws) / count
    low, high = np.percentile(found, [2.5, 97.5])
    return float(low), float(high)


def truth_of(item: Item) -> Truth:
    """An item's boxes on the grid, as every original draws them; nothing where nothing sounds."""
    if not item.sounds:
        return rasterise(np.zeros((0, 4)))
    if not len(item.boxes) and item.mask is not None:
        return mask_of(item)
    return rasterise(item.boxes, item.scale, votes=item.votes is not None)


def mask_of(item: Item) -> Truth:
    """An item's mask on the grid; of another size, the nearest pixels are taken."""
    if item.mask is None:
        raise DataError(f"item {item.id!r} has no mask")
    mask = read_mask(item.mask)
    rows, columns = (((np.arange(GRID) + 0.5) * n / GRID).astype(int) for n in mask.shape)
    return Truth(mask[np.ix_(rows, columns)])


def _sample(item: Item, maps: ItemMaps, scale: Scale | None) -> Sample:
    def canvas(name: str, scale: Scale | None) -> Canvas | None:
        values = getattr(maps, name)
        return None if values is None else Canvas(checked(values, item.id, name), scale)

    heat = canvas("values", scale)
    assert heat is not None
    negatives = {kind: found for kind in KINDS if (found := canvas(kind, scale)) is not None}
    return Sample(
        item.id,
        heat,
        truth_of(item),
        mask_of(item) if item.mask is not None else None,
        item.group,
        item.label,
        canvas("objectness", None),
        negatives,
        maps.confidence,
    )


def checked(values: np.ndarray, item: str, what: str = "values") -> np.ndarray:
    """A map as it may be scored: two axes, not empty, finite; or a `DataError` with the item."""
    values = np.asarray(values)
    where = f"the map of {item!r}" if what == "values" else f"the {what} map of {item!r}"
    if values.ndim != 2 or not values.size:
        raise DataError(f"{where} has shape {values.shape}; give one value for each cell, (h, w)")
    if not np.issubdtype(values.dtype, np.number) or np.iscomplexobj(values):
        raise DataError(f"{where} has type {values.dtype}; give real numbers")
    if not np.isfinite(values).all():
        raise DataError(f"{where} holds NaN or infinity; mend it or leave the item out")
    return values


def _lacking(job: Job, items: Sequence[Item], maps: Mapping[str, ItemMaps]) -> str | None:
    """What a protocol needs and cannot have, and what to do about it."""
    if "masks" in job.needs:
        without = next((item.id for item in items if item.mask is None and item.sounds), None)
        if without is not None:
            return f"needs masks, and item {without!r} has none; use a list with masks"
    if "pairs" in job.needs and not any(item.group for item in items):
        return "needs several items of one picture, and this list has none; use IS3, VPO or a duet"
    if "silent" in job.needs and all(item.sounds for item in items):
        return "needs items without a visible source; use an extended list"
    if "negatives" in job.needs:
        for item in items:
            for kind in KINDS:
                if getattr(maps[item.id], kind) is None:
                    return f"needs a map under {kind}, and item {item.id!r} has none; add it"
    return None


def _greatest(items: Sequence[Item], maps: Mapping[str, ItemMaps]) -> Iterator[float]:
    for item in items:
        found = maps[item.id]
        for kind in KINDS:
            yield float(np.max(checked(getattr(found, kind), item.id, kind)))
