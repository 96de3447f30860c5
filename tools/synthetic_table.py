"""Train every recipe of `recipes/synthetic/` on the same scenes, score them, print the table.

    python tools/make_scenes.py FOLDER
    python tools/synthetic_table.py FOLDER -o runs/synthetic [ezvsl lvs ...]

A run that is there is gone on with, or only scored where it is done. Scores are of held-out scenes
with two things, one of which sounds, under the ``avloc`` protocol.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from avloc.data.examples.scenes import SceneOptions, held_out_scene
from avloc.evaluation.baselines import centre
from avloc.evaluation.canvas import Canvas
from avloc.evaluation.own import OwnProtocol
from avloc.evaluation.scores import bootstrap
from avloc.evaluation.truth import rasterise
from avloc.models.dual_encoder import DualEncoder
from avloc.models.weights import load_dual
from avloc.training.ranks import Ranks
from avloc.training.validation import HeldOut, Validation

RECIPES = Path(__file__).parents[1] / "recipes" / "synthetic"
COUNT = 500
CHANCE = 0.5


def held_out(network: DualEncoder, count: int) -> list[HeldOut]:
    """Scenes that no run was trained on, as `network` takes them."""
    options, side = SceneOptions(fewest=2, most=2), network.config.side
    found = []
    for number in range(count):
        scene = held_out_scene(number, options, side, 16_000, 2.0)
        frame = np.ascontiguousarray(scene.frame.transpose(2, 0, 1))
        truth = rasterise(scene.sounding)
        found.append(HeldOut(frame, scene.wave, truth, scene.sounding, scene.silent))
    return found


def seconds(log: Path) -> float:
    """What the updates of a run took."""
    rows = [json.loads(line) for line in log.read_text().splitlines()]
    return sum(64 / row["clips_per_second"] for row in rows if "clips_per_second" in row)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scenes", type=Path, help="what tools/make_scenes.py wrote")
    parser.add_argument("names", nargs="*", help="recipes; all, if none is named")
    parser.add_argument("-o", "--out", type=Path, default=Path("runs/synthetic"))
    parser.add_argument("--only-train", action="store_true")
    given = parser.parse_intermixed_args()
    known = [path.stem for path in sorted(RECIPES.glob("*.yaml")) if path.stem != "base"]
    names = given.names or known
    for name in names:
        words = [str(RECIPES / f"{name}.yaml"), "--data", str(given.scenes), "--resume", "-q"]
        out = ["-o", str(given.out / name), "--device", "cpu"]
        subprocess.run([sys.executable, "-m", "avloc", "train", *words, *out], check=True)
    if given.only_train:
        return
    protocol, clips = OwnProtocol(), None
    table = []
    for name in names:
        network, _ = load_dual(given.out / name / "best.safetensors")
        clips = clips or held_out(network, COUNT)
        scored = Validation(clips, network, Ranks()).scores(network)
        table.append((name, scored, seconds(given.out / name / "log.jsonl")))
    disc = Canvas(centre((24, 24)))
    base = np.array([protocol.score(disc, clip.truth).values["true_size"] for clip in clips or []])
    print("| recipe | right object | true size | minus centre disc | median rule | minutes |")
    print("|---|---|---|---|---|---|")
    print(f"| centre disc | {100 * CHANCE:.0f} | {100 * base.mean():.1f} | | | |")
    for name, rows, time in table:
        right = np.mean([row.right for row in rows if row.right is not None])
        size, median = (
            np.array([row.score.values[key] for row in rows]) for key in ("true_size", "ciou")
        )
        more = bootstrap(100 * (size - base))
        print(
            f"| {name} | {100 * right:.1f} | {100 * size.mean():.1f} "
            f"| {more.mean:+.1f} ({more.low:+.1f} to {more.high:+.1f}) "
            f"| {100 * median.mean():.1f} | {time / 60:.1f} |"
        )


if __name__ == "__main__":
    main()
