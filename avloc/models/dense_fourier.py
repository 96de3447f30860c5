"""Fourier transforms as products with a matrix of waves, for what ONNX Runtime runs.

Its own transforms take one core and twice the time of such a product, which takes all cores.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode


class DenseFourier(TorchFunctionMode):
    """While it is entered, `torch.stft` and `torch.fft.rfft` of short real segments are dense."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[Any],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        known: dict[Any, Callable[..., Tensor]] = {torch.stft: _stft, torch.fft.rfft: _rfft}
        return known.get(func, func)(*args, **(kwargs or {}))


def _waves(span: int) -> Tensor:
    """Cosines, then falling sines, of every frequency: (2, span // 2 + 1, span).

    Made anew each time: a program keeps how they are made, not megabytes of them.
    """
    turn = torch.arange(span // 2 + 1)[:, None] * torch.arange(span) % span
    angle = turn.to(torch.float32) * (2 * torch.pi / span)
    return torch.stack([torch.cos(angle), -torch.sin(angle)])


def _transform(segments: Tensor, span: int, first: int = 0) -> Tensor:
    """(..., s) -> complex (..., span // 2 + 1), of segments with silence before `first` and after
    their end."""
    waves = _waves(span)[..., first : first + segments.shape[-1]]
    both = segments @ waves.flatten(0, 1).T
    return torch.complex(*both.chunk(2, -1))


def _rfft(segments: Tensor, n: int | None = None) -> Tensor:
    return _transform(segments, n or segments.shape[-1])


def _stft(
    input: Tensor,
    n_fft: int,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: Tensor | None = None,
    center: bool = True,
    pad_mode: str = "reflect",
    normalized: bool = False,
    onesided: bool | None = None,
    return_complex: bool | None = None,
    align_to_window: bool | None = None,
) -> Tensor:
    odd = onesided is False or not return_complex or align_to_window
    if odd or window is None or hop_length is None:
        told = (hop_length, win_length, window, center, pad_mode, normalized, onesided)
        return torch.stft(input, n_fft, *told, return_complex=return_complex)
    if center:
        half = n_fft // 2
        input = functional.pad(input[:, None], (half, half), mode=pad_mode)[:, 0]
    first = (n_fft - len(window)) // 2  # the window stands in the middle, silence around it
    signal = input[:, first : input.shape[1] - (n_fft - len(window) - first)]
    spectra = _transform(signal.unfold(-1, len(window), hop_length) * window, n_fft, first)
    return (spectra / n_fft**0.5 if normalized else spectra).transpose(1, 2)
