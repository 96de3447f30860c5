"""Make the README's picture: moments of a synthetic scene, as they are and with their heatmaps.

    python tools/make_demo_picture.py --seed 7 -o docs/demo.png

Nothing is chosen by hand but the seed: the moments lie in the middle of the longest stretches in
which exactly one thing sounds, one for each thing.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

import avloc
from avloc.data.synthetic import Scene
from avloc.media.overlay import paint_rgb
from avloc.media.style import Style

RATE = 32000
GAP = 8  # pixels between panels
LINE = 34  # pixels of the caption below


def solos(scene: Scene, most: int) -> list[tuple[float, str]]:
    """(second, class) of up to `most` moments at which one thing sounds alone, in order of time."""
    step = 0.05
    stretches: list[tuple[float, float, str]] = []
    for time in np.arange(0, scene.seconds, step):
        sounding = [state.name for state in scene.truth(float(time)) if state.sounds]
        if len(sounding) != 1:
            continue
        if stretches and stretches[-1][2] == sounding[0] and time - stretches[-1][1] < 1.5 * step:
            stretches[-1] = (stretches[-1][0], float(time), sounding[0])
        else:
            stretches.append((float(time), float(time), sounding[0]))
    stretches.sort(key=lambda stretch: stretch[0] - stretch[1])
    longest = {name: (start, end) for start, end, name in reversed(stretches)}
    chosen = [((start + end) / 2, name) for name, (start, end) in longest.items()]
    chosen += [((a + b) / 2, name) for a, b, name in stretches if (a, b) != longest[name]]
    return sorted(chosen[:most])


def picture(scene: Scene, most: int = 3, width: int = 400) -> Image.Image:
    """Panels of the scene above, their overlays below, a caption under each pair."""
    model = avloc.load_model()
    wave = scene.wave(RATE)
    height = round(width * scene.height / scene.width)
    moments = solos(scene, most)
    size = (len(moments) * (width + GAP) - GAP, 2 * height + GAP + LINE)
    page = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(page)
    font = ImageFont.load_default(size=18)
    for column, (time, name) in enumerate(moments):
        left = column * (width + GAP)
        frame = scene.frame(time)
        heatmap = model.heatmap(frame, wave, RATE, time=time)
        painted = paint_rgb(frame, heatmap, Style())
        for row, panel in enumerate((frame, painted)):
            small = Image.fromarray(panel).resize((width, height), Image.Resampling.LANCZOS)
            page.paste(small, (left, row * (height + GAP)))
        caption = f"{time:.1f} s: the {name} sounds"
        place = (left + width / 2, 2 * height + GAP + LINE / 2)
        draw.text(place, caption, fill="black", font=font, anchor="mm")
    return page


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--objects", type=int, default=3)
    parser.add_argument("-o", "--out", type=Path, default=Path("docs/demo.png"))
    options = parser.parse_args()
    page = picture(Scene.random(options.seed, options.objects))
    page.save(options.out, optimize=True)
    print(f"{options.out}: {page.width}x{page.height}, {options.out.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
