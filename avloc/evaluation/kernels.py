"""Enlarging heatmaps exactly as OpenCV and torch do, to the last bit of float32, on any machine.

Published protocols decide pixel by pixel whether an enlarged map lies above one of its own values,
so a last bit can move a pixel. Every kernel here is separable, across first and then down; what
differs is where an output pixel reads the input, its weights, and in which order and with which
roundings the products are added. "Fused" is a product added to a sum with one rounding, as the
processors that the published numbers come from do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Literal, NamedTuple, get_args

import numpy as np

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
    return heighten(widen(values, kernel, size[1]), kernel, size[0])


def widen(values: np.ndarray, kernel: Kernel, width: int) -> np.ndarray:
    """The first half of `enlarge`: (h, w) to (h, width)."""
    across = taps(values.shape[1], width, kernel)
    return combine(kernel, [values.take(i, axis=1) for i in across.source], across.weight)


def heighten(wide: np.ndarray, kernel: Kernel, height: int) -> np.ndarray:
    """The second half of `enlarge`: (h, w) to (height, w). `combine` in place, and so faster."""
    source, weight = taps(wide.shape[0], height, kernel)
    if kernel == "opencv-cubic":
        return combine(kernel, [wide.take(i, axis=0) for i in source], weight[:, :, None])
    double, scale = wide.astype(np.float64), weight.astype(np.float64)[:, :, None]
    if kernel == "opencv-linear":
        step = wide.take(source[1], axis=0) - wide.take(source[0], axis=0)
        fused = step.astype(np.float64)
        fused *= scale[1]
        fused += double.take(source[0], axis=0)
        return fused.astype(np.float32)
    total = wide.take(source[1], axis=0)
    total *= weight[1][:, None]
    fused = np.empty(total.shape)
    for k in (0, *range(2, len(source))):
        double.take(source[k], axis=0, out=fused, mode="clip")  # "raise" would copy once more
        fused *= scale[k]
        fused += total
        np.copyto(total, fused, casting="same_kind")
    return total


@lru_cache(maxsize=64)
def taps(n_in: int, n_out: int, kernel: Kernel) -> Taps:
    """Where the samples of an axis come from."""
    found = Taps(*(np.stack(rows) for rows in _TAPS[kernel](n_in, n_out)))
    for array in found:
        array.setflags(write=False)
    return found


def combine(
    kernel: Kernel, terms: Sequence[np.ndarray], weights: Sequence[np.ndarray] | np.ndarray
) -> np.ndarray:
    """The weighted sum of `terms`, float32, rounded where the library rounds."""
    return _SUMS[kernel](terms, weights)


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


def _interpolate(t: Sequence[np.ndarray], w: Sequence[np.ndarray] | np.ndarray) -> np.ndarray:
    return _fused(t[1] - t[0], w[1], t[0])


def _in_pairs(t: Sequence[np.ndarray], w: Sequence[np.ndarray] | np.ndarray) -> np.ndarray:
    return (t[0] * w[0] + t[1] * w[1]) + (t[2] * w[2] + t[3] * w[3])


def _chain(t: Sequence[np.ndarray], w: Sequence[np.ndarray] | np.ndarray) -> np.ndarray:
    total = _fused(t[0], w[0], t[1] * w[1])
    for term, weight in zip(t[2:], w[2:], strict=True):
        total = _fused(term, weight, total)
    return total


_TAPS: dict[Kernel, Callable[[int, int], tuple[list[np.ndarray], list[np.ndarray]]]] = {
    "opencv-linear": _opencv_linear,
    "opencv-cubic": _opencv_cubic,
    "torch-bilinear": _torch_bilinear,
    "torch-bilinear-corners": lambda n_in, n_out: _torch_bilinear(n_in, n_out, True),
    "torch-bicubic": _torch_bicubic,
    "torch-bicubic-corners": lambda n_in, n_out: _torch_bicubic(n_in, n_out, True),
}
_SUMS: dict[Kernel, Callable[..., np.ndarray]] = {
    "opencv-linear": _interpolate,
    "opencv-cubic": _in_pairs,
    **dict.fromkeys(KERNELS[2:], _chain),
}
