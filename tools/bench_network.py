"""Time of the two networks on one thread, plain, folded and fused.

python tools/bench_network.py [WEIGHTS] [--rounds 9]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table

from avloc.features.image import input_size, normalise
from avloc.features.spectrogram import RATE, log_mel
from avloc.models.fused import can_fuse, fuse
from avloc.models.mobile import fold_norms
from avloc.models.weights import BUNDLED, load_weights


def best(run: Callable[[], object], rounds: int, count: int) -> str:
    """The least time of some rounds, in milliseconds for each of `count` items."""
    times = []
    for _ in range(rounds):
        begin = time.perf_counter()
        run()
        times.append(time.perf_counter() - begin)
    return f"{1000 * min(times) / count:.1f}"


@torch.inference_mode()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("weights", nargs="?", type=Path, default=BUNDLED)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    torch.set_num_threads(1)
    plain, header = load_weights(options.weights)
    plain = plain.to(memory_format=torch.channels_last)
    folded = fold_norms(deepcopy(plain))
    networks = {"plain": plain, "folded": folded}
    if can_fuse():
        networks["fused"] = deepcopy(folded)
        fuse(networks["fused"])
    size = input_size(720, 1280, header.network.area)
    frames = normalise(torch.randint(0, 255, (2, 3, *size), dtype=torch.uint8))
    waves = torch.randn(8, round(RATE * header.network.window)) * 0.1
    spectrograms = log_mel(waves)
    table = Table("network", f"frame {size[1]}x{size[0]}, ms", "window of sound, ms")
    for name, network in networks.items():
        seen = best(lambda n=network: n.see(frames), options.rounds, len(frames))
        heard = best(lambda n=network: n.hear(spectrograms), options.rounds, len(waves))
        table.add_row(name, seen, heard)
    table.add_row("log-mel", "", best(lambda: log_mel(waves), options.rounds, len(waves)))
    Console().print(table)


if __name__ == "__main__":
    main()
