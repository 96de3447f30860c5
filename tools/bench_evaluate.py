"""How fast heatmaps are scored, against the loop that published scripts are written as.

    python tools/bench_evaluate.py [--items 5158] [--part 8]

Scores made-up maps of 14x14 against made-up boxes. The loop enlarges with OpenCV, sorts all pixels
with NumPy and counts in float64, one item after another. `--part 8` takes every eighth item, for a
busy machine. Times are the best of the repetitions, which alternate. Processor time is summed over
processes; it says more where other processes compete for the cores.
"""

from __future__ import annotations

import argparse
import resource
import time

import cv2
import numpy as np

from avloc.evaluation.canvas import Canvas
from avloc.evaluation.protocols import PROTOCOLS
from avloc.evaluation.scoring import score, summarise
from avloc.evaluation.search import ACL
from avloc.evaluation.spreading import spread
from avloc.evaluation.truth import rasterise


def made_up(count: int) -> tuple[np.ndarray, list[np.ndarray]]:
    """Smooth noise (count, 14, 14) and boxes."""
    rng = np.random.default_rng(0)
    maps = rng.standard_normal((count, 14, 14)).astype(np.float32)
    for axis in (1, 2):
        maps += np.roll(maps, 1, axis) + np.roll(maps, -1, axis)
    corners = np.sort(rng.random((count, 1, 2, 2)), axis=2)
    return maps / 10, list(corners.reshape(count, 1, 4))


def loop(maps: np.ndarray, boxes: list[np.ndarray]) -> list[float]:
    """LVS, the straightforward way."""
    scores = []
    for values, box in zip(maps, boxes, strict=True):
        truth = np.zeros((224, 224))
        for x0, y0, x1, y1 in (np.clip(box, 0, 1) * 224).astype(int):
            truth[y0:y1, x0:x1] = 1
        heat = -cv2.resize(values, (224, 224), interpolation=cv2.INTER_LINEAR)
        heat = 1 - (heat - heat.min()) / (heat.max() - heat.min())
        threshold = np.sort(heat.flatten())[224 * 224 // 2]
        heat[heat > threshold] = 1
        heat[heat < 1] = 0
        predicted = np.zeros((224, 224))
        predicted[heat >= 0.5] = 1
        false = np.sum(predicted * (truth == 0))
        scores.append(np.sum(predicted * truth) / (np.sum(truth) + false))
    curve = [np.mean(np.array(scores) >= 0.05 * i) for i in range(21)]
    return [np.mean(np.array(scores) >= 0.5), np.trapezoid(curve, [0.05 * i for i in range(21)])]


def ours(maps: np.ndarray, boxes: list[np.ndarray], names: list[str], workers: int) -> list[float]:
    """Several protocols in one pass."""

    def one(number: int) -> list:
        canvas, truth = Canvas(maps[number], "cosine"), rasterise(boxes[number])
        return [
            ACL.score(canvas, truth) if name == "acl" else score(PROTOCOLS[name], canvas, truth)
            for name in names
        ]

    rows = list(spread(one, iter(range(len(maps))), workers, processes=True))
    found = {}
    for name, column in zip(names, zip(*rows, strict=True), strict=True):
        found[name] = ACL.summarise(column) if name == "acl" else summarise(PROTOCOLS[name], column)
    return [found["lvs"]["ciou"], found["lvs"]["auc"]]


def _used() -> float:
    """Seconds of processor time, of ended worker processes too."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=5158)
    parser.add_argument("--part", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=3)
    given = parser.parse_args()
    cv2.setNumThreads(1)
    maps, boxes = made_up(given.items // given.part)
    everything = [*(name for name in PROTOCOLS if "-" not in name), "slavc-absolute"]
    everything += ["ezvsl-train", "acl"]
    jobs = {
        "straightforward loop (lvs)": lambda: loop(maps, boxes),
        "lvs": lambda: ours(maps, boxes, ["lvs"], given.workers),
        f"all {len(everything)} map protocols": lambda: ours(
            maps, boxes, everything, given.workers
        ),
    }
    best = dict.fromkeys(jobs, np.full(2, np.inf))
    results = {}
    for _ in range(given.repeat):
        for name, job in jobs.items():
            start = time.perf_counter(), _used()
            results[name] = job()
            now = time.perf_counter(), _used()
            best[name] = np.minimum(best[name], np.subtract(now, start))
    base = best["straightforward loop (lvs)"]
    for name, took in best.items():
        for seconds, faster, clock in zip(took, base / took, ("wall", "processor"), strict=True):
            each = 1e3 * seconds / len(maps)
            print(f"{name:28} {each:7.3f} ms an item {faster:6.2f} x  {clock} time")
    assert np.allclose(*[results[name] for name in list(jobs)[:2]], atol=1e-12)
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
