"""How a heatmap becomes opacity and colour: smooth enlargement, relative strength, fade."""

from __future__ import annotations

from functools import lru_cache

import numpy as np


@lru_cache(maxsize=16)
def spline_weights(n_in: int, length: int, pitch: int = 1) -> np.ndarray:
    """The matrix that enlarges one axis of `n_in` cells by the cubic B-spline, replicated border.

    The B-spline has no negative lobes: nothing rings, and the second derivative is continuous, so
    that neither cells nor creases show.

    Args:
        length: pixels the axis covers.
        pitch: pixels a sample of the result; the last one may reach beyond `length`.

    Returns:
        (ceil(length / pitch), n_in) float32; row i samples at pixel ``(i + 0.5) * pitch``.
    """
    n_out = -(-length // pitch)
    position = (np.arange(n_out) + 0.5) * (pitch * n_in / length) - 0.5
    low = np.floor(position).astype(int)
    t = position - low
    taps = ((1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3)
    weights = np.zeros((n_out, n_in), np.float32)
    for step, tap in zip(range(-1, 3), taps, strict=True):
        np.add.at(weights, (np.arange(n_out), np.clip(low + step, 0, n_in - 1)), tap / 6)
    weights.setflags(write=False)
    return weights


def enlarge(values: np.ndarray, height: int, width: int, pitch: int = 1) -> np.ndarray:
    """`values` (h, w) smoothly resampled for a picture of `height` x `width` pixels.

    Returns:
        float32, one sample for each `pitch` x `pitch` pixels, at their centre.
    """
    finite = np.nan_to_num(values.astype(np.float32, copy=False))
    down = spline_weights(values.shape[0], height, pitch)
    across = spline_weights(values.shape[1], width, pitch)
    # Not by BLAS, whose threads spin longer than so small a product takes.
    return np.einsum("yh,xh->yx", down, np.einsum("xw,hw->xh", across, finite))


def strength(field: np.ndarray) -> np.ndarray:
    """The field relative to itself: 0 up to the middle of its range, 1 at the maximum, float32.

    What is above 0 is the region of the mask rule ``half-max``, so that colours end where the
    contour runs. A constant field is 0 everywhere.
    """
    low, top = float(field.min()), float(field.max())
    middle = (low + top) / 2
    if top - low <= 1e-6 * max(1.0, abs(top)):
        return np.zeros(field.shape, np.float32)
    return np.clip((field - middle) / (top - middle), 0.0, 1.0)


def ramp(values: np.ndarray | float, low: float, high: float) -> np.ndarray:
    """0 up to `low`, 1 from `high`, between them the smooth cubic step."""
    t = np.clip((np.asarray(values, np.float32) - low) / (high - low), 0.0, 1.0)
    return t * t * (3 - 2 * t)


def fade(confidence: float) -> float:
    """How visible a heatmap of this confidence is: nothing sounds visibly, nothing is shown.

    Half visible at about the confidence that mismatched pictures and sounds have on average,
    nearly whole at that of matching ones.
    """
    return float(ramp(confidence, 0.05, 0.5))


def colour_rows(relative: np.ndarray) -> np.ndarray:
    """Rows in a table of 256 colours for strengths in 0..1.

    They begin above the table's dark end, which would look like a shadow around the region, and
    end below the other one, where some tables turn dark again.
    """
    return np.rint((0.25 + 0.67 * relative) * 255).astype(np.uint8)


def tint(field: np.ndarray, alpha: float) -> tuple[np.ndarray, np.ndarray]:
    """How an enlarged heatmap (h, w) looks: opacity (h, w) float32 in 0..alpha, and the row (h, w)
    of its colour in a table of 256."""
    relative = strength(field)
    return ramp(relative, 0.0, 0.65) * np.float32(alpha), colour_rows(relative)
