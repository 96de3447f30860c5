"""Colour maps as tables of 256 RGB colours."""

from __future__ import annotations

import numpy as np

from avloc.registry import Registry

COLORMAPS: Registry[np.ndarray] = Registry("colour map")
COLORMAPS.add("grey", np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1))
COLORMAPS.add("turbo", COLORMAPS["grey"])
