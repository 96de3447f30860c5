"""The engine of a network of avloc's own: its features, its views, its calibration."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from avloc.errors import UsageError
from avloc.features.image import fit
from avloc.features.spectrogram import RATE, log_mel
from avloc.features.windows import grid_times, window_at
from avloc.inference.engine import Evidence, choose_device
from avloc.models.confidence import confidence, traits
from avloc.models.fused import can_fuse, fuse
from avloc.models.mobile import fold_norms
from avloc.models.scales import QUALITIES, correlations, view_size
from avloc.models.two_stream import TwoStream
from avloc.models.weights import BUNDLED, Header, load_weights

HOP = 0.5
"""Seconds between the windows that stand for a whole wave."""


class TwoStreamEngine:
    """A network made ready for inference.

    Attributes:
        id: the model's name.
        rate: Hz of the waves it hears.
        window: seconds of sound it hears at once.
    """

    rate = RATE

    def __init__(
        self,
        network: TwoStream,
        header: Header,
        device: torch.device | str = "cpu",
        quality: str = "default",
    ) -> None:
        if quality not in QUALITIES:
            raise UsageError(f"unknown quality {quality!r}; use {' or '.join(QUALITIES)}")
        self.id = header.id
        self.header = header
        self.quality = quality
        self.device = torch.device(device)
        network = network.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.network = fold_norms(network)
        if self.device.type == "cpu" and can_fuse():
            fuse(self.network)
        self.window = header.network.window

    @classmethod
    def load(
        cls, path: Path | None = None, device: str = "auto", quality: str = "default"
    ) -> TwoStreamEngine:
        """From a weight file; without one, the bundled model."""
        return cls(*load_weights(path or BUNDLED), choose_device(device), quality)

    @torch.inference_mode()
    def hear(self, windows: np.ndarray) -> Evidence:
        """Windows (b, n) float32 at `rate`, n = window * rate -> what is heard in the middle."""
        waves = torch.from_numpy(np.require(windows, np.float32, ["C", "W"])).to(self.device)
        probability = self.network.middle(self.network.hear(log_mel(waves)))
        level = np.sqrt(np.mean(np.square(windows, dtype=np.float64), axis=1))
        return Evidence(probability.cpu().numpy(), level.astype(np.float32), self.header.tags)

    def excerpts(self, wave: np.ndarray) -> np.ndarray:
        """The windows (k, n), `HOP` seconds apart, that together stand for a whole wave (N,)."""
        times = grid_times(len(wave), self.rate, HOP)
        return np.stack([window_at(wave, self.rate, float(t), self.window) for t in times])

    def prepare(self, frame: np.ndarray) -> np.ndarray:
        """A frame (H, W, 3) uint8 RGB -> (3, h, w) uint8 at the size the network takes."""
        height, width = frame.shape[:2]
        return fit(frame, view_size(height, width, self.network.config.area, self.quality))

    def prepare_item(self, frame: np.ndarray) -> np.ndarray:
        """As `prepare`: benchmarks are looked at like any picture."""
        return self.prepare(frame)

    @torch.inference_mode()
    def look(
        self, prepared: np.ndarray, evidence: Evidence | None
    ) -> list[tuple[np.ndarray, float]]:
        """Prepared frames (b, 3, h, w) and what is heard with each -> values and confidence.

        Without evidence the values are the image-only prior: the correlation with what an unnamed
        sound embeds to, and the confidence is that for a sound that could be named.
        """
        frames = torch.from_numpy(prepared).to(self.device)
        if evidence is None:
            tags = self.network.config.tags
            probability = torch.zeros(len(prepared), tags, device=self.device)
            strength, level = np.ones(len(prepared)), np.ones(len(prepared))
        else:
            probability = torch.from_numpy(evidence.features).to(self.device)
            strength = self.network.strength(probability).cpu().numpy()
            level = evidence.level
        sounds = self.network.embed(probability)
        values = correlations(self.network, frames, sounds, self.quality)
        calibration = self.header.calibration[self.quality]
        return [
            (grid, confidence(traits(grid, float(much)), float(loud), calibration))
            for grid, much, loud in zip(values.cpu().numpy(), strength, level, strict=True)
        ]
