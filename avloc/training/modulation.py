"""On-the-fly gradient modulation: the tower that learns faster is slowed down.

Peng et al. 2022, Balanced Multimodal Learning via On-the-fly Gradient Modulation
(arXiv 2203.15332), eq. 7 to 11. The paper scores a modality by the probability that its part of a
classifier gives the right class. A correlation has no such parts, so that here the score is how
well a modality tells the clips of a batch apart by itself: the probability of a clip among all by
the cosines of its embedding with all embeddings of the same modality.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional

TEMPERATURE = 0.07


@torch.no_grad()
def telling(embeddings: Tensor) -> Tensor:
    """How well embeddings (n, c) tell their clips apart: a scalar in 0..1, 1/n for all alike."""
    units = functional.normalize(embeddings)
    return (units @ units.T / TEMPERATURE).softmax(1).diagonal().mean()


def factors(image: float, sound: float, strength: float) -> tuple[float, float]:
    """What the gradients of both towers are multiplied by: 1 - tanh(strength * ratio), or 1."""

    def factor(own: float, other: float) -> float:
        ratio = own / max(other, 1e-6)
        return 1 - math.tanh(strength * ratio) if ratio > 1 else 1.0

    return factor(image, sound), factor(sound, image)


@torch.no_grad()
def modulate(parameters: Iterable[nn.Parameter], factor: float) -> None:
    """Scale the gradients of convolutions, and add noise as wide as they were (OGM-GE).

    The noise gives back the variance that scaling takes (eq. 11); it is drawn by the default
    generator.
    """
    if factor == 1.0:
        return
    for parameter in parameters:
        if parameter.grad is not None and parameter.ndim == 4:
            spread = parameter.grad.std(correction=0) + 1e-8
            parameter.grad.mul_(factor).add_(torch.randn_like(parameter.grad) * spread)
