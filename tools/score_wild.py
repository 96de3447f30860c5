"""The score table of the bundled model: does it find the source, and does it listen?

    python tools/score_wild.py --data DIR [WEIGHTS ...] [--moments] [--json FILE]

Rows: what anybody can do (centre disc, whole image, image-only objectness), the class bridge
(two classifiers joined by a table, no training), and the models. Columns: validation mixtures,
held-out photos, unseen synthetic scenes, scenes where two things sound in turn (is the map right
late in both turns; also half a second after the turn) and, only with --moments because they are
for finalists, the annotated video moments. Percentages of items, where a cIoU counts from 0.5 on,
and 95 % bootstrap intervals.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from avloc.data.concepts import Concepts
from avloc.data.index import read_index
from avloc.data.mixtures import mixtures, singles
from avloc.data.wild import moments
from avloc.evaluation import baselines
from avloc.evaluation.scores import bootstrap, sign_test
from avloc.evaluation.validation import (
    Method,
    on_mixtures,
    on_moments,
    on_photos,
    on_scenes,
    on_turns,
    turning_scenes,
    unseen_scenes,
)
from avloc.features.image import fit, input_size, normalise
from avloc.features.spectrogram import log_mel
from avloc.inference.localizer import Localizer
from avloc.inference.two_stream_engine import TwoStreamEngine
from avloc.models.pretrained import fill, read_tensors, timm_names, torchvision_names
from avloc.models.two_stream import NetworkConfig, TwoStream
from avloc.resize import resize
from avloc.training.wild.warm_start import IMAGE_FILE, SOUND_FILE

CONCEPTS = Path(__file__).parent.parent / "recipes" / "wild" / "concepts.yaml"
GRID = 28
HEARD = 0.03  # probability above which a sound class votes in the class bridge


class Bridge:
    """Image classes that make the sound classes heard, as class activation maps; no training.

    Zhou et al. 2016 (arXiv 1512.04150) for the maps. Where nothing heard has an image class, the
    mean absolute image feature stands in.
    """

    def __init__(self, data: Path) -> None:
        self.network = TwoStream(NetworkConfig()).eval()
        image = read_tensors(data / IMAGE_FILE)
        left = fill(self.network.image, image, timm_names(self.network.image))
        self.weight, self.bias = left["classifier.weight"][1:], left["classifier.bias"][1:]
        sound = read_tensors(data / SOUND_FILE)
        left = fill(self.network.sound, sound, torchvision_names(self.network.sound))
        for name, layer in (("0", self.network.tagger.inner), ("3", self.network.tagger.outer)):
            layer.load_state_dict({k: left[f"classifier.{name}.{k}"] for k in ("weight", "bias")})
        self.rows = read_index(data, "weights/audioset_to_imagenet.json")

    @torch.inference_mode()
    def features(self, frame: np.ndarray, side: int) -> torch.Tensor:
        size = input_size(*frame.shape[:2], area=side * side * max(1, frame.shape[1] // 600))
        return self.network.image(normalise(torch.from_numpy(fit(frame, size))[None]))[0]

    def objectness(self, frame: np.ndarray) -> np.ndarray:
        return self.features(frame, 224).abs().mean(0).numpy()

    @torch.inference_mode()
    def __call__(
        self, frame: np.ndarray, wave: np.ndarray, rate: int, time: float | None
    ) -> np.ndarray:
        if time is not None:
            wave = wave[max(0, int((time - 1) * rate)) : int((time + 1) * rate)]
        wave = np.resize(wave, max(len(wave), rate))
        features = self.network.sound(log_mel(torch.from_numpy(wave)[None])).mean((2, 3))
        heard = self.network.tagger(features)[0].sigmoid().numpy()
        total = np.zeros((GRID, GRID), np.float32)
        for side in (224, 352):
            cells = self.features(frame, side)
            scores = torch.einsum("kc,chw->khw", self.weight, cells) + self.bias[:, None, None]
            votes = np.zeros(scores.shape[1:], np.float32)
            for row in self.rows:
                if heard[row["audioset_index"]] > HEARD:
                    seen = torch.logsumexp(scores[row["imagenet_index"]], 0).numpy()
                    seen = (seen - seen.mean()) / (seen.std() + 1e-6)
                    votes += heard[row["audioset_index"]] * row["weight"] * seen
            total += resize(votes, total.shape)
        return total if total.any() else self.objectness(frame)


def of_weights(path: Path | None, quality: str) -> Method:
    localizer = Localizer(TwoStreamEngine.load(path, "cpu", quality))

    def method(frame: np.ndarray, wave: np.ndarray, rate: int, time: float | None) -> np.ndarray:
        return localizer.heatmap(frame, wave, rate, time).values

    return method


def percent(hits: np.ndarray) -> str:
    mean, low, high = bootstrap(hits.astype(float))
    return f"{100 * mean:.1f} ({100 * low:.0f}-{100 * high:.0f})"


def score(method: Method, sets: dict[str, Callable[[Method], dict[str, np.ndarray]]]) -> dict:
    return {name: array for run in sets.values() for name, array in run(method).items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("weights", nargs="*", type=Path, help="default: the bundled model")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--moments", action="store_true", help="look at the video moments")
    parser.add_argument("--scenes", type=int, default=200)
    parser.add_argument("--mixtures", type=int, default=300)
    parser.add_argument("--turns", type=int, default=40)
    parser.add_argument("--quality", default="default")
    parser.add_argument("--no-baselines", action="store_true")
    parser.add_argument("--json", type=Path, help="write every item's score")
    options = parser.parse_args()

    concepts = Concepts.read(CONCEPTS)
    mixed = mixtures(options.data, concepts, options.mixtures)
    single = singles(options.data, concepts)
    drawn = unseen_scenes(options.scenes)
    turning = turning_scenes(options.turns)
    found = [moment for moment in moments(options.data) if moment.scored]

    def listen(method: Method) -> dict[str, np.ndarray]:
        result = on_mixtures(method, mixed)
        return {"mixture: right photo": result.right, "mixture: true size": result.true_size}

    def mark(method: Method) -> dict[str, np.ndarray]:
        result = on_photos(method, single)
        return {"photos: true size": result.true_size, "photos: median": result.median}

    def turn(method: Method) -> dict[str, np.ndarray]:
        result = on_turns(method, turning)
        return {"turns: told": result.told, "turns: in 0.5 s": result.soon}

    def find(method: Method) -> dict[str, np.ndarray]:
        result = on_moments(method, found)
        return {"wild: true size": result.true_size, "wild: median": result.median}

    sets: dict[str, Callable[[Method], dict[str, np.ndarray]]] = {
        "mixtures": listen,
        "photos": mark,
    }
    if options.scenes:
        sets["scenes"] = lambda method: {"scenes: peak": on_scenes(method, drawn)}
    if options.turns:
        sets["turns"] = turn
    if options.moments:
        sets["moments"] = find

    rows: dict[str, Method] = {}
    if not options.no_baselines:
        bridge = Bridge(options.data)
        rows["centre disc"] = lambda frame, *_: baselines.centre((GRID, GRID))
        rows["whole image"] = lambda frame, *_: baselines.whole((GRID, GRID))
        rows["objectness"] = lambda frame, *_: bridge.objectness(frame)
        rows["class bridge"] = bridge
    for path in options.weights or [None]:
        name = "bundled" if path is None else str(path)
        rows[f"{name} ({options.quality})"] = of_weights(path, options.quality)

    console = Console(width=max(160, Console().width))
    scores: dict[str, dict[str, np.ndarray]] = {}
    for name, method in rows.items():
        scores[name] = score(method, sets)
        console.print(f"[dim]{name} done[/dim]")
    columns = list(next(iter(scores.values())))
    table = Table("method", *columns, title="% of items with cIoU >= 0.5 (95 % interval)")
    for name, entry in scores.items():
        hits = [entry[c] if entry[c].dtype == bool else entry[c] >= 0.5 for c in columns]
        table.add_row(name, *(percent(hit) for hit in hits))
    console.print(table)

    rivals = [name for name in ("centre disc", "class bridge") if name in scores]
    paired = Table("model", "against", *columns, title="Mean paired difference, points; sign test")
    for name in list(rows)[len(rows) - len(options.weights or [None]) :]:
        for rival in rivals:
            cells = []
            for column in columns:
                difference = scores[name][column].astype(float) - scores[rival][column]
                mean, low, high = bootstrap(difference)
                cells.append(
                    f"{100 * mean:+.1f} ({100 * low:+.0f}..{100 * high:+.0f}) "
                    f"p={sign_test(difference):.2g}"
                )
            paired.add_row(name, rival, *cells)
    if rivals:
        console.print(paired)
    if options.json:
        plain = {n: {c: v.astype(float).tolist() for c, v in e.items()} for n, e in scores.items()}
        options.json.write_text(json.dumps(plain))


if __name__ == "__main__":
    main()
