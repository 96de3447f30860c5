"""How long `avloc localize` takes as a whole process, against a plain decode and encode.

    python tools/bench_localize.py CLIP [--seconds 60] [--long 1800] [--small CLIP]

The clip is looped by copying its packets until it lasts `--seconds`. The floor is PyAV decoding
it and libx264 (veryfast) encoding it again with the sound copied, measured in the same run, in
turns with avloc, as whole processes. Results go to a temporary folder and are removed.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import av

FLOOR = """
import sys, av
with av.open(sys.argv[1]) as source, av.open(sys.argv[2], "w") as out:
    video, audio = source.streams.video[0], source.streams.audio[0]
    video.thread_type = "AUTO"
    options = {"preset": "veryfast", "crf": "20"}
    picture = out.add_stream("libx264", rate=video.average_rate, options=options)
    picture.width, picture.height, picture.pix_fmt = video.width, video.height, "yuv420p"
    picture.codec_context.time_base = video.time_base
    sound = out.add_stream_from_template(audio)
    for packet in source.demux(video, audio):
        if packet.stream is video:
            for frame in packet.decode():
                frame.pict_type = 0
                out.mux(picture.encode(frame))
        elif packet.dts is not None:
            packet.stream = sound
            out.mux(packet)
    out.mux(picture.encode(None))
"""

FIRST_FRAME = """
import sys, time, avloc
model = avloc.load_model(device="cpu")
next(iter(model.stream(sys.argv[1])))
"""


class Took(NamedTuple):
    """What a process used: seconds by the clock, seconds of processor, MB of memory at most."""

    wall: float
    cpu: float
    memory: float


def run(command: list[str]) -> Took:
    """Run a process to its end; memory is the most it held at once."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    if status:
        sys.exit(f"{' '.join(command)} ended with status {status}")
    scale = 1 << 20 if sys.platform == "darwin" else 1 << 10  # ru_maxrss is bytes on macOS
    return Took(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / scale)


def loop(source: Path, target: Path, seconds: float) -> float:
    """Copy the packets of `source` again and again until `seconds` are full; how many were."""
    with av.open(str(source)) as clip, av.open(str(target), "w") as out:
        kept = (clip.streams.video[0], clip.streams.audio[0])
        streams = {kind.index: out.add_stream_from_template(kind, opaque=True) for kind in kept}
        offset = 0.0
        while offset < seconds:
            clip.seek(0)
            first, last = 0.0, 0.0
            for packet in clip.demux(*kept):
                if packet.dts is None or packet.pts is None:
                    continue
                base = packet.time_base
                first = min(first, float(packet.dts * base))
                last = max(last, float((packet.pts + (packet.duration or 0)) * base))
                shift = round(offset / base)
                packet.pts += shift
                packet.dts += shift
                packet.stream = streams[packet.stream.index]
                out.mux(packet)
            offset += last - first
    return offset


def localize(source: Path, target: Path) -> list[str]:
    """The command that is measured."""
    words = ["localize", str(source), "-o", str(target), "--device", "cpu", "-q", "--overwrite"]
    return [sys.executable, "-m", "avloc", *words]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clip", type=Path, help="a 720p clip with sound")
    parser.add_argument("--seconds", type=float, default=60.0, help="length it is looped to")
    parser.add_argument("--small", type=Path, help="a 360p clip, for its speed in real time")
    parser.add_argument("--long", type=float, default=0.0, help="seconds, for memory; 0: leave out")
    parser.add_argument("--rounds", type=int, default=3, help="the median of so many counts")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure(args, Path(folder))


def measure(args: argparse.Namespace, folder: Path) -> None:
    """Print the table, row by row as it comes."""
    clip, out = folder / "clip.mp4", folder / "out.mp4"
    length = loop(args.clip, clip, args.seconds)
    print(
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before; {length:.0f} s of video\n"
    )
    print("| what | seconds | of floor | processor seconds | of floor | peak MB | x real time |")
    print("|---|---|---|---|---|---|---|", flush=True)
    floors, ours = [], []
    for _ in range(args.rounds):
        floors.append(run([sys.executable, "-c", FLOOR, str(clip), str(out)]))
        ours.append(run(localize(clip, out)))
    floor = middle(floors)
    row("floor: decode and x264", floor, floor, length)
    row("avloc localize", middle(ours), floor, length)
    ratios = sorted(o.wall / f.wall for o, f in zip(ours, floors, strict=True))
    first = middle(
        [run([sys.executable, "-c", FIRST_FRAME, str(clip)]) for _ in range(args.rounds)]
    )
    row("start-up to the first heatmap", first, None, None)
    if args.small:
        length = loop(args.small, clip, args.seconds)
        row("avloc localize, small", run(localize(clip, out)), None, length)
    if args.long:
        length = loop(args.clip, clip, args.long)
        row(f"avloc localize, {length / 60:.0f} min", run(localize(clip, out)), None, length)
    print(f"\nratio to the floor by the clock: {', '.join(f'{r:.2f}' for r in ratios)}")


def middle(runs: list[Took]) -> Took:
    """The median of each column."""
    return Took(*(statistics.median(column) for column in zip(*runs, strict=True)))


def row(name: str, took: Took, floor: Took | None, length: float | None) -> None:
    """One line of the table."""
    wall = f"{took.wall / floor.wall:.2f}" if floor else ""
    cpu = f"{took.cpu / floor.cpu:.2f}" if floor else ""
    speed = f"{length / took.wall:.1f}" if length else ""
    print(
        f"| {name} | {took.wall:.1f} | {wall} | {took.cpu:.1f} | {cpu} | {took.memory:.0f} "
        f"| {speed} |",
        flush=True,
    )


if __name__ == "__main__":
    main()
