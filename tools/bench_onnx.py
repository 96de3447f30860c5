"""What ONNX Runtime makes of a model: size, speed against PyTorch, and the change in cIoU.

    python tools/bench_onnx.py --data DIR [--weights FILE] [--keep DIR] [--speed | --ciou]

Exports the model (by default the bundled one) in every precision, to `--keep` if it is to be done
once, and answers the scored video moments of wild_dev.json with each. "plain" is the network as it
was trained, in eager PyTorch; "PyTorch" is what avloc runs, also eager, its normalisations folded
and its convolutions fused with their activations. "int8, all" also quantizes convolutions
dynamically, as ONNX Runtime would by itself; no export does.

Time is that of whole runs over all moments, sound, frame and confidence; rounds take turns, and the
least counts. Threads: as many as OMP_NUM_THREADS says.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from PIL import Image
from rich.console import Console
from rich.table import Table

from avloc.data.wild import moments
from avloc.evaluation.scores import bootstrap
from avloc.evaluation.validation import Method, on_moments
from avloc.features.spectrogram import RATE
from avloc.features.wavefile import read_wave
from avloc.inference.exporting import export
from avloc.inference.loading import engine_of, load_engine
from avloc.inference.localizer import Localizer
from avloc.inference.onnx_runner import OnnxRunner
from avloc.inference.runners import TorchRunner
from avloc.models.onnx_file import OnnxFile, read_onnx
from avloc.models.shrinking import LAYERS, quantized
from avloc.models.weights import BUNDLED, load_weights


def method_of(localizer: Localizer) -> Method:
    return lambda frame, wave, rate, moment: localizer.heatmap(frame, wave, rate, moment).values


def exported(weights: Path, folder: Path, precision: str) -> OnnxFile:
    path = folder / f"{precision}.onnx"
    if not path.exists():
        export(weights, path, precision=precision)
    return read_onnx(path)


def best_of(runs: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """The least time of each run in seconds; they take turns."""
    found = dict.fromkeys(runs, np.inf)
    for _ in range(rounds):
        for name, run in runs.items():
            begin = time.perf_counter()
            run()
            found[name] = min(found[name], time.perf_counter() - begin)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--weights", type=Path, default=BUNDLED)
    parser.add_argument("--keep", type=Path, help="folder of the exported files")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--every", type=int, default=1, help="of the moments only every n-th")
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--speed", action="store_true", help="only speed")
    only.add_argument("--ciou", action="store_true", help="only cIoU")
    options = parser.parse_args()

    found = [moment for moment in moments(options.data) if moment.scored][:: options.every]
    with TemporaryDirectory() as scratch:
        folder = options.keep or Path(scratch)
        files = {p: exported(options.weights, folder, p) for p in ("float32", "float16", "int8")}
    plain = files["float32"]
    files["int8, all"] = replace(plain, model=quantized(plain.model, LAYERS))
    network, header = load_weights(options.weights)
    engines = {
        "plain": engine_of(TorchRunner(network, torch.device("cpu")), header),
        "PyTorch": load_engine(options.weights, "cpu"),
        **{name: engine_of(OnnxRunner(file, "cpu"), header) for name, file in files.items()},
    }
    methods = {name: method_of(Localizer(engine)) for name, engine in engines.items()}
    sizes = {name: file.model.ByteSize() for name, file in files.items()}

    columns: dict[str, dict[str, str]] = {}
    if not options.ciou:
        inputs = []
        for moment in found:
            with Image.open(moment.frame) as image:
                inputs.append((np.asarray(image.convert("RGB")), read_wave(moment.sound, RATE)))

        def whole(method: Method) -> Callable[[], object]:
            return lambda: [method(frame, wave, RATE, None) for frame, wave in inputs]

        took = best_of({name: whole(method) for name, method in methods.items()}, options.rounds)
        for name, seconds in took.items():
            columns.setdefault(name, {})["ms a moment"] = f"{1000 * seconds / len(inputs):.1f}"
            columns[name]["times plain"] = f"{took['plain'] / seconds:.2f}"
            columns[name]["times PyTorch"] = f"{took['PyTorch'] / seconds:.2f}"
    if not options.speed:
        scores = {name: on_moments(method, found).true_size for name, method in methods.items()}
        for name, score in scores.items():
            mean, low, high = bootstrap(score - scores["PyTorch"])
            columns.setdefault(name, {})["cIoU"] = f"{100 * score.mean():.2f}"
            columns[name]["change (95 %)"] = (
                f"{100 * mean:+.2f} ({100 * low:+.2f}..{100 * high:+.2f})"
            )
            columns[name][">= 0.5"] = f"{100 * (score >= 0.5).mean():.1f}"
    threads = torch.get_num_threads()
    title = f"{header.id}, {len(found)} moments, {threads} thread{'s' * (threads > 1)}"
    table = Table("runs as", "MB", *next(iter(columns.values())), title=title)
    for name, cells in columns.items():
        size = sizes.get(name, options.weights.stat().st_size)
        table.add_row(name, f"{size / 1e6:.1f}", *cells.values())
    Console(width=max(100, Console().width)).print(table)


if __name__ == "__main__":
    main()
