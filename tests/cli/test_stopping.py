"""The program stopped in the middle, as a process of its own."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from avloc.media.simple import write_clip


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> Path:
    """A clip of a minute that is light to make."""
    path = tmp_path_factory.mktemp("long") / "clip.mp4"
    frame = np.random.default_rng(0).integers(0, 255, (96, 128, 3), np.uint8)
    frames = (np.roll(frame, k, 1) for k in range(60 * 20))
    wave = np.sin(np.arange(60 * 16000) / 20).astype(np.float32)
    write_clip(path, frames, 20.0, wave, 16000)
    return path


@pytest.mark.parametrize(
    ("name", "code"), [("SIGINT", 130), ("SIGTERM", 143)], ids=["ctrl-c", "kill"]
)
def test_nothing_unfinished_is_left(clip, tmp_path, name, code):
    words = ["localize", str(clip), "--fps", "20", "-d", "cpu", "-o", str(tmp_path)]
    process = subprocess.Popen(
        [sys.executable, "-m", "avloc", *words, "--save", "video,json,npz,frames,gif"],
        stderr=subprocess.PIPE,
        text=True,
        # A test run in the background of a script has Ctrl-C switched off, and so would this.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        began = time.monotonic()
        # It works when temporary files grow beside the places of the results.
        while not any(path.stat().st_size for path in tmp_path.glob(".*part*/*.png")):
            assert process.poll() is None, process.stderr.read()
            assert time.monotonic() - began < 100, "it never began"
            time.sleep(0.05)
        process.send_signal(getattr(signal, name))
        _, told = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == code
    assert os.listdir(tmp_path) == []
    assert told.count("\n") <= 1, told


def test_a_reader_that_goes_away_is_no_fault():
    done = subprocess.run(
        [
            "bash",
            "-c",
            f"{sys.executable} -m avloc models list --json | true; exit ${{PIPESTATUS[0]}}",
        ],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (1, "")
