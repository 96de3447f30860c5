"""What users hold: a model, and what it makes of frames, streams and files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from avloc.inference.loading import load_engine
from avloc.inference.localizer import Localizer

if TYPE_CHECKING:
    from avloc.models.object_guides import ObjectGuide

__all__ = ["Localizer", "load_model"]


def load_model(
    name: str = "bundled",
    device: str = "auto",
    quality: Literal["default", "high"] = "default",
    ogl: ObjectGuide | None = None,
    runtime: str | None = None,
) -> Localizer:
    """A model ready to localize.

    Args:
        name: ``bundled``, a file in ``$AVLOC_HOME/models``, or the path of a weight file or of what
            `avloc models export` made of one.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        quality: ``high`` is slower and somewhat more exact.
        ogl: a network whose objectness is mixed into the heatmaps (`inference.guided`).
        runtime: ``torch`` or ``onnxruntime``; None: what runs such a file.

    Raises:
        UsageError: an unknown name, device or quality, or a runtime that does not run the file.
        WeightsError: the weights are missing, cannot be fetched, or are damaged.
        EnvironmentProblem: the device is not there, or weights cannot be fetched.
    """
    from avloc.models.catalogue import find_weights

    engine = load_engine(find_weights(name), device, quality, runtime)
    if ogl is None:
        return Localizer(engine)
    from avloc.inference.guided import guided  # evaluation's arithmetic takes a while to import

    return Localizer(guided(engine, ogl))
