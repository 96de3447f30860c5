"""Batches in, heatmap values out: the network with its features and its calibration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from avloc.errors import EnvironmentProblem, UsageError
from avloc.features.image import fit
from avloc.features.spectrogram import RATE, log_mel
from avloc.models.confidence import SILENT, confidence, traits
from avloc.models.fused import can_fuse, fuse
from avloc.models.mobile import fold_norms
from avloc.models.scales import QUALITIES, correlations, view_size
from avloc.models.two_stream import TwoStream
from avloc.models.weights import BUNDLED, Header, load_weights
from avloc.types import Tag

LEAST_TAG = 0.1  # probability under which a sound class is not named
MOST_TAGS = 5


@dataclass(frozen=True)
class Evidence:
    """What is heard at some moments.

    Attributes:
        probability: (b, tags) float32, of each sound class.
        level: (b,) float32, root mean square of the wave, 1 = full scale.
        names: the sound classes.
    """

    probability: np.ndarray
    level: np.ndarray
    names: Sequence[str]

    @property
    def tags(self) -> list[tuple[Tag, ...]]:
        """For each moment what sounds, most probable first; nothing where all is silent."""
        heard = zip(self.probability, self.level, strict=True)
        return [self._named(row) if level >= SILENT else () for row, level in heard]

    def _named(self, row: np.ndarray) -> tuple[Tag, ...]:
        order = np.argsort(-row, kind="stable")[:MOST_TAGS]
        return tuple(Tag(self.names[i], float(row[i])) for i in order if row[i] >= LEAST_TAG)

    def __len__(self) -> int:
        return len(self.level)

    def __getitem__(self, which: slice) -> Evidence:
        return Evidence(self.probability[which], self.level[which], self.names)

    @staticmethod
    def join(parts: list[Evidence]) -> Evidence:
        """Several in one, in their order."""
        return Evidence(
            np.concatenate([part.probability for part in parts]),
            np.concatenate([part.level for part in parts]),
            parts[0].names,
        )

    def mean(self) -> Evidence:
        """All moments as one: mean probabilities, and the level of the whole."""
        level = np.sqrt(np.mean(np.square(self.level), keepdims=True))
        return Evidence(self.probability.mean(0, keepdims=True), level, self.names)


def choose_device(name: str = "auto") -> torch.device:
    """``auto`` takes cuda, then mps, then cpu; a device that is not there is an error."""
    if name == "auto":
        mps = torch.backends.mps.is_available()
        return torch.device("cuda" if torch.cuda.is_available() else "mps" if mps else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise UsageError(f"--device {name}: not a device; use auto, cpu, cuda or mps") from None
    try:
        torch.zeros(1, device=device).item()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise EnvironmentProblem(f"--device {name}: not usable here ({reason})") from None
    return device


class Engine:
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
    ) -> Engine:
        """From a weight file; without one, the bundled model."""
        return cls(*load_weights(path or BUNDLED), choose_device(device), quality)

    @torch.inference_mode()
    def hear(self, windows: np.ndarray) -> Evidence:
        """Windows (b, n) float32 at `rate`, n = window * rate -> what is heard in the middle."""
        waves = torch.from_numpy(np.require(windows, np.float32, ["C", "W"])).to(self.device)
        probability = self.network.middle(self.network.hear(log_mel(waves)))
        level = np.sqrt(np.mean(np.square(windows, dtype=np.float64), axis=1))
        return Evidence(probability.cpu().numpy(), level.astype(np.float32), self.header.tags)

    def prepare(self, frame: np.ndarray) -> np.ndarray:
        """A frame (H, W, 3) uint8 RGB -> (3, h, w) uint8 at the size the network takes."""
        height, width = frame.shape[:2]
        return fit(frame, view_size(height, width, self.network.config.area, self.quality))

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
            probability = torch.from_numpy(evidence.probability).to(self.device)
            strength = self.network.strength(probability).cpu().numpy()
            level = evidence.level
        sounds = self.network.embed(probability)
        values = correlations(self.network, frames, sounds, self.quality)
        calibration = self.header.calibration[self.quality]
        return [
            (grid, confidence(traits(grid, float(much)), float(loud), calibration))
            for grid, much, loud in zip(values.cpu().numpy(), strength, level, strict=True)
        ]
