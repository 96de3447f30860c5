"""The looks of synthetic scenes: one drawing a class, varied by its generator.

Each paints on a sheet within about -1..1 and draws colours and proportions from `rng`, so that
two of a class are alike but not the same. Nothing in a drawing tells whether the thing sounds.
"""

from __future__ import annotations

import colorsys
from collections.abc import Callable

import numpy as np

from avloc.data.synthetic_shapes import Colour, Sheet, box, disc, ellipse, polygon, stroke

Drawing = Callable[[Sheet, np.random.Generator], None]

BLACK = (0.06, 0.06, 0.07)
WHITE = (0.95, 0.95, 0.93)
GLASS = (0.55, 0.72, 0.82)
STEEL = (0.72, 0.74, 0.77)
INK = (0.13, 0.11, 0.11)


def paint(hue: float, saturation: float, value: float) -> Colour:
    """A colour from hue, saturation and value, each 0..1."""
    return colorsys.hsv_to_rgb(hue % 1.0, saturation, value)


def toned(colour: Colour, factor: float) -> Colour:
    """Darker or lighter by `factor`."""
    red, green, blue = (min(1.0, part * factor) for part in colour)
    return red, green, blue


def any_of(rng: np.random.Generator, *colours: Colour) -> Colour:
    """One of `colours`, a little off."""
    picked = colours[int(rng.integers(len(colours)))]
    red, green, blue = (float(np.clip(part + rng.uniform(-0.05, 0.05), 0, 1)) for part in picked)
    return red, green, blue


def lively(rng: np.random.Generator) -> Colour:
    """Any strong hue."""
    return paint(rng.uniform(), rng.uniform(0.6, 0.9), rng.uniform(0.55, 0.9))


def bell(sheet: Sheet, rng: np.random.Generator) -> None:
    """A bell from the side: crown, waist, flared lip, clapper."""
    metal = any_of(rng, (0.85, 0.62, 0.2), (0.72, 0.45, 0.22), (0.68, 0.7, 0.72), (0.5, 0.55, 0.35))
    flare = rng.uniform(0.72, 0.86)
    sheet.paint(disc(0, -0.82, 0.15).outline(0.09), toned(metal, 0.8), 0.4, 0.05)
    sheet.paint(disc(0, 0.76, 0.16), toned(metal, 0.45), 0.5, 0.1)
    side = [
        (0.14, -0.68), (0.33, -0.58), (0.42, -0.35), (0.47, 0.0), (0.56, 0.3), (flare, 0.56),
    ]  # fmt: skip
    sheet.paint(
        polygon(*side, *((-x, y) for x, y in reversed(side)), radius=0.03), metal, 0.75, 0.22
    )
    sheet.paint(stroke((-flare, 0.59), (flare, 0.59), 0.2), toned(metal, 0.9), 0.6, 0.07)
    for height, reach in ((-0.34, 0.41), (0.28, 0.53)):
        sheet.paint(stroke((-reach, height), (reach, height), 0.05), toned(metal, 0.65), 0.3, 0.03)
    sheet.paint(
        polygon((-0.3, -0.42), (-0.2, -0.45), (-0.26, 0.2), (-0.4, 0.2)), (1, 1, 0.95), alpha=0.4
    )


