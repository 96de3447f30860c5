"""Numbers about a whole set of items, and about the pixels of some."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

STEPS = [0.05 * i for i in range(21)]  # 0.15000000000000002 and all: originals compare with these


def success(ciou: np.ndarray, at: float = 0.5) -> float:
    """The share of items (n,) whose cIoU is at least `at`. Not a number counts as failure."""
    return float(np.mean(np.asarray(ciou) >= at))


def auc(ciou: np.ndarray) -> float:
    """The area under the success curve over 21 thresholds from 0 to 1, by trapezoids."""
    return float(np.trapezoid([success(ciou, step) for step in STEPS], STEPS))


def areas(ciou: np.ndarray) -> np.ndarray:
    """What each item adds to `auc`, in the shape of `ciou`: their mean is the area."""
    reached = np.asarray(ciou)[..., None] >= np.array(STEPS)
    return np.trapezoid(reached.astype(float), STEPS, axis=-1)


def grouped(ciou: np.ndarray, groups: Sequence[str]) -> np.ndarray:
    """The least cIoU of each group, (g,): all objects of a picture have to be found (IIoU)."""
    least: dict[str, float] = {}
    for value, group in zip(ciou, groups, strict=True):
        least[group] = min(value, least.get(group, value))
    return np.array(list(least.values()))


def harmonic(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The harmonic mean of two shares; 0 where both are."""
    both = np.asarray(a + b)
    return 2 * a * b / np.where(both > 0, both, 1)


def summary(ciou: np.ndarray, suffix: str = "") -> Mapping[str, float]:
    """Success at 0.5, area and mean of cIoU (n,)."""
    return {
        f"ciou{suffix}": success(ciou),
        f"auc{suffix}": auc(ciou),
        f"mean_ciou{suffix}": float(np.mean(ciou)),
    }


def average_precision(called: np.ndarray, hits: np.ndarray) -> np.ndarray:
    """Average precision of pixels that lie on levels; those of one level count together.

    Args:
        called: how many lie on each level, from the least, (..., levels).
        hits: how many of them belong to the truth.

    Returns:
        (...); 0 where nothing belongs to the truth.
    """
    above, found = (counts[..., ::-1].cumsum(-1) for counts in (called, hits))
    precision = found / np.maximum(above, 1)
    there = np.maximum(found[..., -1], 1)
    return np.sum(precision * np.diff(found, axis=-1, prepend=0), axis=-1) / there


def auroc(values: np.ndarray, positive: np.ndarray, times: np.ndarray) -> np.ndarray:
    """How often a positive has the greater value, ties counted half.

    Args:
        values, positive: of n items.
        times: how often each of them stands in each of b lists, (b, n).

    Returns:
        (b,); not a number where all are positive, or none is.
    """
    order = np.argsort(values, kind="stable")
    starts = np.unique(values[order], return_index=True)[1]
    both = ((times * which)[:, order] for which in (positive, ~positive))
    up, down = (np.add.reduceat(counts, starts, axis=1) for counts in both)
    lower = down.cumsum(axis=1) - down
    pairs = up.sum(1) * down.sum(1)
    won = np.sum(up * (lower + down / 2), axis=1)
    return np.where(pairs > 0, won / np.maximum(pairs, 1), np.nan)
