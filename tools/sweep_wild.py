"""What a training run gives at other blends, picture sizes and windows, on validation items.

    python tools/sweep_wild.py --data DIR RUN [--blend 0.7 0.8 1] [--side 352 288] [--window 2/0.35]

RUN is a run folder of `avloc train` (its last.pt is read). Every combination is one row: mixtures
and held-out photos, percentages of items with cIoU of at least 0.5, mean cIoU in brackets. A
window is its seconds and its focus. The video moments are not looked at.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from avloc.data.concepts import Concepts
from avloc.data.mixtures import mixtures, singles
from avloc.evaluation.validation import Method, on_mixtures, on_photos
from avloc.inference.localizer import Localizer
from avloc.inference.two_stream_engine import TwoStreamEngine
from avloc.models.scales import QUALITIES
from avloc.models.two_stream import NetworkConfig, TwoStream
from avloc.models.weights import Header
from avloc.training.wild.loop import blended
from avloc.training.wild.recipe import read_recipe
from avloc.training.wild.resuming import read_state

CONCEPTS = Path(__file__).parent.parent / "recipes" / "wild" / "concepts.yaml"
AVERAGED = "module."  # what the names in a running average begin with
UNUSED = {quality: {"weights": [0.0, 0.0, 0.0], "bias": 0.0} for quality in QUALITIES}


def network(state: dict, part: str, prefix: str, config: NetworkConfig) -> TwoStream:
    made = TwoStream(config)
    made.load_state_dict(
        {k.removeprefix(prefix): v for k, v in state[part].items() if k.startswith(prefix)}
    )
    return made


def method_of(made: TwoStream) -> Method:
    localizer = Localizer(
        TwoStreamEngine(made, Header("sweep", made.config, UNUSED, [""] * 527), "cpu")
    )

    def method(frame: np.ndarray, wave: np.ndarray, rate: int, time: float | None) -> np.ndarray:
        return localizer.heatmap(frame, wave, rate, time).values

    return method


def share(scores: np.ndarray) -> str:
    return f"{100 * (scores >= 0.5).mean():.1f} ({100 * scores.mean():.1f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--blend", type=float, nargs="+", help="default: the recipe's")
    parser.add_argument("--side", type=int, nargs="+", help="root of the area; default: the same")
    parser.add_argument("--window", nargs="+", help="SECONDS/FOCUS; default: the recipe's")
    parser.add_argument("--mixtures", type=int, default=300)
    options = parser.parse_args()

    recipe = read_recipe(options.run / "recipe.yaml")
    state = read_state(options.run / "last.pt")
    concepts = Concepts.read(CONCEPTS)
    mixed, single = (
        mixtures(options.data, concepts, options.mixtures),
        singles(options.data, concepts),
    )
    plain = recipe.network
    windows = options.window or [f"{plain.window}/{plain.focus}"]
    table = Table(
        "blend",
        "side",
        "window",
        "mixtures: right photo",
        "true size",
        "photos: true size",
        "median rule",
        title=f"{options.run.name}, step {state['step']}",
    )
    console = Console(width=max(100, Console().width))
    sides = options.side or [round(plain.area**0.5)]
    for blend, side, window in product(options.blend or [recipe.optimiser.blend], sides, windows):
        seconds, focus = map(float, window.split("/"))
        config = replace(plain, area=side * side, window=seconds, focus=focus)
        trained = network(state, "average", AVERAGED, config)
        method = method_of(blended(trained, network(state, "before", "", config), blend))
        heard, marked = on_mixtures(method, mixed), on_photos(method, single)
        right = f"{100 * heard.right.mean():.1f}"
        table.add_row(
            f"{blend:g}",
            str(side),
            window,
            right,
            share(heard.true_size),
            share(marked.true_size),
            share(marked.median),
        )
    console.print(table)


if __name__ == "__main__":
    main()
