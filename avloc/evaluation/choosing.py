"""Which protocols are asked, and whether a list and its maps have what they need."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from avloc.data.benchmarks.types import Benchmark
from avloc.errors import DataError, UsageError
from avloc.evaluation.dense import DENSEAV
from avloc.evaluation.duet import DUET
from avloc.evaluation.judges.base import Judge
from avloc.evaluation.judges.cutting import MapJudge
from avloc.evaluation.judges.dense import DenseJudge
from avloc.evaluation.judges.duet import DuetJudge
from avloc.evaluation.judges.negatives import NegativesJudge
from avloc.evaluation.judges.own import OwnJudge
from avloc.evaluation.judges.search import SearchJudge
from avloc.evaluation.judges.segmentation import SegmentationJudge
from avloc.evaluation.negatives import KINDS, NEGATIVES
from avloc.evaluation.own import OWN
from avloc.evaluation.protocols import PROTOCOLS
from avloc.evaluation.references import Masks
from avloc.evaluation.search import ACL
from avloc.evaluation.segmentation import SEGMENTATION
from avloc.evaluation.thresholds import PUBLISHED, Thresholds
from avloc.registry import Registry

NAMES = (
    OWN.name,
    *PROTOCOLS,
    ACL.name,
    *SEGMENTATION,
    DENSEAV.name,
    DUET.name,
    NEGATIVES.name,
)
_KNOWN: Registry[str] = Registry("protocol")
for _name in NAMES:
    _KNOWN.add(_name, _name)


@dataclass(frozen=True, eq=False)
class Panel:
    """The judges and the fixed predictions that they share.

    Attributes:
        judges: in the order in which they were asked for.
        masks: see `references.Masks`.
        left_out: protocols that "all" did not take, and why.
    """

    judges: tuple[Judge, ...]
    masks: Masks
    left_out: dict[str, str]


def parse(words: str) -> tuple[str, ...]:
    """The protocols in "lvs,ezvsl", each once; "all" is none in particular.

    Raises:
        UsageError: there is none of that name.
    """
    names = tuple(dict.fromkeys(word.strip() for word in words.split(",") if word.strip()))
    if names == ("all",):
        return ()
    if not names or "all" in names:
        raise UsageError("--protocol: give names with commas between them, or all")
    return tuple(_KNOWN[name] for name in names)


def panel(
    names: Sequence[str],
    benchmark: Benchmark,
    extras: Collection[str] = (),
    thresholds: Thresholds | None = None,
    allow_missing: bool = False,
    share: float | None = None,
) -> Panel:
    """The judges for some protocols.

    Args:
        names: the protocols; none: all that the list and the maps have what they need for.
        benchmark: the list.
        extras: what all items have beside their maps, of `maps.EXTRAS`.
        thresholds: for `negatives`; None: vssl_eval's for SSLalignment.
        allow_missing: boxes may stand in for masks.
        share: weight of the heatmap where objectness is mixed in; None: each protocol's own.

    Raises:
        DataError: the list or the maps lack what a protocol needs.
    """
    masks, judges, left_out = Masks(), [], {}
    for name in names or NAMES:
        lack = lacks(name, benchmark, extras, allow_missing and bool(names))
        if not names and name == DUET.name and "duet" not in benchmark.name:
            lack = lack or f"{name}: matching maps with sources takes long; ask for it by name"
        if lack and names:
            raise DataError(lack)
        if lack:
            left_out[name] = lack
        else:
            judge = _judge(name, benchmark, masks, thresholds, "confidence" in extras)
            if share is not None and judge.fusion is not None:
                fusion = replace(judge.fusion, share=share)
                judge.protocol = replace(judge.protocol, fusion=fusion)
            judges.append(judge)
    return Panel(tuple(judges), masks, left_out)


def lacks(
    name: str, benchmark: Benchmark, extras: Collection[str], boxes_for_masks: bool = False
) -> str:
    """What a protocol needs and does not find, as a line; "" where it finds all."""
    items = benchmark.items
    if name in (*SEGMENTATION, DENSEAV.name) and not boxes_for_masks:
        without = next((item for item in items if item.mask is None), None)
        if without is not None:
            return (
                f"{name}: {without.id} of {benchmark.name} has no mask; take a list with masks, or "
                "let the boxes stand in with --allow-missing"
            )
    if name == DUET.name and not _pairs(benchmark):
        return (
            f"{name}: {items[0].id} of {benchmark.name} is alone in its picture; take a list of "
            "pairs, such as music-duet, vggsound-duet or is3"
        )
    if name in PROTOCOLS and PROTOCOLS[name].negatives and all(item.sounds for item in items):
        return (
            f"{name}: {benchmark.name} has no item without a visible source ({items[0].id} has "
            "one); take an extended list, such as vggss-extended or flickr-extended"
        )
    if name == NEGATIVES.name:
        kind = next((kind for kind in KINDS if kind not in extras), None)
        if kind is not None:
            return (
                f"{name}: {items[0].id} has no map under {kind}; put "
                f"'{items[0].id}/{kind}' and the like into the npz, or leave this protocol out"
            )
    return ""


def _judge(
    name: str,
    benchmark: Benchmark,
    masks: Masks,
    thresholds: Thresholds | None,
    confident: bool,
) -> Judge:
    silent = not all(item.sounds for item in benchmark.items)
    if name == ACL.name:
        return SearchJudge(ACL, masks, silent, confident)
    if name in SEGMENTATION:
        return SegmentationJudge(SEGMENTATION[name])
    if name == NEGATIVES.name:
        thresholds = thresholds or PUBLISHED["sslalign"]
        return NegativesJudge(NEGATIVES.on(benchmark.name, thresholds), thresholds)
    if name == DENSEAV.name:
        return DenseJudge(DENSEAV)
    if name == DUET.name:
        return DuetJudge(DUET, benchmark.items)
    if name == OWN.name:
        return OwnJudge(replace(OWN, pairs=_pairs(benchmark)), masks, silent)
    return MapJudge(PROTOCOLS[name].on(benchmark.name), masks, _pairs(benchmark))


def _pairs(benchmark: Benchmark) -> bool:
    return len({item.unit for item in benchmark.items}) < len(benchmark.items)
