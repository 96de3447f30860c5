"""The engine of a dual encoder: published methods, fed as their own scripts feed them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch

from avloc.errors import UsageError
from avloc.features.flow import flow_pictures
from avloc.features.pictures import PICTURES
from avloc.features.sounds import SOUNDS
from avloc.inference.engine import Evidence, choose_device
from avloc.inference.runners import Runner, TorchRunner
from avloc.models.confidence import SILENT
from avloc.models.dual_encoder import DualConfig, DualEncoder
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
        network: DualEncoder | Runner,
        header: Header[DualConfig],
        device: torch.device | str = "cpu",
        quality: str = "default",
    ) -> None:
        if quality != "default":
            raise UsageError(f"{header.id} has no quality {quality!r}; published methods have one")
        self.id = header.id
        self.header = header
        if isinstance(network, DualEncoder):
            network = TorchRunner(network.to(device).eval(), torch.device(device))
        self.runner = network
        self._picture = PICTURES[header.network.picture]
        self._sound = SOUNDS[header.network.waves]
        self.rate = self._sound.rate
        self.window = self._sound.seconds

    @property
    def device(self) -> torch.device:
        """Where the network runs."""
        return self.runner.device

    @classmethod
    def load(cls, path: Path, device: str = "auto", quality: str = "default") -> DualEngine:
        """From a weight file."""
        return cls(*load_dual(path), choose_device(device), quality)

    def hear(self, windows: np.ndarray) -> Evidence:
        """Windows (b, n) float32 at `rate`, n = window * rate -> their embeddings."""
        level = np.sqrt(np.mean(np.square(windows, dtype=np.float64), axis=1))
        return Evidence(self.runner.hear(windows), level.astype(np.float32))

    def excerpts(self, wave: np.ndarray) -> np.ndarray:
        """What the original hears of a whole wave (N,): one window (1, n)."""
        return self._sound.excerpt(wave)[None]

    @property
    def moving(self) -> bool:
        """Whether the network sees motion, too."""
        return self.header.network.flow

    def prepare(self, frame: np.ndarray, following: np.ndarray | None = None) -> np.ndarray:
        """A frame (H, W, 3) uint8 RGB -> (3, h, w) uint8 or float32 in 0..1, nothing cut off.

        Where the network sees motion, (5, h, w), see `features.flow`.
        """
        network = self.header.network
        whole = partial(self._picture.whole, side=network.side, stride=network.stride)
        return self._prepared(whole, frame, following)

    def prepare_item(self, frame: np.ndarray, following: np.ndarray | None = None) -> np.ndarray:
        """A frame as the original's evaluation takes it, with its edges cut off where it does."""
        return self._prepared(
            partial(self._picture.item, side=self.header.network.side), frame, following
        )

    def _prepared(
        self,
        resized: Callable[[np.ndarray], np.ndarray],
        frame: np.ndarray,
        following: np.ndarray | None,
    ) -> np.ndarray:
        if not self.moving:
            return resized(frame)
        across, down = flow_pictures(frame, following)
        # Grey pictures are resized as each colour of a picture is; the third one is nobody's.
        flow = resized(np.dstack([across, down, down]))[:2]
        return np.concatenate([resized(frame), flow])

    def look(
        self, prepared: np.ndarray, evidence: Evidence | None
    ) -> list[tuple[np.ndarray, float]]:
        """Prepared frames (b, 3, h, w) and what is heard with each -> values and confidence.

        Values are cosines, whatever the original divides them by; with a head of its own what that
        gives.

        Raises:
            UsageError: there is no evidence; these methods say nothing of a picture alone.
        """
        if evidence is None:
            raise UsageError(f"{self.id} needs sound: it has no map of a picture alone")
        values = self.runner.look(prepared, evidence.features)[0]
        bounded = self.header.network.head == "cosine"
        return [
            (grid, _confidence(grid, float(level), bounded))
            for grid, level in zip(values, evidence.level, strict=True)
        ]

    def objects(self, prepared: np.ndarray) -> np.ndarray:
        """Prepared frames (b, 3, h, w) -> where things are, whatever sounds: (b, h', w')."""
        return self.runner.objects(prepared)


def _confidence(values: np.ndarray, level: float, bounded: bool) -> float:
    """SLAVC's score of a map in 0..1: the mean of its best quarter (Mo and Morgado 2022, 4.1).

    It ranks maps of one method, but is no probability: nobody calibrated these networks. Values
    that are not `bounded`, as cosines are, are brought there first. 0 where the wave is silent.
    """
    if level < SILENT:
        return 0.0
    ordered = np.sort(values, axis=None)
    best = float(ordered[-max(1, ordered.size // 4) :].mean())
    if not bounded:
        best /= 1 + abs(best)
    return min(1.0, max(0.0, (best + 1) / 2))
