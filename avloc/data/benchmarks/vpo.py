"""VPO (Chen et al. 2024, CAVP, arXiv 2304.02970) in the boxes of SSLalignment.

COCO photos with VGGSound recordings, 224x224: `vpo_ss_bbox.json` has photos with one sounding
thing, `vpo_ms_bbox.json` photos with several. Files are named COCO_ANNOTATION.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from avloc.data.benchmarks import alignment
from avloc.data.benchmarks.checking import benchmark
from avloc.data.benchmarks.sources import find_list
from avloc.data.benchmarks.types import Benchmark

SINGLE = ("vpo_ss_bbox.json", "vpo_ss_seg.json")
MULTI = ("vpo_ms_bbox.json", "vpo_ms_seg.json")


def read_single(path: Path, masks: Path | None = None) -> Benchmark:
    """VPO-SS: one source a photo.

    Args:
        path: the list or a folder with it.
        masks: the folder that the masks of a `*_seg.json` lie under.
    """
    path = find_list(path, *SINGLE)
    items, problems = alignment.annotated(path, masks)
    return benchmark("vpo-ss", [replace(item, group="") for item in items], [path], problems)


def read_multi(path: Path, masks: Path | None = None) -> Benchmark:
    """VPO-MS: an item a source; those of one photo have a `group` in common."""
    path = find_list(path, *MULTI)
    items, problems = alignment.annotated(path, masks)
    return benchmark("vpo-ms", items, [path], problems)
