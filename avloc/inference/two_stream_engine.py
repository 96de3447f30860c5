"""The engine of a network of avloc's own: its features, its views, its calibration."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from avloc.errors import UsageError
from avloc.features.image import fit
from avloc.features.spectrogram import RATE
from avloc.features.windows import grid_times, window_at
from avloc.inference.engine import Evidence, choose_device
from avloc.inference.runners import Runner, TorchRunner
from avloc.models.confidence import confidence, traits
from avloc.models.fused import can_fuse, fuse
from avloc.models.graphs import HOP
from avloc.models.mobile import fold_norms
from avloc.models.scales import QUALITIES, mean_map, view_size, views
from avloc.models.two_stream import NetworkConfig, TwoStream
from avloc.models.weights import BUNDLED, Header, load_weights


class TwoStreamEngine:
    """A network made ready for inference.

    Attributes:
        id: the model's name.
        rate: Hz of the waves it hears.
        window: seconds of sound it hears at once.
    """

    rate = RATE
    moving = False

    def __init__(
        self,
        network: TwoStream | Runner,
        header: Header[NetworkConfig],
        device: torch.device | str = "cpu",
        quality: str = "default",
    ) -> None:
        if quality not in QUALITIES:
            raise UsageError(f"unknown quality {quality!r}; use {' or '.join(QUALITIES)}")
        self.id = header.id
        self.header = header
        self.quality = quality
        if isinstance(network, TwoStream):
            network = _made_ready(network, torch.device(device))
        self.runner = network
        self.window = header.network.window

    @property
    def device(self) -> torch.device:
        """Where the network runs."""
        return self.runner.device

    @classmethod
    def load(
        cls, path: Path | None = None, device: str = "auto", quality: str = "default"
    ) -> TwoStreamEngine:
        """From a weight file; without one, the bundled model."""
        return cls(*load_weights(path or BUNDLED), choose_device(device), quality)

    def hear(self, windows: np.ndarray) -> Evidence:
        """Windows (b, n) float32 at `rate`, n = window * rate -> what is heard in the middle."""
        level = np.sqrt(np.mean(np.square(windows, dtype=np.float64), axis=1))
        return Evidence(self.runner.hear(windows), level.astype(np.float32), self.header.tags)

    def excerpts(self, wave: np.ndarray) -> np.ndarray:
        """The windows (k, n), `HOP` seconds apart, that together stand for a whole wave (N,)."""
        times = grid_times(len(wave), self.rate, HOP)
        return np.stack([window_at(wave, self.rate, float(t), self.window) for t in times])

    def prepare(self, frame: np.ndarray, following: np.ndarray | None = None) -> np.ndarray:
        """A frame (H, W, 3) uint8 RGB -> (3, h, w) uint8 at the size the network takes."""
        height, width = frame.shape[:2]
        return fit(frame, view_size(height, width, self.header.network.area, self.quality))

    def prepare_item(self, frame: np.ndarray, following: np.ndarray | None = None) -> np.ndarray:
        """As `prepare`: benchmarks are looked at like any picture."""
        return self.prepare(frame)

    def look(
        self, prepared: np.ndarray, evidence: Evidence | None
    ) -> list[tuple[np.ndarray, float]]:
        """Prepared frames (b, 3, h, w) and what is heard with each -> values and confidence.

        Without evidence the values are the image-only prior: the correlation with what an unnamed
        sound embeds to, and the confidence is that for a sound that could be named.
        """
        count, config = len(prepared), self.header.network
        heard = (
            np.zeros((count, config.tags), np.float32) if evidence is None else evidence.features
        )
        frames = torch.from_numpy(np.require(prepared, requirements="W"))
        looks = [
            self.runner.look(view.numpy(), heard)
            for view in views(frames, config.area, self.quality)
        ]
        values = mean_map([torch.from_numpy(each[0]) for each in looks]).numpy()
        strength = level = np.ones(count)
        if evidence is not None:
            strength, level = looks[0][1], evidence.level
        calibration = self.header.calibration[self.quality]
        return [
            (grid, confidence(traits(grid, float(much)), float(loud), calibration))
            for grid, much, loud in zip(values, strength, level, strict=True)
        ]

    def objects(self, prepared: np.ndarray) -> np.ndarray:
        """Prepared frames (b, 3, h, w) -> where things are, whatever sounds: (b, h', w')."""
        if prepared.dtype != np.uint8:  # another engine's
            prepared = np.rint(prepared.clip(0, 1) * 255).astype(np.uint8)
        return self.runner.objects(prepared)


def _made_ready(network: TwoStream, device: torch.device) -> TorchRunner:
    network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    folded = fold_norms(network)
    if device.type == "cpu" and can_fuse():
        fuse(folded)
    return TorchRunner(folded, device)