def alarm_clock(sheet: Sheet, rng: np.random.Generator) -> None:
    """A round clock with two gongs on top, a hammer between them, and feet."""
    case, gong = lively(rng), any_of(rng, (0.85, 0.7, 0.3), STEEL, (0.6, 0.42, 0.25))
    dial = any_of(rng, WHITE, (0.95, 0.9, 0.75), (0.88, 0.93, 0.95))
    for side in (-1, 1):
        sheet.paint(stroke((side * 0.4, 0.55), (side * 0.55, 0.92), 0.14), toned(case, 0.6), 0.4)
        sheet.paint(stroke((side * 0.4, -0.5), (side * 0.5, -0.7), 0.08), toned(gong, 0.6), 0.3)
        cap = ellipse(side * 0.5, -0.68, 0.33, 0.26) - box(-1, -0.6, 1, 0)
        sheet.paint(cap.turned(side * 35, (side * 0.5, -0.68)), gong, 0.8, 0.15)
    sheet.paint(stroke((0, -0.5), (0.05, -0.8), 0.06), toned(gong, 0.5))
    sheet.paint(disc(0.05, -0.82, 0.09), toned(gong, 0.7), 0.5, 0.06)
    sheet.paint(disc(0, 0.1, 0.72), case, 0.7, 0.12)
    sheet.paint(disc(0, 0.1, 0.57), dial, -0.35, 0.06)
    for hour in range(12):
        angle = np.pi * hour / 6
        way = np.array((np.sin(angle), -np.cos(angle)))
        inner, outer = (0.42 if hour % 3 else 0.38) * way, 0.5 * way
        width = 0.035 if hour % 3 else 0.06
        sheet.paint(stroke((inner[0], 0.1 + inner[1]), (outer[0], 0.1 + outer[1]), width), INK)
    for length, width in ((0.26, 0.07), (0.4, 0.05)):
        angle = rng.uniform(0, 2 * np.pi)
        tip = (length * np.sin(angle), 0.1 - length * np.cos(angle))
        sheet.paint(stroke((0, 0.1), tip, width), INK)
    sheet.paint(disc(0, 0.1, 0.06), toned(case, 0.8))


def drum(sheet: Sheet, rng: np.random.Generator) -> None:
    """A side drum from above: head, hoops, zigzag cords, two sticks."""
    shell, hoop = lively(rng), any_of(rng, (0.9, 0.8, 0.5), WHITE, STEEL, (0.75, 0.2, 0.15))
    deep, tilt = rng.uniform(0.45, 0.65), rng.uniform(0.26, 0.34)
    body = box(-0.9, -0.25, 0.9, deep) | ellipse(0, deep, 0.9, tilt)
    sheet.paint(body, shell, 0.7, 0.25)
    cord = any_of(rng, WHITE, (0.92, 0.85, 0.65))
    turns = int(rng.integers(3, 6))
    edge = [-0.86 + 1.72 * k / (2 * turns) for k in range(2 * turns + 1)]
    sag = [tilt * np.sqrt(1 - (x / 0.9) ** 2) for x in edge]
    for k in range(2 * turns):
        ends = [(-0.22 if (k + j) % 2 else deep - 0.04) + sag[k + j] for j in (0, 1)]
        sheet.paint(stroke((edge[k], ends[0]), (edge[k + 1], ends[1]), 0.045), cord, 0.3, 0.02)
    rim = ellipse(0, deep, 0.93, tilt) - ellipse(0, deep - 0.13, 0.95, tilt)
    sheet.paint(rim, hoop, 0.4, 0.05)
    sheet.paint(ellipse(0, -0.22, 0.95, tilt + 0.03), hoop, 0.6, 0.06)
    sheet.paint(ellipse(0, -0.27, 0.9, tilt), any_of(rng, WHITE, (0.93, 0.88, 0.76)), -0.25, 0.08)
    wood = any_of(rng, (0.8, 0.6, 0.35), (0.6, 0.38, 0.2))
    for start, end in (((-0.95, -0.85), (0.15, -0.25)), ((0.8, -0.95), (-0.15, -0.33))):
        sheet.paint(stroke(start, end, 0.09, 0.055), wood, 0.4, 0.04)
        sheet.paint(disc(*end, 0.06), wood, 0.5, 0.04)


