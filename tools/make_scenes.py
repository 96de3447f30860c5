"""Write synthetic scenes as a training set: pictures, sounds and a manifest with boxes.

    python tools/make_scenes.py FOLDER --count 6000

The scenes are those that `data.kind: scenes` would draw, made once, so that many runs on slow
machines share the work; none of them is held out (`avloc.data.examples.scenes.held_out_scene`).
"""

from __future__ import annotations

import argparse
import json
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import soundfile
from PIL import Image

from avloc.data.examples.plan import ExamplePlan
from avloc.data.examples.scenes import SceneOptions, Scenes


def write(folder: Path, scenes: Scenes, number: int) -> str:
    """Write scene `number`; returns its line of the manifest."""
    clip = scenes._clip(np.random.default_rng([scenes.seed, 0, number]))
    name = f"{number:06d}"
    Image.fromarray(clip.frame).save(folder / "frames" / f"{name}.jpg", quality=95)
    soundfile.write(folder / "audio" / f"{name}.wav", clip.wave, scenes.plan.rate)
    row = {"id": name, "picture": f"frames/{name}.jpg", "sound": f"audio/{name}.wav"}
    return json.dumps({**row, "boxes": [] if clip.boxes is None else clip.boxes.round(5).tolist()})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=6000)
    parser.add_argument("--side", type=int, default=96, help="pixels of a picture")
    parser.add_argument("--seconds", type=float, default=2.0, help="of sound")
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    plan = ExamplePlan(side=given.side, seconds=given.seconds, augment="none")
    scenes = Scenes(SceneOptions(fewest=1, most=3), plan)
    for part in ("frames", "audio"):
        (given.folder / part).mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(given.workers) as pool:
        work = partial(write, given.folder, scenes)
        lines = list(pool.map(work, range(given.count), chunksize=50))
    (given.folder / "train.jsonl").write_text("".join(f"{line}\n" for line in lines))
    print(f"{given.folder}: {len(lines)} scenes")


if __name__ == "__main__":
    main()
