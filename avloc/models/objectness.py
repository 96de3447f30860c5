"""Where things are in a picture, whatever sounds: object-guided localization (OGL)."""

from __future__ import annotations

from torch import Tensor


def objectness(features: Tensor) -> Tensor:
    """Mean magnitude of a trunk's last features: (b, c, h, w) -> (b, h, w), 0 and more.

    Mo and Morgado 2022 (EZ-VSL, arXiv 2203.09324), section 3.4, and its successors take those of a
    ResNet-18 that classifies ImageNet.
    """
    return features.abs().mean(1)
