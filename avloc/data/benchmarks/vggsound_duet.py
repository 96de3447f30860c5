"""VGGSound-Duet (Mo and Tian 2023, AVGN, arXiv 2303.17056): two VGG-SS clips made into one.

`vggsound_duet_test.csv` has rows `CLIP,CLASS,CLIP,CLASS`; boxes are those of `vggss.json`. Frames
stand side by side and waves are added; each source has its own map over its own frame.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from avloc.data.benchmarks import vggss
from avloc.data.benchmarks.checking import benchmark
from avloc.data.benchmarks.sources import find_list, rows
from avloc.data.benchmarks.types import Benchmark, Problem

FILE = "vggsound_duet_test.csv"


def read_vggsound_duet(path: Path) -> Benchmark:
    """Two items a row, `A+B#1` over the frame of A and `A+B#2` over that of B, in one group.

    `media["mixed_with"]` is the clip whose sound is added.

    Args:
        path: a folder with the list and `vggss.json`, or the list with `vggss.json` beside it.
    """
    pairs = find_list(path, FILE)
    boxed = find_list(pairs.parent, *vggss.FILES)
    annotated, problems = vggss.annotated(boxed)
    known = {item.id: item for item in annotated}
    items = []
    for number, row in enumerate(rows(pairs), start=1):
        where = f"{pairs.name}: row {number}"
        if len(row) != 4:
            problems.append(Problem(where, f"not CLIP,CLASS,CLIP,CLASS: {','.join(row)!r:.60}"))
            continue
        clips, labels = row[::2], row[1::2]
        group = "+".join(clips)
        if labels[0] == labels[1]:
            problems.append(Problem(group, f"both sources have the class {labels[0]!r}"))
        for source, (clip, label) in enumerate(zip(clips, labels, strict=True), start=1):
            if clip not in known:
                problems.append(Problem(group, f"{clip} is in the list, but without annotation"))
                continue
            media = {"frame": clip, "sound": clip, "mixed_with": clips[2 - source]}
            items.append(
                replace(known[clip], id=f"{group}#{source}", label=label, group=group, media=media)
            )
    return benchmark("vggsound-duet", items, [pairs, boxed], problems)
