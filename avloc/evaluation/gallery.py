"""Items as pictures: the frame, the heatmap on it, what the truth is and what was predicted."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os.path import isfile

import numpy as np
from PIL import Image, ImageDraw

from avloc.data.benchmarks.masks import UNREADABLE, middle_square
from avloc.data.benchmarks.types import Item
from avloc.errors import MediaError
from avloc.evaluation.answers import box_truth
from avloc.evaluation.canvas import Canvas, Scale
from avloc.evaluation.judges.base import Judge
from avloc.evaluation.judges.cutting import MapJudge
from avloc.evaluation.judges.own import OwnJudge
from avloc.evaluation.own import best
from avloc.evaluation.protocols import HALF
from avloc.evaluation.report import Verdict
from avloc.evaluation.truth import GRID
from avloc.media.reader import VideoReader

SHOWN = 6  # pictures of a kind
WIDTH = 300  # pixels of a picture
GREY = 208  # of the ground where there is no frame
TRUTH, PREDICTED = (255, 255, 255), (255, 64, 160)


@dataclass(frozen=True)
class Card:
    """One picture of the gallery: a JPEG as a data URL, and what stands below it.

    Attributes:
        id, label: of the item.
        score: its cIoU.
        url: the picture.
        beside: what references have on it, in words.
    """

    id: str
    label: str
    score: float
    url: str
    beside: str = ""


def choose(scores: Mapping[str, float], count: int = SHOWN) -> dict[str, list[str]]:
    """The ids of the best, median and worst items, none of them twice."""
    order = sorted(scores, key=lambda item: (-np.nan_to_num(scores[item]), item))
    count = min(count, len(order) // 3) or len(order)
    middle = (len(order) - count) // 2
    chosen = {
        "best": order[:count],
        "median": order[middle : middle + count],
        "worst": order[::-1][:count],
    }
    return chosen if len(order) >= 3 else {"all": order}


def draw(item: Item, values: np.ndarray, judge: Judge, scale: Scale | None) -> str:
    """The picture of an item as a data URL.

    The heatmap lies over the frame from blue to red between its least and greatest value; white
    is the border of the truth, pink that of the prediction.
    """
    ground = _ground(item)
    size = ground.size
    heat = np.asarray(values, np.float32)
    low, high = float(heat.min()), float(heat.max())
    unit = (heat - low) / (high - low) if high > low else np.zeros_like(heat)
    smooth = Image.fromarray(unit).resize(size, Image.Resampling.BICUBIC)
    colours = _colours(np.clip(np.asarray(smooth), 0, 1))
    mixed = 0.5 * np.asarray(ground, np.float32) + 0.5 * colours
    picture = Image.fromarray(np.clip(mixed, 0, 255).astype(np.uint8))
    _outline(picture, predicted(Canvas(heat, scale), judge), PREDICTED)
    _outline(picture, box_truth(item).inside, TRUTH)
    return _url(picture)


def predicted(canvas: Canvas, judge: Judge) -> np.ndarray:
    """What a protocol takes for the prediction, (224, 224) bool; empty where it is no mask."""
    if isinstance(judge, MapJudge):
        return judge.protocol.predict(judge.protocol.views(canvas)[""])
    if isinstance(judge, OwnJudge):
        return best(canvas.view(judge.protocol.kernel, judge.protocol.scale), HALF)
    return np.zeros((GRID, GRID), bool)


def _ground(item: Item) -> Image.Image:
    """The frame in small, or grey where there is none or it cannot be read: its scores stay."""
    picture = _frame(item)
    if picture is not None and item.mask_class is not None:
        picture = Image.fromarray(middle_square(np.asarray(picture)))
    wide, high = item.scale if picture is None else picture.size
    size = WIDTH, min(max(1, round(WIDTH * high / wide)), 2 * WIDTH)
    if picture is None:
        return Image.new("RGB", size, (GREY, GREY, GREY))
    return picture.resize(size, Image.Resampling.LANCZOS)


def _frame(item: Item) -> Image.Image | None:
    frame, clip = item.media.get("frame", ""), item.media.get("clip", "")
    if isfile(frame):
        try:
            with Image.open(frame) as file:
                return file.convert("RGB")
        except UNREADABLE:
            return None
    if item.moment is not None and isfile(clip):
        try:
            with VideoReader(clip, item.moment) as reader:
                return Image.fromarray(reader.rgb(next(iter(reader)).picture))
        except MediaError:
            return None
    return None


def _colours(unit: np.ndarray) -> np.ndarray:
    """(h, w) in 0..1 -> (h, w, 3) from blue over green to red, 0..255."""
    stops = np.array([[40, 40, 140], [30, 120, 220], [60, 200, 120], [250, 200, 40], [220, 30, 30]])
    at = np.linspace(0, 1, len(stops))
    return np.stack([np.interp(unit, at, channel) for channel in stops.T], -1).astype(np.float32)


def _outline(picture: Image.Image, mask: np.ndarray, colour: tuple[int, int, int]) -> None:
    """The border of a mask, two pixels wide, dark on its outer side."""
    small = Image.fromarray(mask.astype(np.uint8))
    inside = np.asarray(small.resize(picture.size, Image.Resampling.NEAREST)) > 0
    draw = ImageDraw.Draw(picture)
    for reach, ink in ((3, (0, 0, 0)), (2, colour)):
        edge = inside & ~_eroded(inside, reach)
        draw.bitmap((0, 0), Image.fromarray(edge.astype(np.uint8) * 255), fill=ink)


def _eroded(mask: np.ndarray, reach: int) -> np.ndarray:
    padded = np.pad(mask, reach)
    left = mask.copy()
    height, width = mask.shape
    for step in range(1, reach + 1):
        for dy, dx in ((step, 0), (-step, 0), (0, step), (0, -step)):
            left &= padded[reach + dy : reach + dy + height, reach + dx : reach + dx + width]
    return left


def _url(picture: Image.Image) -> str:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=82)
    return f"data:image/jpeg;base64,{base64.b64encode(out.getvalue()).decode()}"


def cards(
    ids: Sequence[str],
    items: Mapping[str, Item],
    maps: Mapping[str, np.ndarray],
    verdict: Verdict,
    judge: Judge,
    scale: Scale | None,
) -> list[Card]:
    """The pictures of some items that have a map; `verdict` is that of the judge."""
    return [
        Card(
            item,
            items[item].label,
            verdict.items[item]["ciou"],
            draw(items[item], maps[item], judge, scale),
            _beside(item, verdict),
        )
        for item in ids
        if item in maps
    ]


def _beside(item: str, verdict: Verdict) -> str:
    words = {"centre": "centre", "half_oracle": "best half"}
    return ", ".join(f"{words[kind]} {of[item]:.2f}" for kind, of in verdict.beside.items())