def whistle(sheet: Sheet, rng: np.random.Generator) -> None:
    """A referee's whistle: round chamber, mouthpiece, slot, ring."""
    colour = any_of(rng, STEEL, (0.85, 0.15, 0.12), (0.95, 0.75, 0.1), (0.1, 0.35, 0.75), INK)
    sheet.paint(disc(-0.86, -0.12, 0.13).outline(0.05), STEEL, 0.4, 0.03)
    pipe = box(-0.3, -0.52, 0.98, -0.1, 0.05)
    sheet.paint(disc(-0.28, 0.02, 0.55) | pipe, colour, 0.75, 0.16)
    sheet.paint(disc(-0.28, 0.02, 0.36), toned(colour, 0.82), -0.4, 0.1)
    sheet.paint(disc(-0.28, 0.02, 0.28), toned(colour, 0.95), 0.4, 0.1)
    sheet.paint(polygon((0.08, -0.56), (0.32, -0.56), (0.14, -0.28)), toned(colour, 0.2))
    sheet.paint(box(0.78, -0.52, 0.98, -0.1, 0.04), toned(colour, 0.55), 0.3, 0.05)
    sheet.paint(stroke((0.38, -0.44), (0.7, -0.44), 0.05), WHITE, alpha=0.5)
    sheet.paint(ellipse(-0.45, -0.25, 0.12, 0.06).turned(-40, (-0.45, -0.25)), WHITE, alpha=0.55)


def guitar(sheet: Sheet, rng: np.random.Generator) -> None:
    """An acoustic guitar upright: two bouts, sound hole, bridge, neck, strings, head."""
    top = any_of(rng, (0.85, 0.6, 0.3), (0.72, 0.42, 0.18), (0.55, 0.22, 0.12), (0.9, 0.75, 0.5))
    wide, neck = rng.uniform(0.44, 0.52), any_of(rng, (0.3, 0.18, 0.1), (0.2, 0.12, 0.08))
    body = ellipse(0, 0.52, wide, 0.42) | ellipse(0, 0.02, 0.78 * wide, 0.32)
    waist = box(-0.62 * wide, 0.0, 0.62 * wide, 0.4, 0.1)
    sheet.paint(body | waist, toned(top, 0.45), 0.5, 0.08)
    inner = ellipse(0, 0.52, wide - 0.04, 0.38) | ellipse(0, 0.02, 0.78 * wide - 0.04, 0.28)
    sheet.paint(inner | box(-0.55 * wide, 0, 0.55 * wide, 0.4, 0.1), top, 0.25, 0.2)
    sheet.paint(disc(0, 0.18, 0.17), toned(top, 0.6), 0.2)
    sheet.paint(disc(0, 0.18, 0.13), INK, -0.3, 0.05)
    sheet.paint(box(-0.2, 0.6, 0.2, 0.68, 0.03), neck, 0.4, 0.03)
    sheet.paint(box(-0.07, -0.75, 0.07, 0.08), neck, 0.3, 0.05)
    for fret in range(7):
        at = -0.72 + 0.78 * (1 - 2 ** (-fret / 6)) * 1.8
        sheet.paint(stroke((-0.06, at), (0.06, at), 0.014), STEEL)
    sheet.paint(polygon((-0.07, -0.74), (0.07, -0.74), (0.12, -0.97), (-0.12, -0.97), radius=0.02),
                toned(top, 0.7), 0.4, 0.06)  # fmt: skip
    for side in (-1, 1):
        for peg in range(3):
            sheet.paint(disc(side * 0.15, -0.79 - 0.075 * peg, 0.03), STEEL, 0.4, 0.02)
        for string in (0.012, 0.028, 0.044):
            sheet.paint(stroke((side * string, -0.75), (side * 1.3 * string, 0.63), 0.009), WHITE)


