"""What users hold: a model, and what it makes of frames, streams and files."""

from __future__ import annotations

from typing import Literal

from avloc.inference.loading import load_engine
from avloc.inference.localizer import Localizer

__all__ = ["Localizer", "load_model"]


def load_model(
    name: str = "bundled",
    device: str = "auto",
    quality: Literal["default", "high"] = "default",
    runtime: str | None = None,
) -> Localizer:
    """A model ready to localize.

    Args:
        name: ``bundled``, a file in ``$AVLOC_HOME/models``, or the path of a weight file or of what
            `avloc models export` made of one.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        quality: ``high`` is slower and somewhat more exact.
        runtime: ``torch`` or ``onnxruntime``; None: what runs such a file.

    Raises:
        UsageError: an unknown name, device or quality, or a runtime that does not run the file.
        WeightsError: the weights are missing or damaged.
        EnvironmentProblem: the device is not there.
    """
    from avloc.models.catalogue import find_weights

    return Localizer(load_engine(find_weights(name), device, quality, runtime))
