"""Published protocols that score one heatmap at a time, as data.

A protocol says how a map is enlarged, normalised and cut, and what is averaged. Most originals
differ in one word of this, and every word changes the score.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np

from avloc.evaluation.canvas import Canvas, Scale
from avloc.evaluation.field import Field, View
from avloc.evaluation.kernels import Kernel
from avloc.evaluation.normals import Normal
from avloc.evaluation.truth import GRID, Truth
from avloc.registry import Registry

PIXELS = GRID * GRID
HALF = PIXELS // 2
"""The position of the "median" of every original: the upper one of the two in the middle."""

Comparison = Literal[">", ">=", "> or one"]


class Edge(NamedTuple):
    """The value at which a prediction ends."""

    at: np.float32
    strict: bool


@dataclass(frozen=True)
class Cut:
    """Which pixels of a normalised map are the prediction.

    Attributes:
        half: How pixels compare with the one in the middle of all sorted pixels; None: not asked.
            "> or one" is ">", and pixels of 1 and more belong to it in any case.
        least: The value that pixels have to reach; None: not asked.
    """

    half: Comparison | None = None
    least: float | None = None

    def edge(self, view: View) -> Edge:
        """The value that the predicted pixels exceed, or unless it is strict, reach."""
        edge = Edge(np.float32(-np.inf), strict=False)
        if self.half is not None:
            edge = Edge(view.rank(HALF), strict=self.half != ">=")
            if self.half == "> or one" and edge.at >= 1:
                edge = Edge(np.float32(1), strict=False)
        if self.least is not None and not edge.at >= self.least:
            edge = Edge(np.float32(self.least), strict=False)
        return edge

    def mask(self, view: View) -> np.ndarray:
        """The predicted pixels, (h, w) bool."""
        return view.above(*self.edge(view))


@dataclass(frozen=True)
class Fusion:
    """How a map of objects, which hears nothing, is mixed in (object-guided localization, OGL).

    Attributes:
        share: Weight of the heatmap; the map of objects has the rest.
        normal: How the map of objects is normalised.
        after: How the mixture is.
        kernel: How the map of objects is enlarged; None: as the heatmap.
    """

    share: float
    normal: Normal = "range"
    after: Normal = "range"
    kernel: Kernel | None = None

    def mix(self, heat: View, objects: View) -> View:
        """The mixture of two normalised maps."""
        mixed = heat.values * np.float32(self.share)
        mixed += objects.values * np.float32(1 - self.share)
        return View(Field(mixed)).normal(self.after)


@dataclass(frozen=True)
class Protocol:
    """One way to score heatmaps.

    Attributes:
        name: What users call it.
        source: Repository and function that it repeats.
        scale: What the original's maps are.
        kernel, normal, cut: How a map is enlarged, normalised and cut.
        elsewhere: The kernel on lists other than VGG-SS, where that differs.
        last: A second normalisation before the cut, which confidence does not see.
        fusion: How objectness is mixed in, where the maps bring some.
        adaptive: Also cut so that as many pixels are left as the truth has.
        pairs: Also demand all objects of a picture (IIoU).
        detection: Also rank the items by confidence (AP, F1, precision).
        negatives: Needs items without a visible source.
        note: What to know before comparing with it.
    """

    name: str
    source: str
    scale: Scale
    kernel: Kernel
    normal: Normal
    cut: Cut
    elsewhere: Kernel | None = None
    last: Normal = "none"
    fusion: Fusion | None = None
    adaptive: bool = False
    pairs: bool = False
    detection: bool = False
    negatives: bool = False
    note: str = ""

    def on(self, benchmark: str) -> Protocol:
        """The protocol as its original runs it on a list."""
        if self.elsewhere is None or benchmark.startswith("vggss"):
            return self
        return replace(self, kernel=self.elsewhere, elsewhere=None)

    def views(self, canvas: Canvas, objects: Canvas | None = None) -> dict[str, View]:
        """What is scored: the map (""), and with objectness the objects alone and the mixture."""
        heat = canvas.view(self.kernel, self.scale).normal(self.normal)
        if objects is None or self.fusion is None:
            return {"": heat}
        alone = objects.view(self.fusion.kernel or self.kernel).normal(self.fusion.normal)
        return {"": heat, "objects": alone, "ogl": self.fusion.mix(heat, alone)}

    def predict(self, view: View) -> np.ndarray:
        """The predicted pixels (h, w) bool of one view."""
        return self.cut.mask(view.normal(self.last))


def true_size(view: View, truth: Truth) -> Edge:
    """Where about as many pixels are left as the truth has: those above the last one of them.

    Ties shrink it and it is one pixel short, as in SSLalignment; a truth without pixels counts as
    half of the picture.
    """
    return Edge(view.rank(PIXELS - (truth.pixels or HALF)), strict=True)


PROTOCOLS: Registry[Protocol] = Registry("protocol")


def _add(protocol: Protocol) -> Protocol:
    return PROTOCOLS.add(protocol.name, protocol)


_LVS = _add(
    Protocol(
        name="lvs",
        source="hche11/Localizing-Visual-Sounds-the-Hard-Way test.py",
        scale="cosine",
        kernel="opencv-linear",
        normal="range-negated",
        cut=Cut(half="> or one"),
    )
)
_EZVSL = _add(
    Protocol(
        name="ezvsl",
        source="stoneMo/EZ-VSL test.py validate",
        scale="logit",
        kernel="torch-bilinear-corners",
        normal="range",
        cut=Cut(half=">="),
        fusion=Fusion(0.4),
    )
)
_EZVSL_TRAIN = _add(
    replace(
        _EZVSL,
        name="ezvsl-train",
        source="stoneMo/EZ-VSL train.py validate",
        kernel="torch-bicubic",
        fusion=None,
        note="The best epoch is chosen with it, on the test set.",
    )
)
_add(replace(_EZVSL, name="fnac", source="OpenNLPLab/FNAC_AVL test.py validate"))
_add(
    replace(
        _EZVSL_TRAIN,
        name="fnac-2",
        source="OpenNLPLab/FNAC_AVL test.py validate2",
        fusion=Fusion(0.4, kernel="torch-bilinear-corners"),
        note="",
    )
)
_SLAVC = _add(
    Protocol(
        name="slavc",
        source="stoneMo/SLAVC test.py validate --relative_prediction",
        scale="logit",
        kernel="torch-bicubic-corners",
        normal="cosine-fixed",
        last="range",
        cut=Cut(half=">="),
        fusion=Fusion(0.9, normal="objects-fixed", after="none"),
        detection=True,
    )
)
_ABSOLUTE = _add(
    replace(
        _SLAVC,
        name="slavc-absolute",
        source="stoneMo/SLAVC test.py validate",
        last="none",
        cut=Cut(least=0.5),
    )
)
_add(
    replace(
        _SLAVC,
        name="slavc-extended",
        source="stoneMo/SLAVC test.py validate --relative_prediction, *_plus_silent lists",
        negatives=True,
    )
)
_ALIGN = _add(
    Protocol(
        name="sslalign",
        source="kaistmm/SSLalignment test.py validate_lvs",
        scale="cosine",
        kernel="opencv-linear",
        elsewhere="torch-bilinear-corners",
        normal="range-negated",
        cut=Cut(half=">"),
        fusion=Fusion(0.4),
        adaptive=True,
        pairs=True,
    )
)
_add(
    replace(
        _ALIGN,
        name="sslalign-logits",
        source="kaistmm/SSLalignment test.py validate",
        scale="logit",
        kernel="torch-bilinear-corners",
        elsewhere=None,
        normal="range",
        note="What it scores EZ-VSL, FNAC, SLAVC and MarginNCE with.",
    )
)
_add(
    replace(
        _ALIGN,
        name="sslalign-ssltie",
        source="kaistmm/SSLalignment test.py validate_ssltie",
        elsewhere=None,
        note="What it scores SSL-TIE with.",
    )
)
_add(
    Protocol(
        name="sspl",
        source="zjsong/SSPL test.py evaluate (also SACL)",
        scale="cosine",
        kernel="opencv-linear",
        normal="range-unguarded",
        cut=Cut(least=0.5),
    )
)
_add(
    Protocol(
        name="heartheflow",
        source="denfed/heartheflow train.py test_step",
        scale="cosine",
        kernel="opencv-cubic",
        normal="range",
        cut=Cut(half="> or one"),
    )
)
_add(replace(_LVS, name="ssltie", source="jinxiang-liu/SSL-TIE main.py validate"))
_add(
    Protocol(
        name="rcgrad",
        source="hohsiangwu/rethinking-visual-sound-localization eval_utils.py compute_metrics",
        scale="cosine",
        kernel="opencv-linear",
        normal="range",
        cut=Cut(half=">=", least=0.5),
    )
)
