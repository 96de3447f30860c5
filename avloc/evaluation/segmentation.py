"""Heatmaps against pixel masks, as AVSBench (Zhou et al. 2022) scores them.

Single precision throughout, in the order in which the original adds: its F-score takes the best
threshold of each batch, so it depends on how many frames come in one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from avloc.evaluation.canvas import Canvas, Scale
from avloc.evaluation.field import View
from avloc.evaluation.intervals import Recount
from avloc.evaluation.kernels import Kernel
from avloc.evaluation.normals import Normal
from avloc.evaluation.truth import Truth
from avloc.registry import Registry

BETA2 = np.float32(0.3)
THRESHOLDS = 255


def thresholds() -> np.ndarray:
    """`torch.linspace(0, 1 - 1e-10, 255)`, float32: from both ends to the middle."""
    end = np.float32(1 - 1e-10)
    step = np.float32(end / np.float32(THRESHOLDS - 1))
    at = np.arange(THRESHOLDS)
    first = at.astype(np.float32) * step
    rest = (np.float64(end) - np.float64(step) * (THRESHOLDS - 1 - at)).astype(np.float32)
    return np.where(at < THRESHOLDS // 2, first, rest)


@dataclass(frozen=True, eq=False)
class Frame:
    """What is kept of one frame.

    `iou` at the protocol's threshold, of the background where the truth is empty; `curve`: F at
    each of 255 thresholds, (255,) float32, None where the truth is empty.
    """

    iou: np.float32
    curve: np.ndarray | None


@dataclass(frozen=True)
class SegmentationProtocol:
    """One way to score heatmaps against masks.

    Attributes:
        name, source, note: As of `Protocol`.
        scale, kernel, normal: What the maps are and how they become probabilities.
        threshold: Pixels above it are the prediction that IoU is taken of.
        batch: Frames in a batch; None: the whole set is one.
    """

    name: str
    source: str
    scale: Scale
    kernel: Kernel
    normal: Normal
    threshold: float = 0.5
    batch: int | None = 5
    note: str = ""

    def score(self, canvas: Canvas, truth: Truth) -> Frame:
        """Score one heatmap; pixels of the truth that are not 0 are inside."""
        view = canvas.view(self.kernel, self.scale).normal(self.normal)
        predicted = view.values > np.float32(self.threshold)
        return Frame(iou(predicted, truth.inside), f_curve(view, truth.inside))

    def summarise(self, frames: Sequence[Frame]) -> dict[str, float]:
        """mIoU and F-score, fractions in 0..1, over frames in the order of the list."""
        size = self.batch or len(frames)
        parts = [frames[k : k + size] for k in range(0, len(frames), size)]
        mean = single_mean([batch_iou(part) for part in parts])
        return {"miou": mean, "f_score": float(np.mean([best_f(part) for part in parts]))}

    def recount(self, frames: Sequence[Frame]) -> Recount:
        """The F-score of lists in which each frame stands any number of times, in this order."""
        there = np.array([frame.curve is not None for frame in frames], int)
        none = np.zeros(THRESHOLDS, np.float32)
        curves = np.array([none if frame.curve is None else frame.curve for frame in frames])

        def f_score(times: np.ndarray) -> float:
            which = np.repeat(np.arange(len(frames)), times)
            starts = np.arange(0, len(which), self.batch or len(which))
            counts = np.add.reduceat(there[which], starts)
            sums = np.add.reduceat(curves[which], starts)
            return float((sums / np.maximum(counts, 1)[:, None]).max(axis=1).mean())

        return lambda times: {"f_score": np.array([f_score(row) for row in times.astype(int)])}


def iou(predicted: np.ndarray, inside: np.ndarray) -> np.float32:
    """Intersection over union of two masks; without truth, of what is outside of both."""
    if not inside.any():
        predicted, inside = ~predicted, np.ones_like(inside)
    both, either = np.count_nonzero(predicted & inside), np.count_nonzero(predicted | inside)
    return np.float32(np.float32(both) / (np.float32(either) + np.float32(1e-7)))


def f_curve(view: View, inside: np.ndarray) -> np.ndarray | None:
    """F with beta² = 0.3 where pixels of at least each threshold are predicted, (255,) float32."""
    there = np.float32(np.count_nonzero(inside))
    if not there:
        return None
    tiny, steps = np.float32(1e-20), thresholds()
    called = view.values.size - np.searchsorted(np.sort(view.values, axis=None), steps)
    hits = int(there) - np.searchsorted(np.sort(view.values[inside]), steps)
    precision = hits.astype(np.float32) / (called.astype(np.float32) + tiny)
    recall = hits.astype(np.float32) / (there + tiny)
    with np.errstate(invalid="ignore"):
        curve = (1 + BETA2) * precision * recall / (BETA2 * precision + recall)
    return np.nan_to_num(curve, nan=0.0).astype(np.float32)


def batch_iou(frames: Sequence[Frame]) -> np.float32:
    """The mean IoU of a batch, float32."""
    return np.float32(_sum([frame.iou for frame in frames]) / np.float32(len(frames)))


def best_f(frames: Sequence[Frame]) -> float:
    """The greatest of the mean F over thresholds; 0 where no frame has a truth."""
    curves = [frame.curve for frame in frames if frame.curve is not None]
    if not curves:
        return 0.0
    total = np.zeros(THRESHOLDS, np.float32)
    for curve in curves:
        total += curve
    return float((total / np.float32(len(curves))).max())


def single_mean(values: Sequence[np.float32]) -> float:
    """The mean, added one by one in float32."""
    total = np.float32(0)
    for value in values:
        total = np.float32(total + value)
    return float(total / np.float32(len(values)))


def _sum(values: Sequence[np.float32]) -> np.float32:
    """The sum in the order in which torch adds up to 512 numbers: four rows of eight at a time."""
    numbers = np.asarray(values, np.float32)
    lanes = 8 if len(numbers) >= 8 else 1
    rows = numbers[: len(numbers) // lanes * lanes].reshape(-1, lanes)
    whole = len(rows) // 4 * 4
    parts = np.zeros((4, lanes), np.float32)
    for first in range(0, whole, 4):
        parts += rows[first : first + 4]
    for row in rows[whole:]:
        parts[0] += row
    for part in parts[1:]:
        parts[0] += part
    total = np.float32(0)
    for value in (*numbers[len(rows) * lanes :], *parts[0]):
        total = np.float32(total + value)
    return total


SEGMENTATION: Registry[SegmentationProtocol] = Registry("segmentation protocol")

_AVSBENCH = SEGMENTATION.add(
    "avsbench",
    SegmentationProtocol(
        name="avsbench",
        source="OpenNLPLab/AVSBench utility.py mask_iou, Eval_Fmeasure",
        scale="logit",
        kernel="torch-bilinear-corners",
        normal="sigmoid",
        note="F takes the best threshold of every five frames.",
    ),
)
SEGMENTATION.add(
    "avsbench-whole-set",
    replace(
        _AVSBENCH,
        name="avsbench-whole-set",
        source="swimmiing/ACL-SSL AVSBench/eval_utils.py",
        batch=None,
        note="F takes one threshold for the whole set.",
    ),
)
