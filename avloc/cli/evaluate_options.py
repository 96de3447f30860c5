"""The options of `avloc evaluate`: names, kinds and help, apart from what they do."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer


class ScaleName(StrEnum):
    """What heatmaps are."""

    COSINE = "cosine"
    LOGIT = "logit"


class ThresholdsName(StrEnum):
    """Whose universal thresholds `negatives` takes."""

    OWN = "own"
    SSLALIGN = "sslalign"
    SLAVC = "slavc"
    EZVSL = "ezvsl"
    SSLTIE = "ssltie"


def _option(*names: str, panel: str | None = None, **settings: Any) -> Any:
    return typer.Option(*names, rich_help_panel=panel, **settings)


def _maps(*names: str, **settings: Any) -> Any:
    return _option(*names, panel="What is scored", **settings)


def _report(*names: str, **settings: Any) -> Any:
    return _option(*names, panel="What comes out", **settings)


def _seen(*names: str, **settings: Any) -> Any:
    return _option(*names, panel="What training has seen", **settings)


Model = Annotated[
    str | None, typer.Argument(help="A name from avloc models, a file, or hf://owner/name.")
]
Benchmark = Annotated[
    str | None, typer.Argument(help="Its name (vggss, flickr, is3, ...), a list or a folder.")
]
Data = Annotated[
    Path | None, _maps(metavar="DIR", help="Folder with annotations, and frames and sounds.")
]
Maps = Annotated[
    Path | None, _maps(metavar="FILE", help="Heatmaps of your own: an npz, one array for each id.")
]
Annotations = Annotated[
    Path | None, _maps(metavar="FILE", help="The list as its authors ship it, such as vggss.json.")
]
BaselinesOnly = Annotated[
    bool, _maps("--baselines-only", help="Centre, whole, best half, random; no heatmaps.")
]
AllowMissing = Annotated[
    bool, _maps("--allow-missing", help="Score what is there, and say what is not.")
]
Scale = Annotated[ScaleName | None, _maps(help="What the heatmaps of --maps are.")]
Keep = Annotated[
    Path | None, _maps(metavar="DIR", help="Keep a model's heatmaps here, and go on from there.")
]
Ogl = Annotated[
    str | None,
    _maps(
        metavar="BACKBONE[:FILE]",
        help="Also mix in where things are, as a model of avloc or a network of timm sees it.",
    ),
]
OglWeight = Annotated[
    float | None,
    _maps(min=0, max=1, help="Of the heatmap in that mixture; each protocol's own otherwise."),
]

Protocols = Annotated[
    str,
    _option("--protocol", metavar="NAMES", help="Such as lvs,ezvsl; or all that apply."),
]
Thresholds = Annotated[
    ThresholdsName | None,
    _option(help="Of negatives: made of the maps themselves, or those published for a method."),
]

Json = Annotated[
    str | None, _report("--json", metavar="FILE", help="Write the report; - is stdout.")
]
Html = Annotated[Path | None, _report(metavar="FILE", help="Write a page with figures.")]
Against = Annotated[
    Path | None, _report(metavar="FILE", help="Compare with a report written by --json.")
]

TrainedOn = Annotated[
    Path | None, _seen(metavar="LIST", help="Training list; says what of the test stands in it.")
]
TrainedMedia = Annotated[
    Path | None, _seen(metavar="DIR", help="Frames and sounds of that list, compared by content.")
]
