"""The options of `avloc localize`: names, kinds and help, apart from what they do."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from avloc.cli.outputs import KINDS


class CodecName(StrEnum):
    """What the video can be encoded with."""

    H264 = "h264"
    HEVC = "hevc"
    VP9 = "vp9"
    AV1 = "av1"


class RotationRule(StrEnum):
    """What becomes of a rotation that the file only notes."""

    BAKE = "bake"
    KEEP = "keep"


class QualityName(StrEnum):
    """How much time a heatmap may take."""

    DEFAULT = "default"
    HIGH = "high"


class RuntimeName(StrEnum):
    """What computes heatmaps."""

    TORCH = "torch"
    ONNXRUNTIME = "onnxruntime"


def _option(*names: str, panel: str | None = None, **settings: Any) -> Any:
    return typer.Option(*names, rich_help_panel=panel, **settings)


def _look(text: str) -> Any:
    return _option(panel="The picture", help=text)


def _time(text: str) -> Any:
    return _option(help=text, metavar="TIME", panel="The input")


Inputs = Annotated[
    list[str],
    typer.Argument(help="Files, folders (recursive), globs; - reads a list from stdin."),
]

Out = Annotated[Path | None, _option("-o", "--out", help="A folder; or a file, for one input.")]
Name = Annotated[str, _option(help="Names of the outputs, from {stem}, {suffix} and {ext}.")]
Save = Annotated[str, _option(metavar="KINDS", help=f"Some of {','.join(KINDS)}.")]
Overwrite = Annotated[bool, _option("--overwrite", help="Renew results that exist.")]
AsJson = Annotated[bool, _option("--json", help="One JSON object an input on stdout.")]
Quiet = Annotated[bool, _option("-q", "--quiet", help="Failures only.")]
Verbose = Annotated[bool, _option("-v", "--verbose", help="More detail, and tracebacks.")]

Start = Annotated[str | None, _time("Where to begin: seconds or HH:MM:SS.")]
End = Annotated[str | None, _time("Where to stop: seconds or HH:MM:SS.")]
Audio = Annotated[Path | None, _option(help="Take the sound from this file.", panel="The input")]
AudioTrack = Annotated[
    int | None,
    _option(help="Another sound track than the default, from 0.", min=0, panel="The input"),
]
NoAudio = Annotated[
    bool, _option("--no-audio", help="Do without sound: the image alone.", panel="The input")
]

Model = Annotated[str, _option(help="A name from avloc models, a file, or hf://owner/name.")]
Quality = Annotated[QualityName, _option(help="high is slower.")]
Fps = Annotated[float, _option(help="Heatmaps a second; as many as frames at most.")]
Device = Annotated[str, _option("-d", "--device", help="auto, cpu, cuda, cuda:1 or mps.")]
Runtime = Annotated[
    RuntimeName | None, _option(help="What computes; by the model's file: onnxruntime for .onnx.")
]
Ogl = Annotated[
    str | None,
    _option(
        metavar="BACKBONE[:FILE]",
        help="Mix in where things are, as a model of avloc or a network of timm sees it.",
    ),
]
OglWeight = Annotated[
    float | None,
    _option(min=0, max=1, help="Of the heatmap in that mixture; the method's own otherwise."),
]

Codec = Annotated[
    CodecName | None, _look("What the video is encoded with; h264 where the container holds it.")
]
Rotation = Annotated[RotationRule, _look("Turn the picture upright, or keep the note to turn it.")]
Colormap = Annotated[str, _look("Colours of the heatmap.")]
Alpha = Annotated[float, _look("Opacity of the hottest place, 0 to 1.")]
Contour = Annotated[bool, _look("Outline the region.")]
Box = Annotated[bool, _look("Draw boxes around the region.")]
Peak = Annotated[bool, _look("Mark the hottest places.")]
SideBySide = Annotated[bool, _look("Put the source to the left.")]
Strip = Annotated[bool, _look("Draw the confidence over time below.")]
Legend = Annotated[bool, _look("Draw a colour bar.")]
Tags = Annotated[bool, _look("Name what sounds.")]
