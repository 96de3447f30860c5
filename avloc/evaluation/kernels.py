"""Enlarging heatmaps exactly as OpenCV and torch do, to the last bit of float32, on any machine.

Published protocols decide pixel by pixel whether an enlarged map lies above one of its own values,
so a last bit can move a pixel. Every kernel here is separable, across first and then down; what
differs is where an output pixel reads the input, its weights, and in which order and with which
roundings the products are added. "Fused" is a product added to a sum with one rounding, as the
processors that the published numbers come from do.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Literal, NamedTuple, get_args

import numpy as np

from avloc.evaluation.compiled import compiled

Kernel = Literal[
    "opencv-linear",
    "opencv-cubic",
    "torch-bilinear",
    "torch-bilinear-corners",
    "torch-bicubic",
    "torch-bicubic-corners",
]
KERNELS: tuple[Kernel, ...] = get_args(Kernel)

_ONE, _A = np.float32(1), np.float32(-0.75)  # the cubic's slope, the same in both libraries


class Taps(NamedTuple):
    """For each of n output samples of an axis the k input samples read, (k, n), and weights."""

    source: np.ndarray
    weight: np.ndarray


def enlarge(values: np.ndarray, kernel: Kernel, size: tuple[int, int]) -> np.ndarray:
    """`values` (h, w) float32 resampled to `size` = (height, width), float32."""
    down, across = taps(values.shape[0], size[0], kernel), taps(values.shape[1], size[1], kernel)
    return _across_and_down(values, *across, *down, _SUMS[kernel])


def heighten(rows: np.ndarray, kernel: Kernel, height: int) -> np.ndarray:
    """One axis: `rows` (h, w) float32 resampled to (height, w)."""
    return _resample(rows, *taps(rows.shape[0], height, kernel), _SUMS[kernel])


@lru_cache(maxsize=64)
def taps(n_in: int, n_out: int, kernel: Kernel) -> Taps:
    """Where the samples of an axis come from."""
    found = Taps(*(np.stack(rows) for rows in _TAPS[kernel](n_in, n_out)))
    for array in found:
        array.setflags(write=False)
    return found


def _fused(a: np.ndarray, b: np.ndarray | np.float32, c: np.ndarray | np.float32) -> np.ndarray:
    """a * b + c rounded once: float64 holds the product of two float32 exactly."""
    return (np.multiply(a, b, dtype=np.float64) + c).astype(np.float32)


def _opencv_linear(n_in: int, n_out: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    position = (np.arange(n_out) + 0.5) * (n_in / n_out) - 0.5
    low = np.floor(position).astype(int)
    # The border is replicated by clamping the position.
    share = np.where((low < 0) | (low >= n_in - 1), 0, position - low).astype(np.float32)
    low = np.clip(low, 0, n_in - 1)
    return [low, np.minimum(low + 1, n_in - 1)], [_ONE - share, share]


def _opencv_cubic(n_in: int, n_out: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    position = (np.arange(n_out) + 0.5) * (n_in / n_out) - 0.5
    low = np.floor(position).astype(int)
    x = (position - low).astype(np.float32)
    x1, x2 = x + _ONE, _ONE - x
    five, eight, four = np.float32(5) * _A, np.float32(8) * _A, np.float32(4) * _A
    first = ((_A * x1 - five) * x1 + eight) * x1 - four
    second = ((_A + 2) * x - (_A + 3)) * x * x + _ONE
    third = ((_A + 2) * x2 - (_A + 3)) * x2 * x2 + _ONE
    return _around(low, n_in), [first, second, third, _ONE - first - second - third]


def _torch_positions(n_in: int, n_out: int, corners: bool) -> np.ndarray:
    at = np.arange(n_out, dtype=np.float32)
    if corners:
        return at * (np.float32(n_in - 1) / np.float32(max(n_out - 1, 1)))
    return _fused(at + np.float32(0.5), np.float32(n_in) / np.float32(n_out), np.float32(-0.5))


def _torch_bilinear(
    n_in: int, n_out: int, corners: bool = False
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    position = np.maximum(_torch_positions(n_in, n_out, corners), np.float32(0))
    low = np.minimum(position.astype(int), n_in - 1)
    share = np.clip(position - low.astype(np.float32), np.float32(0), _ONE)
    return [low, np.minimum(low + 1, n_in - 1)], [_ONE - share, share]


def _torch_bicubic(
    n_in: int, n_out: int, corners: bool = False
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    position = _torch_positions(n_in, n_out, corners)
    low = np.floor(position).astype(int)
    x = position - low.astype(np.float32)

    def near(x: np.ndarray) -> np.ndarray:
        return _fused(x, _A + 2, -(_A + 3)) * x * x + _ONE

    def far(x: np.ndarray) -> np.ndarray:
        # Two of the three additions are fused.
        return _fused(_fused(x, _A, -5 * _A), x, 8 * _A) * x - 4 * _A

    rest = _ONE - x
    return _around(low, n_in), [far(x + _ONE), near(x), near(rest), far(rest + _ONE)]


def _around(low: np.ndarray, n_in: int) -> list[np.ndarray]:
    return [np.clip(low + step, 0, n_in - 1) for step in (-1, 0, 1, 2)]


@compiled
def _fma(a: np.float32, b: np.float32, c: np.float32) -> np.float32:
    """a * b + c rounded once."""
    return np.float32(np.float64(a) * np.float64(b) + np.float64(c))


_INTERPOLATE, _IN_PAIRS, _CHAIN = range(3)


@compiled
def _interpolated(rows: np.ndarray, source: np.ndarray, weight: np.ndarray) -> np.ndarray:
    out = np.empty((source.shape[1], rows.shape[1]), np.float32)
    for y in range(out.shape[0]):
        a, b, share = rows[source[0, y]], rows[source[1, y]], weight[1, y]
        for x in range(out.shape[1]):
            out[y, x] = _fma(b[x] - a[x], share, a[x])
    return out


@compiled
def _in_pairs(rows: np.ndarray, source: np.ndarray, weight: np.ndarray) -> np.ndarray:
    out = np.empty((source.shape[1], rows.shape[1]), np.float32)
    for y in range(out.shape[0]):
        a, b, c, d = rows[source[0, y]], rows[source[1, y]], rows[source[2, y]], rows[source[3, y]]
        t, u, v, w = weight[0, y], weight[1, y], weight[2, y], weight[3, y]
        for x in range(out.shape[1]):
            out[y, x] = (a[x] * t + b[x] * u) + (c[x] * v + d[x] * w)
    return out


@compiled
def _chained(rows: np.ndarray, source: np.ndarray, weight: np.ndarray) -> np.ndarray:
    out = np.empty((source.shape[1], rows.shape[1]), np.float32)
    for y in range(out.shape[0]):
        a, b, t, u = rows[source[0, y]], rows[source[1, y]], weight[0, y], weight[1, y]
        for x in range(out.shape[1]):
            out[y, x] = _fma(a[x], t, b[x] * u)
        for k in range(2, source.shape[0]):
            c, v = rows[source[k, y]], weight[k, y]
            for x in range(out.shape[1]):
                out[y, x] = _fma(c[x], v, out[y, x])
    return out


@compiled
def _resample(rows: np.ndarray, source: np.ndarray, weight: np.ndarray, order: int) -> np.ndarray:
    """The weighted sum of rows, in the order in which the library adds."""
    if order == _INTERPOLATE:
        return _interpolated(rows, source, weight)
    if order == _IN_PAIRS:
        return _in_pairs(rows, source, weight)
    return _chained(rows, source, weight)


@compiled
def _across_and_down(
    values: np.ndarray,
    source_x: np.ndarray,
    weight_x: np.ndarray,
    source_y: np.ndarray,
    weight_y: np.ndarray,
    order: int,
) -> np.ndarray:
    wide = _resample(values.T.copy(), source_x, weight_x, order)
    return _resample(wide.T.copy(), source_y, weight_y, order)


_TAPS: dict[Kernel, Callable[[int, int], tuple[list[np.ndarray], list[np.ndarray]]]] = {
    "opencv-linear": _opencv_linear,
    "opencv-cubic": _opencv_cubic,
    "torch-bilinear": _torch_bilinear,
    "torch-bilinear-corners": lambda n_in, n_out: _torch_bilinear(n_in, n_out, True),
    "torch-bicubic": _torch_bicubic,
    "torch-bicubic-corners": lambda n_in, n_out: _torch_bicubic(n_in, n_out, True),
}
_SUMS: dict[Kernel, int] = {
    "opencv-linear": _INTERPOLATE,
    "opencv-cubic": _IN_PAIRS,
    **dict.fromkeys(KERNELS[2:], _CHAIN),
}
