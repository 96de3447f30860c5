"""What the layers hand to each other: clips, heatmaps, localizations, annotations.

Values only: frozen dataclasses around numpy arrays. Points and boxes are fractions of the
picture, ``(x, y)`` and ``(x0, y0, x1, y1)``, x to the right and y downwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from avloc.errors import UsageError
from avloc.resize import Kernel, resize

Box = tuple[float, float, float, float]

MASK_RULES = ("median", "half-max", "top:F", "above:V")


class Tag(NamedTuple):
    """A sound class and the probability that it is heard."""

    name: str
    probability: float


@dataclass(frozen=True)
class Clip:
    """A stretch of video in memory.

    Attributes:
        frames: (T, H, W, 3) uint8 RGB.
        times: (T,) seconds from the start of the file.
        wave: (N,) float32 mono in [-1, 1]; its first sample sounds at ``times`` zero.
        rate: samples a second.
    """

    frames: np.ndarray
    times: np.ndarray
    wave: np.ndarray
    rate: int


@dataclass(frozen=True)
class Heatmap:
    """Where a sound comes from at one moment.

    Attributes:
        values: (h, w) float32, the raw correlation on the model's grid, never rescaled; with
            object guidance the mixture on that grid (`inference.guided.mixed`).
        time: seconds from the start of the file.
        confidence: probability in 0..1 that a visible object sounds.
        tags: what sounds, most probable first.
    """

    values: np.ndarray
    time: float
    confidence: float
    tags: tuple[Tag, ...] = ()

    def resized(self, size: tuple[int, int], how: Kernel = "linear") -> np.ndarray:
        """The values resampled to `size` = (height, width), float32."""
        return resize(self.values, size, how)

    def mask(self, rule: str = "half-max", size: tuple[int, int] | None = None) -> np.ndarray:
        """The predicted region as booleans of `size` (default: the grid).

        Rules: ``half-max`` (at least midway between the map's least and greatest value),
        ``median`` (the best half of the pixels, as most published protocols do), ``top:F`` (the
        best fraction F), ``above:V`` (raw correlation of at least V). A constant map has no
        region under the first three.
        """
        values = self.values if size is None else self.resized(size)
        low, high = float(values.min()), float(values.max())
        name, _, number = rule.partition(":")
        if name == "above" and number:
            return values >= _number(rule, number)
        if name not in ("half-max", "median", "top") or (name == "top") != bool(number):
            raise UsageError(f"unknown mask rule {rule!r}; known: {', '.join(MASK_RULES)}")
        if high <= low:
            return np.zeros(values.shape, bool)
        if name == "half-max":
            return values >= (low + high) / 2
        share = 0.5 if name == "median" else _number(rule, number)
        count = int(np.clip(round(share * values.size), 1, values.size))
        return values >= np.partition(values, values.size - count, axis=None)[values.size - count]

    def peak(self) -> tuple[float, float]:
        """The point (x, y) of the greatest value, at the centre of its cell."""
        return self.peaks(1)[0][:2]

    def peaks(self, n: int = 3, size: int = 56) -> list[tuple[float, float, float]]:
        """Up to `n` separate maxima as (x, y, value), greatest first.

        A maximum counts when it is the greatest value within an eighth of the picture around it
        and lies above the middle between the map's least and greatest value.
        """
        from scipy import ndimage

        height, width = _up_to(self.values.shape, size)
        values = self.resized((height, width))
        low, high = float(values.min()), float(values.max())
        reach = max(3, 2 * (max(height, width) // 8) + 1)
        tops = values == ndimage.maximum_filter(values, size=reach, mode="nearest")
        tops &= values >= (low + high) / 2
        labels, count = ndimage.label(tops)
        found = []
        for number in range(1, count + 1):
            rows, columns = np.nonzero(labels == number)  # a maximum may be a plateau
            x, y = float(columns.mean() + 0.5) / width, float(rows.mean() + 0.5) / height
            found.append((x, y, float(values[rows[0], columns[0]])))
        return sorted(found, key=lambda peak: -peak[2])[:n]

    def boxes(self, rule: str = "half-max", n: int = 1, size: int = 112) -> list[Box]:
        """Boxes around the up to `n` strongest connected parts of ``mask(rule)``."""
        from scipy import ndimage

        height, width = _up_to(self.values.shape, size)
        labels, count = ndimage.label(self.mask(rule, (height, width)))
        if not count:
            return []
        strength = ndimage.maximum(self.resized((height, width)), labels, range(1, count + 1))
        parts = ndimage.find_objects(labels)
        order = np.argsort(-np.atleast_1d(strength), kind="stable")[:n]
        return [
            (
                parts[i][1].start / width,
                parts[i][0].start / height,
                parts[i][1].stop / width,
                parts[i][0].stop / height,
            )
            for i in order
        ]


def _number(rule: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise UsageError(f"mask rule {rule!r} needs a number after the colon") from None


def _up_to(shape: tuple[int, ...], size: int) -> tuple[int, int]:
    """`shape` scaled so that its longer side is `size`."""
    scale = size / max(shape)
    return max(1, round(shape[0] * scale)), max(1, round(shape[1] * scale))


@dataclass(frozen=True)
class Localization:
    """The heatmaps of a clip and where they come from.

    Attributes:
        source: the file as the user named it.
        heatmaps: in order of time.
        fps: heatmaps a second.
        width, height: the picture as displayed, pixels.
        duration: seconds of video that were read.
        model: the model's id.
        versions: versions of avloc and of what computed the maps.
        status: ``complete``, or ``partial`` where the file broke off.
        lost_seconds: how much of the stated duration could not be read.
        notes: what the user should know, a sentence each (a silent track, no track).
    """

    source: str
    heatmaps: tuple[Heatmap, ...]
    fps: float
    width: int
    height: int
    duration: float
    model: str
    versions: Mapping[str, str] = field(default_factory=dict)
    status: str = "complete"
    lost_seconds: float = 0.0
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready dictionary: everything but the maps' values."""
        from avloc.results import summary

        return summary(self)

    def save(self, path: str | Path) -> Path:
        """Write as JSON, CSV or NPZ, by the suffix of `path`; returns the path."""
        from avloc.results import save

        return save(self, Path(path))


@dataclass(frozen=True)
class Annotation:
    """What people drew: boxes, perhaps by several annotators, or a mask.

    Attributes:
        boxes: (n, 4) float, each row (x0, y0, x1, y1) in 0..1. None: no visible source.
        annotators: (n,) int, who drew each box; empty where one person drew them all.
        mask: (h, w) bool, where pixels were annotated instead.
    """

    boxes: np.ndarray = field(default_factory=lambda: np.zeros((0, 4)))
    annotators: np.ndarray = field(default_factory=lambda: np.zeros(0, int))
    mask: np.ndarray | None = None

    @property
    def visible(self) -> bool:
        """Whether any source is annotated."""
        return bool(len(self.boxes)) or (self.mask is not None and bool(self.mask.any()))
