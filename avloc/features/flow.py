"""Optical flow from one frame to the next, as HearTheFlow keeps it: as two grey pictures.

Fedorishin et al. 2023 (arXiv 2211.03019), preprocess/preprocess_flickr_test.py of their repository:
Farneback's method as OpenCV has it, x and y in pixels, each cut off to 0..255 as grey values are.
So what moves to the left, or upwards, is as grey as what does not move. They store JPEG; here
nothing is lost to that.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np

STILL = 0
"""The grey value of a place that does not move."""

SETTINGS: dict[str, Any] = {
    "pyr_scale": 0.5,
    "levels": 3,
    "winsize": 15,
    "iterations": 3,
    "poly_n": 5,
    "poly_sigma": 1.2,
    "flags": 0,
}


def flow_lacks() -> str:
    """What keeps this installation from seeing motion, as a sentence; "" where nothing does."""
    if find_spec("cv2") is not None:
        return ""
    return (
        "the maps are made as if nothing moved: optical flow needs OpenCV "
        "(pip install 'avloc[flow]')"
    )


def flow_pictures(frame: np.ndarray, following: np.ndarray | None) -> np.ndarray:
    """Motion from a frame (H, W, 3) uint8 RGB to the one that follows: (2, H, W) uint8, x and y.

    `STILL` everywhere without a following frame, or without OpenCV (`flow_lacks`).
    """
    if following is None or flow_lacks():
        return np.full((2, *frame.shape[:2]), STILL, np.uint8)
    import cv2

    first, second = (cv2.cvtColor(each, cv2.COLOR_RGB2GRAY) for each in (frame, following))
    nothing: Any = None  # to begin with
    motion = cv2.calcOpticalFlowFarneback(first, second, nothing, **SETTINGS)
    return np.rint(motion).clip(0, 255).astype(np.uint8).transpose(2, 0, 1)
