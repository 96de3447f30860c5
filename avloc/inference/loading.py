"""Which engine runs a weight file."""

from __future__ import annotations

from pathlib import Path

from avloc.inference.dual_engine import DualEngine
from avloc.inference.engine import Engine
from avloc.inference.two_stream_engine import TwoStreamEngine
from avloc.models.dual_encoder import DualConfig
from avloc.models.weights import read_header


def load_engine(path: Path, device: str = "auto", quality: str = "default") -> Engine:
    """The engine for the weights at `path`, as their header tells.

    Args:
        path: avloc's safetensors.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        quality: ``high`` is slower and somewhat more exact.

    Raises:
        UsageError: an unknown device or quality.
        WeightsError: the weights are missing, damaged or of another program.
        EnvironmentProblem: the device is not there.
    """
    if isinstance(read_header(path).network, DualConfig):
        return DualEngine.load(path, device, quality)
    return TwoStreamEngine.load(path, device, quality)
