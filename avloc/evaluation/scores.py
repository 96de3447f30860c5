"""Scores of one heatmap against one truth, and what a set of them says.

cIoU (Senocak et al. 2018, sec. 5.1): intersection over truth plus false positives, on binary masks.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

GRID = 224  # pixels a side that maps and boxes are compared on, as published protocols do


class Interval(NamedTuple):
    """A mean and its 95 % bootstrap interval."""

    mean: float
    low: float
    high: float


def box_mask(boxes: np.ndarray, size: tuple[int, int] = (GRID, GRID)) -> np.ndarray:
    """The union of boxes (n, 4) in 0..1 as booleans of `size` = (height, width)."""
    mask = np.zeros(size, bool)
    scale = np.array([size[1], size[0], size[1], size[0]])
    for x0, y0, x1, y1 in (np.clip(boxes, 0, 1) * scale).astype(int):
        mask[y0:y1, x0:x1] = True
    return mask


def best_pixels(values: np.ndarray, count: int) -> np.ndarray:
    """Exactly `count` greatest pixels; among equal ones those that come first in rows."""
    chosen = np.zeros(values.size, bool)
    chosen[np.argsort(-values, axis=None, kind="stable")[:count]] = True
    return chosen.reshape(values.shape)


def greatest(values: np.ndarray, box: np.ndarray) -> float:
    """The greatest value of a map (h, w) in a box (4,) of 0..1, which has one cell at least."""
    height, width = values.shape
    x0, y0, x1, y1 = box * np.array([width, height, width, height])
    rows = slice(int(y0), max(int(y0) + 1, int(np.ceil(y1))))
    columns = slice(int(x0), max(int(x0) + 1, int(np.ceil(x1))))
    return float(values[rows, columns].max())


def ciou(predicted: np.ndarray, truth: np.ndarray) -> float:
    """cIoU of two boolean masks."""
    hit = np.count_nonzero(predicted & truth)
    whole = np.count_nonzero(truth) + np.count_nonzero(predicted & ~truth)
    return hit / whole if whole else 0.0


def true_size(values: np.ndarray, truth: np.ndarray) -> float:
    """cIoU where as many pixels count as predicted as the truth has."""
    return ciou(best_pixels(values, int(truth.sum())), truth)


def median_rule(values: np.ndarray, truth: np.ndarray) -> float:
    """cIoU where the best half of the picture counts as predicted."""
    return ciou(best_pixels(values, values.size // 2), truth)


def bootstrap(samples: np.ndarray, seed: int = 0, draws: int = 10_000) -> Interval:
    """The mean of `samples` (n,) with its percentile bootstrap interval."""
    rng = np.random.default_rng(seed)
    means = rng.choice(samples, (draws, len(samples))).mean(1)
    low, high = np.percentile(means, [2.5, 97.5])
    return Interval(float(samples.mean()), float(low), float(high))


def sign_test(differences: np.ndarray) -> float:
    """Two-sided p of a sign test that differences are as often above 0 as below."""
    from scipy.stats import binomtest

    above, below = int((differences > 0).sum()), int((differences < 0).sum())
    return float(binomtest(above, above + below).pvalue) if above + below else 1.0