def telephone(sheet: Sheet, rng: np.random.Generator) -> None:
    """A dial telephone: the receiver on its cradle, the dial with its ten holes."""
    colour = any_of(
        rng,
        (0.1, 0.1, 0.11),
        (0.75, 0.1, 0.1),
        (0.15, 0.42, 0.3),
        (0.9, 0.84, 0.68),
        (0.2, 0.4, 0.6),
    )
    if sum(colour) < 0.6:
        dial, hole = (0.86, 0.86, 0.84), (0.2, 0.2, 0.22)
    else:
        dial, hole = toned(colour, 0.6), WHITE
    sheet.paint(polygon((-0.42, -0.3), (0.42, -0.3), (0.8, 0.72), (-0.8, 0.72), radius=0.12),
                colour, 0.7, 0.2)  # fmt: skip
    for side in (-1, 1):
        sheet.paint(box(side * 0.36 - 0.1, -0.5, side * 0.36 + 0.1, -0.2, 0.05), colour, 0.5, 0.06)
    receiver = ellipse(0, -0.35, 0.86, 0.42) - ellipse(0, -0.2, 0.75, 0.36) - box(-1, -0.32, 1, 1)
    ends = box(-0.98, -0.55, -0.56, -0.22, 0.12) | box(0.56, -0.55, 0.98, -0.22, 0.12)
    sheet.paint(receiver | ends, toned(colour, 1.15), 0.8, 0.1)
    sheet.paint(disc(0, 0.25, 0.46), dial, 0.5, 0.08)
    for number in range(10):
        angle = np.radians(50 + 29 * number)
        sheet.paint(
            disc(0.33 * np.cos(angle), 0.25 - 0.33 * np.sin(angle), 0.072), hole, -0.4, 0.03
        )
    sheet.paint(disc(0, 0.25, 0.18), WHITE, 0.3, 0.05)
    sheet.paint(stroke((0.3, 0.53), (0.4, 0.6), 0.05), STEEL)


def _wheel(sheet: Sheet, x: float, y: float, radius: float) -> None:
    sheet.paint(disc(x, y, radius), INK, 0.4, 0.06)
    sheet.paint(disc(x, y, 0.6 * radius), STEEL, 0.5, 0.06)
    sheet.paint(disc(x, y, 0.2 * radius), (0.3, 0.3, 0.32))


def ambulance(sheet: Sheet, rng: np.random.Generator) -> None:
    """A van from the side: a box with a cross, a stripe, a blue light on its roof."""
    body = any_of(rng, WHITE, (0.95, 0.93, 0.8), (0.95, 0.85, 0.2))
    mark = any_of(rng, (0.85, 0.12, 0.1), (0.9, 0.4, 0.05), (0.1, 0.45, 0.25))
    light = any_of(rng, (0.1, 0.3, 0.95), (0.95, 0.1, 0.1))
    sheet.paint(box(0.2, -0.66, 0.48, -0.5, 0.05), light, 0.8, 0.06)
    sheet.paint(box(-0.75, -0.62, -0.55, -0.5, 0.04), light, 0.8, 0.06)
    cab = polygon((0.4, -0.5), (0.62, -0.48), (0.88, 0.0), (0.97, 0.08), (0.97, 0.45), (0.4, 0.45))
    sheet.paint(cab, toned(body, 0.97), 0.5, 0.1)
    sheet.paint(box(-0.98, -0.54, 0.5, 0.48, 0.06), body, 0.5, 0.1)
    sheet.paint(box(-0.98, 0.12, 0.97, 0.28), mark, 0.2, 0.05)
    sheet.paint(polygon((0.53, -0.4), (0.6, -0.4), (0.8, -0.02), (0.53, -0.02), radius=0.02),
                GLASS, -0.4, 0.06)  # fmt: skip
    if rng.random() < 0.5:
        sheet.paint(box(-0.86, -0.42, -0.56, -0.1, 0.04), GLASS, -0.4, 0.06)
    sheet.paint(box(-0.3, -0.45, -0.16, 0.05), mark)
    sheet.paint(box(-0.48, -0.27, 0.02, -0.13), mark)
    sheet.paint(stroke((0.34, -0.48), (0.34, 0.44), 0.018), toned(body, 0.6))
    sheet.paint(box(0.9, 0.1, 0.98, 0.22, 0.03), (1, 0.95, 0.7), 0.3, 0.03)
    sheet.paint(box(-1, 0.42, 1, 0.54, 0.04), (0.25, 0.26, 0.28), 0.3, 0.04)
    for x in (-0.58, 0.6):
        _wheel(sheet, x, 0.5, 0.21)


