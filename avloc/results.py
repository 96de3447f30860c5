"""Localizations as files: JSON for programs, CSV for spreadsheets, NPZ for the raw maps."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from avloc.errors import UsageError
from avloc.files import replacing
from avloc.types import Heatmap, Localization

SCHEMA = 1
BOX_RULE = "half-max"
COLUMNS = ("time", "confidence", "peak_x", "peak_y", "x0", "y0", "x1", "y1", "tag", "probability")


def row(heatmap: Heatmap, sources: int = 3) -> dict[str, Any]:
    """One heatmap in numbers: time in seconds, points and boxes as fractions of the picture."""
    peaks = [[round(v, 4) for v in peak] for peak in heatmap.peaks(sources)]
    return {
        "time": round(heatmap.time, 4),
        "confidence": round(heatmap.confidence, 4),
        "peak": peaks[0][:2],
        "peaks": peaks,
        "boxes": [[round(v, 4) for v in box] for box in heatmap.boxes(BOX_RULE, sources)],
        "tags": [
            {"name": tag.name, "probability": round(tag.probability, 4)} for tag in heatmap.tags
        ],
    }


def summary(result: Localization) -> dict[str, Any]:
    """The whole localization as a JSON-ready dictionary, without the maps' values."""
    return {
        "schema": SCHEMA,
        "source": result.source,
        "status": result.status,
        "lost_seconds": round(result.lost_seconds, 3),
        "notes": list(result.notes),
        "model": result.model,
        "versions": dict(result.versions),
        "fps": result.fps,
        "width": result.width,
        "height": result.height,
        "duration": round(result.duration, 4),
        "box_rule": BOX_RULE,
        "heatmaps": [row(heatmap) for heatmap in result.heatmaps],
    }


def _csv(rows: Iterable[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for entry in rows:
        box = entry["boxes"][0] if entry["boxes"] else [""] * 4
        tag = entry["tags"][0] if entry["tags"] else {"name": "", "probability": ""}
        writer.writerow([entry["time"], entry["confidence"], *entry["peak"], *box, *tag.values()])
    return text.getvalue()


def save(result: Localization, path: Path) -> Path:
    """Write `result` in the format its suffix names; the file appears whole or not at all."""
    suffix = path.suffix.lower()
    if suffix not in (".json", ".csv", ".npz"):
        raise UsageError(f"cannot save a localization as {path.name}; use .json, .csv or .npz")
    with replacing(path) as part:
        if suffix == ".json":
            part.write_text(json.dumps(summary(result), indent=1) + "\n", encoding="utf-8")
        elif suffix == ".csv":
            part.write_text(_csv(row(heatmap, 1) for heatmap in result.heatmaps), encoding="utf-8")
        else:
            maps = [heatmap.values for heatmap in result.heatmaps]
            with part.open("wb") as file:
                np.savez_compressed(
                    file,
                    heatmaps=np.stack(maps) if maps else np.zeros((0, 0, 0), np.float32),
                    times=np.array([heatmap.time for heatmap in result.heatmaps]),
                    confidence=np.array([heatmap.confidence for heatmap in result.heatmaps]),
                )
    return path
