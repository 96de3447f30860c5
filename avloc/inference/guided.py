"""Object-guided localization (OGL): heatmaps mixed with where things are, whatever sounds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch

from avloc.evaluation.field import Field, View
from avloc.evaluation.normals import TEMPERATURE
from avloc.evaluation.protocols import PROTOCOLS, Fusion, Protocol
from avloc.inference.engine import Engine, Evidence, Objects
from avloc.inference.loading import load_engine
from avloc.models.object_guides import ObjectGuide, object_network
from avloc.models.published.methods import METHODS
from avloc.models.weights import Header
from avloc.resize import resize

DEFAULT = "ezvsl"
"""The protocol whose mixture methods take that have none of their own."""


def load_objects(guide: ObjectGuide, device: torch.device) -> Objects:
    """The network that a guide names, on the device of the heatmaps' own.

    Raises:
        UsageError: there is no such network.
        WeightsError: its weights are missing or damaged, or another network's.
        EnvironmentProblem: its weights are to be fetched, and cannot be.
    """
    weights = guide.weights
    if weights is not None:
        model = load_engine(weights, str(device))
        return lambda prepared: model.objects(prepared[:, :3])
    network = object_network(guide).to(device)

    @torch.inference_mode()
    def objects(prepared: np.ndarray) -> np.ndarray:
        frames = torch.from_numpy(np.require(prepared[:, :3], requirements=["C", "W"]))
        return network(frames.to(device)).cpu().numpy()

    return objects


class GuidedEngine:
    """An engine whose heatmaps are mixed with objectness.

    Args:
        engine: makes the heatmaps.
        objects: makes the objectness.
        guide: names it, and may weigh it.
    """

    def __init__(self, engine: Engine, objects: Objects, guide: ObjectGuide) -> None:
        self.engine = engine
        self.header: Header[Any] = engine.header
        self.objects = objects
        self._protocol, self._fusion = mixture(self.header, guide)
        self.id = f"{engine.id} + OGL {guide.name} {self._fusion.share:g}"
        self.rate, self.window, self.device = engine.rate, engine.window, engine.device
        self.hear, self.excerpts = engine.hear, engine.excerpts
        self.moving = engine.moving
        self.prepare, self.prepare_item = engine.prepare, engine.prepare_item

    def look(
        self, prepared: np.ndarray, evidence: Evidence | None
    ) -> list[tuple[np.ndarray, float]]:
        """As the engine's, but values are mixtures on the grid of the heatmap; see `mixed`.

        Confidence stays the engine's: it is about the sound, which objectness knows nothing of.
        """
        looks = self.engine.look(prepared, evidence)
        return [
            (mixed(values, things, self._protocol, self._fusion), confidence)
            for (values, confidence), things in zip(looks, self.objects(prepared), strict=True)
        ]


def guided(engine: Engine, guide: ObjectGuide) -> GuidedEngine:
    """The engine with the network that `guide` names beside it; raises as `load_objects`."""
    return GuidedEngine(engine, load_objects(guide, engine.device), guide)


def mixture(header: Header[Any], guide: ObjectGuide) -> tuple[Protocol, Fusion]:
    """How the maps of a model are mixed: as in its method's own evaluation, else as `DEFAULT`."""
    method = header.source.get("method", "")
    own = METHODS[method].protocol if method in METHODS else DEFAULT
    protocol = PROTOCOLS[own if own in PROTOCOLS else DEFAULT]
    if protocol.fusion is None:
        protocol = PROTOCOLS[DEFAULT]
    assert protocol.fusion is not None
    share = protocol.fusion.share if guide.share is None else guide.share
    return protocol, replace(protocol.fusion, share=share)


def mixed(
    values: np.ndarray, objects: np.ndarray, protocol: Protocol, fusion: Fusion
) -> np.ndarray:
    """A heatmap and objectness in one, on the grid of the heatmap.

    Objectness is resampled to that grid; the normalisations are the protocol's, over the cells of
    the grid where the protocol takes the pixels of the enlarged map.

    Args:
        values: cosines (h, w) float32.
        objects: (h', w') float32, of the same picture.
        protocol: normalises the heatmap.
        fusion: normalises objectness and the mixture, and weighs them.

    Returns:
        (h, w) float32, greater where the source is; of no unit.
    """
    logits = values / np.float32(TEMPERATURE) if protocol.scale == "logit" else values
    heat = View(Field(logits)).normal(protocol.normal)
    height, width = values.shape
    things = np.ascontiguousarray(resize(objects, (height, width)))
    return fusion.mix(heat, View(Field(things)).normal(fusion.normal)).values
