"""Chapters of a source in an output that may be a part of it."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from av.container import InputContainer, OutputContainer

from avloc.media.tracks import Span

if TYPE_CHECKING:  # PyAV before 16 knows no chapters.
    from av.container.core import Chapter


def carry_chapters(source: InputContainer, out: OutputContainer, span: Span) -> None:
    """Give `out` the chapters of `source`; PyAV before 16 can neither read nor write any."""
    if not hasattr(source, "chapters"):
        return
    chapters = cut_chapters(source.chapters(), span)
    if chapters:
        out.set_chapters(chapters)


def cut_chapters(chapters: list[Chapter], span: Span) -> list[Chapter]:
    """What lies in `span` of each chapter, counted from its start, numbered from 1 on."""
    kept: list[Chapter] = []
    for chapter in chapters:
        base = Fraction(chapter["time_base"] or 0)
        if not base:
            continue
        shift = span.ticks(base)
        start, end = max(0, chapter["start"] - shift), chapter["end"] - shift
        if span.end is not None:
            end = min(end, round(span.end / base) - shift)
        if start < end:
            kept.append({**chapter, "id": len(kept) + 1, "start": start, "end": end})
    return kept
