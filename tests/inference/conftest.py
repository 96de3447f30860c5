import numpy as np
import pytest
import torch

from avloc.features.windows import grid_times, window_at
from avloc.inference.engine import Evidence
from avloc.inference.localizer import Localizer


class FakeEngine:
    """Follows by hand: values are the luma of cells times the level of the sound."""

    id = "fake"
    rate = 8000
    window = 1.0
    device = torch.device("cpu")
    moving = False

    def hear(self, windows):
        level = np.sqrt(np.mean(np.square(windows, dtype=np.float64), axis=1)).astype(np.float32)
        return Evidence(np.minimum(1, 0.2 + 2 * level)[:, None], level, ["Noise"])

    def excerpts(self, wave):
        times = grid_times(len(wave), self.rate)
        return np.stack([window_at(wave, self.rate, time, self.window) for time in times])

    def prepare(self, frame, following=None):
        height, width = (max(1, n // 8) for n in frame.shape[:2])
        cells = frame[: height * 8, : width * 8].reshape(height, 8, width, 8, 3)
        return cells.mean(axis=(1, 3)).astype(np.uint8).transpose(2, 0, 1)

    prepare_item = prepare

    def look(self, prepared, evidence):
        luma = prepared.mean(axis=1, dtype=np.float64) / 255
        level = np.ones(len(luma)) if evidence is None else evidence.level
        return [
            ((grid * loud).astype(np.float32), float(min(1, 2 * loud)))
            for grid, loud in zip(luma, level, strict=True)
        ]


@pytest.fixture
def fake_engine():
    return FakeEngine()


@pytest.fixture
def fake(fake_engine):
    return Localizer(fake_engine)
