"""Fitting the confidence: how often a map with such correlations belongs to a visible source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression

from avloc.data.pairs import Pair
from avloc.features.image import fit, normalise
from avloc.features.spectrogram import RATE, log_mel
from avloc.features.windows import grid_times, window_at
from avloc.models.confidence import traits
from avloc.models.scales import QUALITIES, mean_map, view_size, views
from avloc.models.two_stream import TwoStream, correlate

HOP = 0.5  # seconds between the windows of a recording


@dataclass(frozen=True)
class Bin:
    """Pairs of like confidence: mean confidence, share that is matched, and how many."""

    confidence: float
    matched: float
    count: int


@torch.inference_mode()
def observe(network: TwoStream, pairs: list[Pair]) -> dict[str, np.ndarray]:
    """The traits (n, 3) of the map of each pair, looked at in each quality."""
    seconds = network.config.window
    length = round(seconds * RATE)
    rows: dict[str, list[np.ndarray]] = {quality: [] for quality in QUALITIES}
    for pair in pairs:
        wave = pair.wave(RATE, length)
        windows = [
            window_at(wave, RATE, float(t), seconds) for t in grid_times(len(wave), RATE, HOP)
        ]
        logits = network.hear(log_mel(torch.from_numpy(np.stack(windows))))
        probability = network.middle(logits).mean(0, keepdim=True)
        sound, strength = network.embed(probability), float(network.strength(probability))
        frame = pair.frame()
        height, width = frame.shape[:2]
        for quality, found in rows.items():
            size = view_size(height, width, network.config.area, quality)
            largest = torch.from_numpy(fit(frame, size))[None]
            values = mean_map(
                [
                    correlate(network.see(normalise(view)), sound)
                    for view in views(largest, network.config.area, quality)
                ]
            )
            found.append(traits(values[0].numpy(), strength))
    return {quality: np.stack(found) for quality, found in rows.items()}


def calibrate(rows: np.ndarray, pairs: list[Pair]) -> dict[str, Any]:
    """How traits (n, 3) of pairs become a confidence: what `models.confidence` reads."""
    matched = np.array([pair.kind == "matched" for pair in pairs])
    model = LogisticRegression(C=10.0, max_iter=1000).fit(rows, matched)
    return {"weights": [float(w) for w in model.coef_[0]], "bias": float(model.intercept_[0])}


def reliability(sure: np.ndarray, matched: np.ndarray, bins: int = 5) -> list[Bin]:
    """How confidence (n,) compares with truth (n,) bool, in equal steps of confidence."""
    place = np.clip((sure * bins).astype(int), 0, bins - 1)
    return [
        Bin(
            float(sure[place == b].mean()),
            float(matched[place == b].mean()),
            int((place == b).sum()),
        )
        for b in range(bins)
        if (place == b).any()
    ]
