"""Numbers about a whole set of items."""

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


def grouped(ciou: np.ndarray, groups: Sequence[str]) -> np.ndarray:
    """The least cIoU of each group, (g,): all objects of a picture have to be found (IIoU)."""
    least: dict[str, float] = {}
    for value, group in zip(ciou, groups, strict=True):
        least[group] = min(value, least.get(group, value))
    return np.array(list(least.values()))


def harmonic(a: float, b: float) -> float:
    """The harmonic mean of two shares; 0 where both are."""
    return 2 * a * b / (a + b) if a + b else 0.0


def summary(ciou: np.ndarray, suffix: str = "") -> Mapping[str, float]:
    """Success at 0.5, area and mean of cIoU (n,)."""
    return {
        f"ciou{suffix}": success(ciou),
        f"auc{suffix}": auc(ciou),
        f"mean_ciou{suffix}": float(np.mean(ciou)),
    }
