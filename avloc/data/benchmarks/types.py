"""What every benchmark is read into, whatever file its authors ship."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np


@dataclass(frozen=True, eq=False)
class Item:
    """One question to a localizer: where in this picture is the source of this sound?

    Attributes:
        id: unique in the benchmark.
        boxes: (n, 4) float64, x0 y0 x1 y1 in the original's units and unclipped; boxes that the
            authors give as corner and size are turned into corners, nothing else is touched.
        scale: width and height that the boxes are relative to: (1, 1) for fractions.
        votes: (n,) which annotator drew each box, counted from 0; None: nobody says.
        label: the class, where there is one.
        group: what items of one picture (or of one mixture) have in common, else "".
        sounds: False for a negative: no source of the sound is visible.
        mask: the truth as a picture, where there is one.
        mask_class: which class of `mask` is the truth, where it shows many (`masks.read_class`);
            only the middle squares of it and of the frame then count. None: all of it.
        media: files as the list names them, or as they were found: `frame`, `sound`, `clip`.
        time: seconds from the start of the sound to the frame; None: nobody says.
        clip_time: from the start of the clip, where its sound is not the whole of it; else None.
        kind: what sort of item the list calls it (AVATAR's scenario, for one), else "".
    """

    id: str
    boxes: np.ndarray
    scale: tuple[float, float]
    votes: np.ndarray | None = None
    label: str = ""
    group: str = ""
    sounds: bool = True
    mask: Path | None = None
    mask_class: int | None = None
    media: dict[str, str] = field(default_factory=dict)
    time: float | None = None
    clip_time: float | None = None
    kind: str = ""

    @property
    def unit(self) -> str:
        """What goes together: the items of one picture (or video), or else the item alone."""
        return self.group or self.id

    @property
    def moment(self) -> float | None:
        """Seconds from the start of the clip to the frame; None: nobody says."""
        return self.time if self.clip_time is None else self.clip_time


@dataclass(frozen=True)
class Problem:
    """Something wrong with an item, or with a line of a list that made no item."""

    id: str
    what: str


@dataclass(frozen=True, eq=False)
class Benchmark:
    """A list of items, what is wrong with it, and which files it was read from.

    Attributes:
        name: the registry's name for it.
        items: in the order of the list.
        problems: everything malformed. Items stay in although something is wrong with them.
        source: files that were read, or the folder where there are many.
        sha256: hexadecimal, one for each source.
    """

    name: str
    items: tuple[Item, ...]
    problems: tuple[Problem, ...]
    source: tuple[Path, ...]
    sha256: tuple[str, ...]
