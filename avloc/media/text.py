"""Small texts over a picture: white on a dark rounded plate."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from avloc.types import Tag

PLATE = (16, 16, 20)
INK = (245, 245, 245)
BETWEEN = " · "
"""Between the entries of a line."""


@lru_cache(maxsize=8)
def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own font; signs it lacks are drawn as empty boxes."""
    return ImageFont.load_default(size)


def text_size(height: int, width: int) -> int:
    """The font size in pixels for a picture of `height` x `width`."""
    return max(10, round(0.037 * min(height, width)))


def tags_line(tags: Sequence[Tag], most: int = 3, least: float = 0.1) -> str:
    """What is heard in a line: ``Dog 0.87 · Bark 0.60``; empty where nothing is probable.

    Of names that list synonyms (``Baby cry, infant cry``) the first one is enough.
    """
    heard = [tag for tag in tags if tag.probability >= least][:most]
    return BETWEEN.join(f"{_short(tag.name)} {tag.probability:.2f}" for tag in heard)


def _short(name: str) -> str:
    name = "".join(sign if sign.isprintable() else " " for sign in name).strip()
    return name.partition(",")[0] or name


def fitted(text: str, room: float, size: int) -> str:
    """As many entries of the line as `room` pixels hold; a single one loses its end."""
    face = font(size)
    while face.getlength(text) > room and BETWEEN in text:
        text = text.rpartition(BETWEEN)[0]
    if face.getlength(text) <= room:
        return text
    while text and face.getlength(text + "...") > room:
        text = text[:-1].rstrip()
    return text + "..."


def written(text: str, size: int, ink: tuple[int, int, int] = INK) -> np.ndarray:
    """The text alone as (h, w, 4) uint8 RGBA, as high as the font's line."""
    face = font(size)
    ascent, descent = _line(size)
    width = max(1, int(np.ceil(face.getlength(text))) + 1)
    mask = Image.new("L", (width, ascent + descent), 0)
    ImageDraw.Draw(mask).text((0, 0), text, font=face, fill=255)
    rgba = np.empty((ascent + descent, width, 4), np.uint8)
    rgba[..., :3] = ink
    rgba[..., 3] = np.asarray(mask)
    return rgba


def _line(size: int) -> tuple[int, int]:
    face = font(size)
    if isinstance(face, ImageFont.FreeTypeFont):
        ascent, descent = face.getmetrics()
        return ascent, descent
    return int(face.getbbox("Ag")[3]) + 1, 0


def plate(height: int, width: int, radius: float, opacity: float = 0.62) -> np.ndarray:
    """A dark rounded rectangle as (height, width, 4) uint8 RGBA, antialiased."""
    y = np.abs(np.arange(height) + 0.5 - height / 2)[:, None] - (height / 2 - radius)
    x = np.abs(np.arange(width) + 0.5 - width / 2)[None, :] - (width / 2 - radius)
    inside = radius - np.hypot(np.maximum(y, 0), np.maximum(x, 0))
    rgba = np.empty((height, width, 4), np.uint8)
    rgba[..., :3] = PLATE
    rgba[..., 3] = np.round(np.clip(inside + 0.5, 0, 1) * (255 * opacity))
    return rgba


def paste(over: np.ndarray, under: np.ndarray, top: int, left: int) -> None:
    """Composite `over` onto a part of `under` in place; both (h, w, 4) uint8, straight alpha."""
    height = min(over.shape[0], under.shape[0] - top)
    width = min(over.shape[1], under.shape[1] - left)
    if height <= 0 or width <= 0:
        return
    part = under[top : top + height, left : left + width]
    front = over[:height, :width].astype(np.float32)
    share = front[..., 3:] / 255
    behind = part[..., 3:] / 255.0 * (1 - share)
    total = np.maximum(share + behind, 1e-6)
    part[..., :3] = np.round((front[..., :3] * share + part[..., :3] * behind) / total)
    part[..., 3:] = np.round(255 * (share + behind))


def label(text: str, height: int, width: int, size: int | None = None) -> np.ndarray | None:
    """The text on its plate, for a picture of `height` x `width`; RGBA (h, w, 4) uint8.

    A text too wide for the picture is `fitted`; None where the picture has no room for any.
    """
    size = size or text_size(height, width)
    pad_x, pad_y = round(0.5 * size), round(0.22 * size)
    room = width - 2 * margin(height, width) - 2 * pad_x - 1  # `written` leaves a pixel free
    if not text or room < 2 * size or height < 3 * size:
        return None
    text = fitted(text, room, size)
    ink = written(text, size)
    result = plate(ink.shape[0] + 2 * pad_y, ink.shape[1] + 2 * pad_x, 0.4 * size)
    paste(ink, result, pad_y, pad_x)
    return result


def margin(height: int, width: int) -> int:
    """Pixels between a label and the picture's edge: even, so that chroma samples are whole."""
    return 2 * max(1, round(0.01 * min(height, width)))
