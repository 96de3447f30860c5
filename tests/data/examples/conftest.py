"""Clips made for tests: a video whose frames and sound tell their time."""

import numpy as np
import pytest
import soundfile
from PIL import Image

RATE = 16_000


def rising(seconds: float, rate: int = RATE) -> np.ndarray:
    """(n,) float32 that tells its time: from -0.9 at the start to 0.9 at the end."""
    return np.linspace(-0.9, 0.9, round(seconds * rate), dtype=np.float32)


def telling(number: int, width: int, height: int) -> np.ndarray:
    """(H, W, 3): grey of a level that tells its number, up to 100."""
    return np.full((height, width, 3), 20 + 2 * number, np.uint8)


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """frames/ID.jpg and audio/ID.wav: eight clips of 2 s, each grey and its sound of a level."""
    root = tmp_path_factory.mktemp("pairs")
    (root / "frames").mkdir()
    (root / "audio").mkdir()
    for number in range(8):
        Image.fromarray(telling(10 * number, 80, 60)).save(root / "frames" / f"{number}.jpg")
        wave = np.full(2 * RATE, 0.1 * number, np.float32)
        soundfile.write(root / "audio" / f"{number}.wav", wave, RATE, "FLOAT")
    return root
