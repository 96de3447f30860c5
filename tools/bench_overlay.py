"""CPU time of drawing: one heatmap's layer, and one frame between two layers.

    python tools/bench_overlay.py

Prints milliseconds of CPU time, the best of five rounds, for colours alone, the default style, all
lines, and everything that can be drawn.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import av
import numpy as np

from avloc.media.overlay import Painter
from avloc.media.pixels import yuv
from avloc.media.style import Style
from avloc.types import Heatmap, Tag

SIZES = ((640, 360), (1280, 720), (1920, 1080))
STYLES = {
    "colours": Style(contour=False),
    "default": Style(),
    "lines": Style(box=True, peak=True),
    "everything": Style(box=True, peak=True, side_by_side=True, strip=True, legend=True),
}


def heatmap(x: float) -> Heatmap:
    """A round source a third of the picture wide, on a little noise."""
    rows, columns = (np.mgrid[:14, :14] + 0.5) / 14
    values = np.exp(-((rows - 0.5) ** 2 + (columns - x) ** 2) / (2 * 0.15**2))
    values += 0.05 * np.random.default_rng(0).standard_normal(values.shape)
    return Heatmap(values.astype(np.float32), 0.0, 0.9, (Tag("Dog", 0.87), Tag("Bark", 0.6)))


def milliseconds(work: Callable[[int], object], repeats: int) -> float:
    """CPU time of one call, of all threads, the best of five rounds."""
    rounds = []
    for _ in range(5):
        start = time.process_time()
        for index in range(repeats):
            work(index)
        rounds.append((time.process_time() - start) / repeats)
    return 1000 * min(rounds)


def main() -> None:
    print(f"{'style':12}{'format':14}{'size':12}{'layer ms':>10}{'frame ms':>10}")
    for name, style in STYLES.items():
        for format in ("yuv420p", "yuv420p10le"):
            for width, height in SIZES:
                frame = av.VideoFrame(width, height, format)
                for view in yuv(format, "bt709", False).views(frame):
                    view[...] = np.random.default_rng(0).integers(64, 200, view.shape)
                painter = Painter.like(frame, style, duration=60.0)
                one, two = painter.layer(heatmap(0.4)), painter.layer(heatmap(0.6))
                layer = milliseconds(lambda _, p=painter: p.layer(heatmap(0.4)), 5)
                each = milliseconds(
                    lambda i, p=painter, f=frame, a=one, b=two: p.draw(f, a, b, i % 6 / 6, i / 30),
                    20,
                )
                print(f"{name:12}{format:14}{f'{width}x{height}':12}{layer:10.2f}{each:10.2f}")


if __name__ == "__main__":
    main()