def car(sheet: Sheet, rng: np.random.Generator) -> None:
    """A car from the side: body, cabin with two windows, lights, wheels."""
    colour = any_of(rng, (0.8, 0.1, 0.1), (0.1, 0.25, 0.7), (0.95, 0.75, 0.1), (0.1, 0.45, 0.3),
                    (0.3, 0.32, 0.36), (0.9, 0.45, 0.1), (0.5, 0.15, 0.5))  # fmt: skip
    roof, rear = rng.uniform(-0.55, -0.42), rng.uniform(-0.72, -0.5)
    cabin = polygon((rear, -0.05), (rear + 0.2, roof), (0.2, roof), (0.5, -0.05), radius=0.05)
    sheet.paint(cabin, toned(colour, 0.92), 0.5, 0.08)
    low, high = roof + 0.08, -0.08
    for corners in (
        ((rear + 0.1, high), (rear + 0.24, low), (-0.14, low), (-0.14, high)),
        ((-0.06, high), (-0.06, low), (0.17, low), (0.38, high)),
    ):
        sheet.paint(polygon(*corners, radius=0.02), GLASS, -0.5, 0.06)
    hull = polygon(
        (-0.92, -0.02), (0.5, -0.08), (0.85, 0.02), (0.93, 0.12), (0.93, 0.32), (-0.92, 0.32),
        radius=0.06,
    )  # fmt: skip
    sheet.paint(hull, colour, 0.7, 0.15)
    sheet.paint(stroke((-0.1, -0.02), (-0.12, 0.3), 0.018), toned(colour, 0.5))
    sheet.paint(stroke((-0.28, 0.06), (-0.18, 0.06), 0.04), toned(colour, 0.5))
    sheet.paint(stroke((-0.95, 0.34), (0.96, 0.34), 0.08), (0.2, 0.2, 0.22), 0.3, 0.03)
    sheet.paint(ellipse(0.9, 0.1, 0.07, 0.09), (1, 0.96, 0.75), 0.3, 0.04)
    sheet.paint(box(-0.99, 0.02, -0.9, 0.16, 0.03), (0.8, 0.05, 0.05), 0.3, 0.04)
    for x in (-0.55, 0.57):
        _wheel(sheet, x, 0.36, 0.24)


def frog(sheet: Sheet, rng: np.random.Generator) -> None:
    """A frog that sits facing the viewer: two eyes on top, a wide mouth, folded legs, spots."""
    skin = paint(rng.uniform(0.2, 0.4), rng.uniform(0.55, 0.85), rng.uniform(0.45, 0.75))
    belly = paint(rng.uniform(0.13, 0.2), 0.35, 0.9)
    for side in (-1, 1):
        thigh = ellipse(side * 0.66, 0.42, 0.32, 0.4).turned(side * 18, (side * 0.66, 0.42))
        sheet.paint(thigh, toned(skin, 0.8), 0.6, 0.15)
        for toe in (-0.14, 0.0, 0.14):
            sheet.paint(
                stroke((side * 0.66, 0.76), (side * (0.8 + 0.5 * toe), 0.86 + 0.1 * abs(toe)), 0.1),
                toned(skin, 0.75), 0.4, 0.05,
            )  # fmt: skip
        sheet.paint(disc(side * 0.36, -0.58, 0.26), skin, 0.7, 0.1)
    sheet.paint(ellipse(0, 0.34, 0.62, 0.52), skin, 0.6, 0.2)
    sheet.paint(ellipse(0, 0.5, 0.42, 0.36), belly, 0.3, 0.2)
    sheet.paint(ellipse(0, -0.18, 0.76, 0.46), skin, 0.7, 0.2)
    for _ in range(int(rng.integers(5, 10))):
        angle, far = rng.uniform(0, 2 * np.pi), rng.uniform(0.2, 0.85)
        spot = (0.6 * far * np.cos(angle), -0.3 + 0.22 * far * np.sin(angle))
        sheet.paint(ellipse(*spot, rng.uniform(0.03, 0.07), 0.04), toned(skin, 0.6), alpha=0.8)
    for side in (-1, 1):
        sheet.paint(
            disc(side * 0.36, -0.62, 0.18), paint(rng.uniform(0.1, 0.16), 0.6, 0.95), 0.4, 0.06
        )
        sheet.paint(ellipse(side * 0.36, -0.62, 0.12, 0.075), BLACK)
        sheet.paint(disc(side * 0.36 - 0.04, -0.66, 0.03), WHITE)
        sheet.paint(disc(side * 0.08, -0.22, 0.022), toned(skin, 0.35))
        arm = stroke((side * 0.4, 0.3), (side * 0.34, 0.82), 0.18, 0.13)
        sheet.paint(arm, toned(skin, 0.9), 0.5, 0.07)
        sheet.paint(ellipse(side * 0.36, 0.86, 0.17, 0.07), toned(skin, 0.85), 0.4, 0.05)
    smile = ellipse(0, -0.3, 0.62, 0.34).outline(0.04) - box(-1, -1, 1, -0.12)
    sheet.paint(smile, toned(skin, 0.3))


