"""Which engine runs a weight file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from avloc.errors import UsageError
from avloc.inference.dual_engine import DualEngine
from avloc.inference.engine import Engine
from avloc.inference.runners import Runner
from avloc.inference.two_stream_engine import TwoStreamEngine
from avloc.models.dual_encoder import DualConfig
from avloc.models.weights import Header, read_header

RUNTIMES = ("torch", "onnxruntime")


def load_engine(
    path: Path, device: str = "auto", quality: str = "default", runtime: str | None = None
) -> Engine:
    """The engine for the weights at `path`, as their header tells.

    Args:
        path: avloc's safetensors, or the ONNX file that `avloc models export` made of them.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        quality: ``high`` is slower and somewhat more exact.
        runtime: of `RUNTIMES`; None: the one that runs such a file.

    Raises:
        UsageError: an unknown device or quality, or a runtime that does not run the file.
        WeightsError: the weights are missing, damaged or of another program.
        EnvironmentProblem: the device, or the runtime, is not there.
    """
    if _runtime(path, runtime) == "onnxruntime":
        return _load_onnx(path, device, quality)
    if isinstance(read_header(path).network, DualConfig):
        return DualEngine.load(path, device, quality)
    return TwoStreamEngine.load(path, device, quality)


def _runtime(path: Path, wanted: str | None) -> str:
    if wanted not in (None, *RUNTIMES):
        raise UsageError(f"unknown runtime {wanted!r}; use {' or '.join(RUNTIMES)}")
    if path.suffix == ".pt2":
        raise UsageError(
            f"{path}: such programs run from Python (torch.export.load); here take the weights "
            "that it was made of, or an .onnx file"
        )
    fitting = "onnxruntime" if path.suffix == ".onnx" else "torch"
    if wanted in (None, fitting):
        return fitting
    if wanted == "torch":
        raise UsageError(f"{path}: PyTorch does not run ONNX files; onnxruntime does")
    raise UsageError(
        f"{path}: onnxruntime runs exported files; make one with avloc models export, and name it "
        "with --model"
    )


def _load_onnx(path: Path, device: str, quality: str) -> Engine:
    from avloc.inference.onnx_runner import OnnxRunner
    from avloc.models.onnx_file import read_onnx

    file = read_onnx(path)
    return engine_of(OnnxRunner(file, device), file.header, quality)


def engine_of(runner: Runner, header: Header[Any], quality: str = "default") -> Engine:
    """The engine around what computes."""
    kind = DualEngine if isinstance(header.network, DualConfig) else TwoStreamEngine
    return kind(runner, header, quality=quality)
