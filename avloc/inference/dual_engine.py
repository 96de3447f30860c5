"""The engine of a dual encoder: published methods, fed as their own scripts feed them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from avloc.errors import UsageError
from avloc.features.pictures import PICTURES, normalise
from avloc.features.sounds import SOUNDS
from avloc.inference.engine import Evidence, choose_device
from avloc.models.confidence import SILENT
from avloc.models.dual_encoder import DualEncoder
from avloc.models.weights import Header, load_dual


class DualEngine:
    """A dual encoder made ready for inference.

    Attributes:
        id: the model's name.
        rate: Hz of the waves it hears.
        window: seconds of sound it hears at once.
    """

    def __init__(
        self,
        network: DualEncoder,
        header: Header[Any],
        device: torch.device | str = "cpu",
        quality: str = "default",
    ) -> None:
        if quality != "default":
            raise UsageError(f"{header.id} has no quality {quality!r}; published methods have one")
        self.id = header.id
        self.header = header
        self.device = torch.device(device)
        self.network = network.to(self.device).eval()
        self._picture = PICTURES[network.config.picture]
        self._sound = SOUNDS[network.config.waves]
        self.rate = self._sound.rate
        self.window = self._sound.seconds

    @classmethod
    def load(cls, path: Path, device: str = "auto", quality: str = "default") -> DualEngine:
        """From a weight file."""
        return cls(*load_dual(path), choose_device(device), quality)

    @torch.inference_mode()
    def hear(self, windows: np.ndarray) -> Evidence:
        """Windows (b, n) float32 at `rate`, n = window * rate -> their embeddings."""
        waves = torch.from_numpy(np.require(windows, np.float32, ["C", "W"])).to(self.device)
        heard = self.network.hear(self._sound.spectrogram(waves, self.rate))
        level = np.sqrt(np.mean(np.square(windows, dtype=np.float64), axis=1))
        return Evidence(heard.float().cpu().numpy(), level.astype(np.float32))

    def excerpts(self, wave: np.ndarray) -> np.ndarray:
        """What the original hears of a whole wave (N,): one window (1, n)."""
        return self._sound.excerpt(wave)[None]

    def prepare(self, frame: np.ndarray) -> np.ndarray:
        """A frame (H, W, 3) uint8 RGB -> (3, h, w) uint8 or float32 in 0..1, nothing cut off."""
        return self._picture.whole(frame)

    def prepare_item(self, frame: np.ndarray) -> np.ndarray:
        """A frame as the original's evaluation takes it, with its edges cut off where it does."""
        return self._picture.item(frame)

    @torch.inference_mode()
    def look(
        self, prepared: np.ndarray, evidence: Evidence | None
    ) -> list[tuple[np.ndarray, float]]:
        """Prepared frames (b, 3, h, w) and what is heard with each -> values and confidence.

        Values are cosines, whatever the original divides them by.

        Raises:
            UsageError: there is no evidence; these methods say nothing of a picture alone.
        """
        if evidence is None:
            raise UsageError(f"{self.id} needs sound: it has no map of a picture alone")
        frames = normalise(torch.from_numpy(np.require(prepared, requirements="W")).to(self.device))
        heard = torch.from_numpy(evidence.features).to(self.device)
        values = self.network.correlate(self.network.see(frames), heard).cpu().numpy()
        return [
            (grid, _confidence(grid, float(level)))
            for grid, level in zip(values, evidence.level, strict=True)
        ]


def _confidence(values: np.ndarray, level: float) -> float:
    """SLAVC's score of a map in 0..1: the mean of its best quarter (Mo and Morgado 2022, 4.1).

    It ranks maps of one method, but is no probability: nobody calibrated these networks. 0 where
    the wave is silent.
    """
    if level < SILENT:
        return 0.0
    ordered = np.sort(values, axis=None)
    best = float(ordered[-max(1, ordered.size // 4) :].mean())
    return min(1.0, max(0.0, (best + 1) / 2))
