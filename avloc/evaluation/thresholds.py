"""Universal thresholds: one for all heatmaps of a method, made of what it gives to foreign sounds.

As in vssl_eval (Juanola et al., arXiv 2410.01020).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from avloc.errors import DataError
from avloc.evaluation.kernels import Kernel


@dataclass(frozen=True)
class Thresholds:
    """Universal thresholds of one method, made of the greatest values of its negative maps.

    Attributes:
        max: The greatest of them.
        max10: The mean of the ten greatest.
        maxq3: Their third quartile.
        double: Compare these in float64 (what the original does to SSL-TIE by accident).
        kernel: How the original enlarges the method's positive maps; None: as the protocol says.
    """

    max: float
    max10: float
    maxq3: float
    double: bool = False
    kernel: Kernel | None = None

    @classmethod
    def of(cls, greatest: np.ndarray) -> Thresholds:
        """From the greatest value of each negative map, (n,).

        Raises:
            DataError: there is none.
        """
        if not len(greatest):
            raise DataError("negatives: no map under another sound is left to make thresholds of")
        ordered = np.sort(greatest)
        return cls(
            float(ordered[-1]), float(ordered[-10:].mean()), float(np.percentile(ordered, 75))
        )

    def above(self, values: np.ndarray, name: str) -> np.ndarray:
        """The pixels above a threshold: "05" for one half, or "max", "max10", "maxq3"."""
        at = 0.5 if name == "05" else getattr(self, name)
        # A double on the right makes NumPy compare doubles.
        return values > (np.float64(at) if self.double and name != "05" else np.float32(at))


PUBLISHED = {
    "sslalign": Thresholds(0.266, 0.2926, 0.3175),
    "slavc": Thresholds(0.5201, 0.5721, 0.545, kernel="torch-bilinear-corners"),
    "ezvsl": Thresholds(0.6041, 0.6645, 0.6382, kernel="torch-bilinear-corners"),
    "ssltie": Thresholds(0.2641, 0.2906, 0.3338, double=True, kernel="opencv-linear"),
}
"""Constants of the original's main(), for its copies of the weights."""
