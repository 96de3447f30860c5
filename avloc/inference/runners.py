"""What computes: a network in PyTorch, behind the face that every runtime has."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import torch
from torch import nn

from avloc.models.graphs import feeding, graph_of


class Runner(Protocol):
    """A network with its preprocessing, on arrays."""

    @property
    def device(self) -> torch.device:
        """Where it runs."""
        ...

    def hear(self, windows: np.ndarray) -> np.ndarray:
        """Windows (b, n) float32 -> what is heard in each, (b, c) float32."""
        ...

    def look(self, prepared: np.ndarray, heard: np.ndarray) -> tuple[np.ndarray, ...]:
        """Prepared frames (b, 3, h, w) and what is heard with each -> maps (b, h', w') float32.

        For avloc's own networks also the strength of each sound, (b,).
        """
        ...

    def objects(self, prepared: np.ndarray) -> np.ndarray:
        """Prepared frames (b, 3, h, w) -> objectness (b, h', w') float32."""
        ...


class TorchRunner:
    """A network in PyTorch.

    Args:
        network: a `TwoStream` or `DualEncoder` in evaluation mode.
        device: where it is.
    """

    def __init__(self, network: nn.Module, device: torch.device) -> None:
        self.device = device
        self.graph = graph_of(network)
        config: Any = network.config
        self._feed = feeding(config)

    @torch.inference_mode()
    def hear(self, windows: np.ndarray) -> np.ndarray:
        return self.graph.hear(self._feed.spectrogram(self._there(windows))).cpu().numpy()

    @torch.inference_mode()
    def look(self, prepared: np.ndarray, heard: np.ndarray) -> tuple[np.ndarray, ...]:
        frames = self._feed.normalise(self._there(prepared))
        return tuple(each.cpu().numpy() for each in self.graph.look(frames, self._there(heard)))

    @torch.inference_mode()
    def objects(self, prepared: np.ndarray) -> np.ndarray:
        return self.graph.objects(self._feed.normalise(self._there(prepared))).cpu().numpy()

    def _there(self, array: np.ndarray) -> torch.Tensor:
        # Of arrays that nobody may write to, torch warns.
        return torch.from_numpy(np.require(array, requirements=["C", "W"])).to(self.device)
