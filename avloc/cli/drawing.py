"""The page of `avloc evaluate --html`."""

from __future__ import annotations

from pathlib import Path

from avloc.cli.scores import TITLES
from avloc.cli.scoring import Scored

FIRST = ("lvs", "avloc")
"""Protocols that pictures, classes and sizes are shown under, if they were asked; else any."""


def drawn(scored: Scored, media: Path | None) -> str:
    """The page of a report, with frames where the folder `media` has them."""
    from avloc.data.benchmarks.media import with_media
    from avloc.evaluation.gallery import cards, choose
    from avloc.evaluation.page import page

    report = scored.report
    with_items = [name for name, verdict in report.protocols.items() if _has_ciou(verdict.items)]
    shown = next((name for name in (*FIRST, *with_items) if name in with_items), "")
    gallery = {}
    if shown:
        judge = next(judge for judge in scored.panel.judges if judge.name == shown)
        scores = {
            item: one["ciou"]
            for item, one in report.protocols[shown].items.items()
            if report.groups[item]["sounds"]
        }
        chosen = choose(scores)
        listed = scored.listed
        if media is not None and media.is_dir():
            listed = with_media(listed, media)
        items = {item.id: item for item in listed.items}
        maps = scored.again([item for ids in chosen.values() for item in ids])
        gallery = {
            kind: cards(ids, items, maps, report.protocols[shown], judge, scored.scale)
            for kind, ids in chosen.items()
        }
    return page(report, TITLES, gallery, shown)


def _has_ciou(items: object) -> bool:
    return isinstance(items, dict) and bool(items) and "ciou" in next(iter(items.values()))
