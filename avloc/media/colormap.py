"""Colour maps as tables of 256 RGB colours, each a short polynomial per channel.

The coefficients are our least-squares Chebyshev fits to the colours of the maps of the same names:
turbo (Mikhailov, "Turbo, an improved rainbow colormap", 2019), viridis and inferno (Smith and
van der Walt, 2015; perceptually uniform), cividis (Nunez, Anderton and Renslow, PLOS ONE 2018;
made for colour-blind readers). They differ from the originals by at most 10 of 255.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.polynomial.chebyshev import chebval

from avloc.registry import Registry

COLORMAPS: Registry[np.ndarray] = Registry("colour map")


def table(red: Sequence[float], green: Sequence[float], blue: Sequence[float]) -> np.ndarray:
    """(256, 3) uint8 from each channel's Chebyshev coefficients over the map's range."""
    position = np.linspace(-1.0, 1.0, 256)
    channels = [chebval(position, coefficients) for coefficients in (red, green, blue)]
    colours = np.round(255.0 * np.clip(np.stack(channels, axis=1), 0.0, 1.0)).astype(np.uint8)
    colours.setflags(write=False)
    return colours


# fmt: off
COLORMAPS.add("turbo", table(
    (0.5053, 0.3104, -0.1202, -0.2318, -0.0466, 0.0971, -0.0161, -0.0358, 0.0239,
     0.0007, -0.0158),
    (0.4371, -0.0968, -0.4614, 0.0679, 0.081, 0.0039, -0.0118, -0.0033, -0.0032,
     -0.0001, 0.0019),
    (0.3539, -0.3585, -0.1213, 0.2263, -0.1466, 0.0417, 0.0459, -0.0233, -0.0179,
     -0.0003, 0.0124),
))
COLORMAPS.add("viridis", table(
    (0.4089, 0.2978, 0.2553, 0.0798, -0.033, -0.0197, -0.0021, 0.0073),
    (0.5187, 0.4546, -0.0574, -0.0049, -0.0084, 0.0007, 0.0022, 0.0008),
    (0.3763, -0.1466, -0.17, 0.0212, 0.015, 0.0287, 0.0139, 0.0045),
))
COLORMAPS.add("cividis", table(
    (0.4885, 0.51, -0.0042, 0.0101, 0.0047, -0.0152, 0.0123, -0.0089, 0.0021),
    (0.5019, 0.3807, 0.0185, 0.0049, 0.0008, 0.0003, 0.0005, 0.0004, 0.0001),
    (0.3774, -0.0526, -0.0964, -0.017, -0.0199, 0.02, -0.0105, 0.004, 0.0039),
))
COLORMAPS.add("inferno", table(
    (0.5907, 0.5325, -0.1324, -0.05, 0.0202, 0.0087, 0.0138, 0.0006, 0.0034),
    (0.3773, 0.4988, 0.1464, 0.0056, -0.0188, -0.0069, -0.0061, 0.0046, -0.0018),
    (0.281, 0.1085, 0.0067, 0.2313, 0.0505, -0.0026, -0.0105, -0.0244, 0.001),
))
COLORMAPS.add("grey", table((0.5, 0.5), (0.5, 0.5), (0.5, 0.5)))
# fmt: on