def bird(sheet: Sheet, rng: np.random.Generator) -> None:
    """A songbird on thin legs, seen from the side: beak, wing, tail."""
    back = any_of(rng, (0.2, 0.4, 0.8), (0.85, 0.25, 0.15), (0.95, 0.78, 0.15), (0.45, 0.33, 0.25),
                  (0.25, 0.55, 0.35))  # fmt: skip
    chest = any_of(rng, (0.95, 0.9, 0.8), (0.9, 0.5, 0.25), (0.98, 0.85, 0.4))
    legs = (0.35, 0.22, 0.15)
    for x in (0.0, 0.16):
        sheet.paint(stroke((x, 0.5), (x + 0.06, 0.92), 0.045), legs)
        for toe in (-0.08, 0.04, 0.16):
            sheet.paint(stroke((x + 0.06, 0.9), (x + 0.06 + toe, 0.95), 0.04), legs)
    tail = polygon((-0.42, 0.2), (-0.98, 0.42), (-0.94, 0.6), (-0.36, 0.42), radius=0.02)
    sheet.paint(tail, toned(back, 0.65), 0.5, 0.06)
    sheet.paint(ellipse(0.0, 0.16, 0.6, 0.44).turned(-22, (0.0, 0.16)), chest, 0.6, 0.2)
    upper = ellipse(-0.06, 0.06, 0.6, 0.38).turned(-24, (-0.06, 0.06))
    sheet.paint(upper - ellipse(0.22, 0.36, 0.55, 0.42), back, 0.4, 0.15)
    sheet.paint(disc(0.45, -0.36, 0.34), back, 0.7, 0.15)
    sheet.paint(ellipse(0.53, -0.2, 0.22, 0.15), chest, 0.2, 0.1)
    beak = any_of(rng, (0.95, 0.65, 0.1), (0.25, 0.2, 0.18))
    sheet.paint(polygon((0.74, -0.46), (1.0, -0.33), (0.74, -0.27)), beak, 0.5, 0.06)
    sheet.paint(disc(0.55, -0.42, 0.07), BLACK)
    sheet.paint(disc(0.57, -0.44, 0.024), WHITE)
    wing = ellipse(-0.16, 0.14, 0.48, 0.25).turned(18, (-0.16, 0.14))
    sheet.paint(wing, toned(back, 0.75), 0.7, 0.1)
    for feather in range(3):
        at = -0.08 + 0.13 * feather
        sheet.paint(
            stroke((-0.02 - at, at), (-0.5 - 0.4 * at, 0.04 + at), 0.03),
            toned(back, 0.5),
            alpha=0.8,
        )


