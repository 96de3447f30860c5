"""From correlations to a probability that a visible object sounds."""

from __future__ import annotations

from typing import Any

import numpy as np

TRAITS = 3
SILENT = 1e-4  # root mean square under which a wave counts as silent: -80 dB of full scale


def traits(values: np.ndarray, strength: float) -> np.ndarray:
    """What the confidence is read from: the correlation's top, its spread, what the sound tells.

    Args:
        values: the map (h, w).
        strength: of the sound, see `TwoStream.strength`; noise and silence have little.

    Returns:
        (3,): mean of the best tenth of the cells, that less the median, logarithm of `strength`.
    """
    ordered = np.sort(values, axis=None)
    top = float(ordered[-max(1, ordered.size // 10) :].mean())
    return np.array([top, top - float(np.median(ordered)), np.log(strength + 0.01)])


def is_calibration(entry: object) -> bool:
    """Whether `confidence` can go by `entry`, of whatever kind and source it is."""
    if not isinstance(entry, dict):
        return False
    weights, bias = entry.get("weights"), entry.get("bias")
    if not isinstance(weights, list) or len(weights) != TRAITS:
        return False
    numbers = [*weights, bias]
    return all(isinstance(one, int | float) and np.isfinite(one) for one in numbers)


def confidence(observed: np.ndarray, level: float, calibration: dict[str, Any]) -> float:
    """Probability in 0..1: a logistic model of `traits` (Platt 1999); 0 where the wave is silent.

    `calibration` holds ``weights`` (3 numbers) and ``bias``, fitted on matched, mismatched and
    silent pairs; `level` is the wave's root mean square.
    """
    if level < SILENT:
        return 0.0
    score = float(np.dot(calibration["weights"], observed)) + calibration["bias"]
    return float(1 / (1 + np.exp(-np.clip(score, -30, 30))))
