"""The lists of SSLalignment (Senocak et al. 2024, arXiv 2407.13676): one object a row.

`[{"image": PATH, "audio": PATH, "gt_box": [x0, y0, x1, y1]}]` in pixels of a 224x224 picture, with
the authors' own absolute paths. In their `*_seg.json` lists `gt_box` is the path of a mask.
[0, 0, 0, 0] stands for an object that is not there.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import numpy as np

from avloc.data.benchmarks.checking import box_list
from avloc.data.benchmarks.masks import locate
from avloc.data.benchmarks.types import Item, Problem
from avloc.data.index import index_rows

SCALE = (224, 224)


def annotated(path: Path, masks: Path | None = None) -> tuple[list[Item], list[Problem]]:
    """The items of a list of boxes or of masks, named as the picture without its suffix.

    The group is the name up to the last underscore, as SSLalignment's `Evaluator_iiou` groups.

    Args:
        path: the list.
        masks: the folder that masks of a `*_seg.json` lie under.
    """
    items, problems = [], []
    for row in index_rows(path.parent, path.name):
        image, sound = row.get("image", str), row.get("audio", str)
        name = PurePosixPath(image).stem
        truth = row.values.get("gt_box")
        boxes, told, mask = np.zeros((0, 4)), [], None
        if isinstance(truth, str):
            mask = locate(truth, masks or path.parent)
            told = [] if mask else [f"no mask {truth} under {masks or path.parent}"]
        else:
            boxes, told = box_list([truth])
        problems += [Problem(name, what) for what in told]
        media = {"frame": image, "sound": sound}
        group = name.rpartition("_")[0]
        items.append(Item(name, boxes, SCALE, group=group, mask=mask, media=media))
    return items, problems