def dog(sheet: Sheet, rng: np.random.Generator) -> None:
    """A dog's face: hanging ears, muzzle, nose, eyes, tongue."""
    coat = any_of(rng, (0.72, 0.5, 0.28), (0.45, 0.28, 0.16), (0.88, 0.76, 0.55), (0.3, 0.28, 0.28))
    ear = toned(coat, rng.choice((0.55, 0.75)))
    snout = any_of(rng, (0.95, 0.9, 0.82), toned(coat, 1.25))
    sheet.paint(ellipse(0, -0.05, 0.66, 0.72), coat, 0.6, 0.2)
    if rng.random() < 0.5:
        patch = ellipse(rng.choice((-0.3, 0.3)), -0.22, 0.24, 0.28)
        sheet.paint(patch, ear, 0.1)
    sheet.paint(ellipse(0, -0.42, 0.12, 0.36), snout, alpha=0.8)
    hang = rng.uniform(8, 26)
    for side in (-1, 1):
        flap = ellipse(side * 0.68, -0.12, 0.24, 0.6).turned(-side * hang, (side * 0.62, -0.6))
        sheet.paint(flap, ear, 0.6, 0.14)
    sheet.paint(ellipse(0, 0.72, 0.15, 0.26), (0.88, 0.38, 0.42), 0.5, 0.08)
    sheet.paint(stroke((0, 0.6), (0, 0.88), 0.02), (0.65, 0.2, 0.25))
    for side in (-1, 1):
        sheet.paint(ellipse(side * 0.2, 0.4, 0.29, 0.26), snout, 0.5, 0.12)
        sheet.paint(ellipse(side * 0.28, -0.2, 0.115, 0.13), (0.3, 0.18, 0.1), 0.3, 0.05)
        sheet.paint(disc(side * 0.28, -0.19, 0.075), BLACK)
        sheet.paint(disc(side * 0.28 - 0.03, -0.235, 0.03), WHITE)
        for x, y in ((0.24, 0.42), (0.34, 0.38), (0.32, 0.48)):
            sheet.paint(disc(side * x, y, 0.018), toned(coat, 0.4))
    sheet.paint(ellipse(0, 0.2, 0.2, 0.145), BLACK, 0.9, 0.08)
    sheet.paint(stroke((0, 0.32), (0, 0.48), 0.03), toned(coat, 0.3))


def marimba(sheet: Sheet, rng: np.random.Generator) -> None:
    """A toy xylophone: coloured bars from long to short on two rails, two mallets."""
    bars = int(rng.integers(6, 9))
    first, rail = rng.uniform(), any_of(rng, (0.6, 0.4, 0.22), (0.8, 0.65, 0.42), (0.35, 0.3, 0.28))
    wooden = rng.random() < 0.3
    for side in (-1, 1):
        sheet.paint(stroke((-0.95, side * 0.42), (0.95, side * 0.22), 0.12), rail, 0.5, 0.05)
    pitch = 1.84 / bars
    for k in range(bars):
        x, half = -0.92 + pitch * (k + 0.5), 0.72 - 0.36 * k / (bars - 1)
        colour = (
            toned((0.68, 0.4, 0.22), 0.8 + 0.4 * rng.random())
            if wooden
            else paint(first + 0.86 * k / bars, 0.78, 0.88)
        )
        sheet.paint(box(x - 0.42 * pitch, -half, x + 0.42 * pitch, half, 0.03), colour, 0.6, 0.05)
        for y in (-1, 1):
            sheet.paint(disc(x, y * (0.4 - 0.18 * k / bars), 0.035), STEEL, 0.5, 0.02)
    ball = any_of(rng, (0.85, 0.2, 0.2), (0.2, 0.3, 0.7), INK)
    for start, end in (((0.2, 0.92), (-0.35, 0.1)), ((0.75, 0.88), (0.3, -0.05))):
        sheet.paint(stroke(start, end, 0.05), (0.85, 0.7, 0.45), 0.4, 0.02)
        sheet.paint(disc(*end, 0.1), ball, 0.8, 0.06)
