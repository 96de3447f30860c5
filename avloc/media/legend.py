"""The legend: a small colour bar that says which colour is low and which is high."""

from __future__ import annotations

import numpy as np

from avloc.media.heat import colour_rows
from avloc.media.text import margin, paste, plate, text_size, written


def legend(colours: np.ndarray, height: int, width: int) -> np.ndarray | None:
    """``low [colours] high`` on a dark plate, for a picture of `height` x `width` pixels.

    Args:
        colours: (256, 3) uint8.

    Returns:
        (h, w, 4) uint8 RGBA; None where the picture has no room for it.
    """
    size = max(9, round(0.75 * text_size(height, width)))
    low, high = written("low", size), written("high", size)
    gap, pad = round(0.5 * size), round(0.3 * size)
    bar_width, bar_height = 7 * size, max(3, round(0.55 * size))
    total = low.shape[1] + bar_width + high.shape[1] + 2 * gap + 4 * pad
    if total > width - 2 * margin(height, width) or 4 * size > height:
        return None
    result = plate(low.shape[0] + 2 * pad, total, 0.4 * size)
    bar = np.full((bar_height, bar_width, 4), 255, np.uint8)
    bar[..., :3] = colours[colour_rows(np.linspace(0, 1, bar_width))]
    left = 2 * pad
    paste(low, result, pad, left)
    left += low.shape[1] + gap
    paste(bar, result, (result.shape[0] - bar_height) // 2, left)
    paste(high, result, pad, left + bar_width + gap)
    return result
