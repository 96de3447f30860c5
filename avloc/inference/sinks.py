"""Results written while they come, each file whole or not at all."""

from __future__ import annotations

import csv
import json
import tempfile
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import IO, Protocol

import numpy as np

from avloc.media.pictures import GifWriter, save_png
from avloc.media.reader import Picture
from avloc.results import COLUMNS, row, summary
from avloc.types import Heatmap, Localization


class Sink(Protocol):
    """Takes heatmaps one by one; `finish` gets the localization, its heatmaps left out."""

    def add(self, heatmap: Heatmap) -> None:
        """The next heatmap in order of time."""
        ...

    def finish(self, result: Localization) -> None:
        """Write the file."""
        ...


class JsonSink:
    """The same file as `Localization.save` writes, in constant memory."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rows: IO[str] = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115
        self._count = 0

    def add(self, heatmap: Heatmap) -> None:
        text = json.dumps(row(heatmap), indent=1)
        self._rows.write(("," if self._count else "") + "\n  " + text.replace("\n", "\n  "))
        self._count += 1

    def finish(self, result: Localization) -> None:
        head = summary(replace(result, heatmaps=()))
        del head["heatmaps"]
        with self._path.open("w", encoding="utf-8") as file:
            file.write(json.dumps(head, indent=1).removesuffix("\n}") + ',\n "heatmaps": [')
            self._rows.seek(0)
            while part := self._rows.read(1 << 20):
                file.write(part)
            file.write("\n ]\n}\n" if self._count else "]\n}\n")
        self._rows.close()


class CsvSink:
    """The same file as `Localization.save` writes, line by line."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w", encoding="utf-8", newline="")
        self._writer = csv.writer(self._file, lineterminator="\n")
        self._writer.writerow(COLUMNS)

    def add(self, heatmap: Heatmap) -> None:
        entry = row(heatmap, 1)
        box = entry["boxes"][0] if entry["boxes"] else [""] * 4
        tag = entry["tags"][0] if entry["tags"] else {"name": "", "probability": ""}
        self._writer.writerow(
            [entry["time"], entry["confidence"], *entry["peak"], *box, *tag.values()]
        )

    def finish(self, result: Localization) -> None:
        self._file.close()


class NpzSink:
    """Raw heatmaps, spooled to a temporary file until their number is known."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._maps: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        self._shape: tuple[int, ...] = (0, 0)
        self._times: list[float] = []
        self._confidence: list[float] = []

    def add(self, heatmap: Heatmap) -> None:
        values = np.ascontiguousarray(heatmap.values, np.float32)
        self._shape = values.shape
        self._maps.write(values.tobytes())
        self._times.append(heatmap.time)
        self._confidence.append(heatmap.confidence)

    def finish(self, result: Localization) -> None:
        header = {
            "descr": np.lib.format.dtype_to_descr(np.dtype(np.float32)),
            "fortran_order": False,
            "shape": (len(self._times), *self._shape),
        }
        with zipfile.ZipFile(self._path, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as archive:
            with archive.open("heatmaps.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array_header_1_0(member, header)
                self._maps.seek(0)
                while part := self._maps.read(1 << 20):
                    member.write(part)
            for name, values in (("times", self._times), ("confidence", self._confidence)):
                with archive.open(f"{name}.npy", "w") as member:
                    np.lib.format.write_array(member, np.array(values, np.float64))
        self._maps.close()


class FramesSink:
    """One painted picture for each heatmap, as PNG, named by its time in milliseconds."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def show(self, picture: Picture, time: float) -> None:
        """The picture painted with a heatmap of its own."""
        save_png(picture, self._folder / f"{round(time * 1000):09d}.png")


class GifSink:
    """One painted picture for each heatmap, as an animation."""

    def __init__(self, gif: GifWriter) -> None:
        self._gif = gif

    def show(self, picture: Picture, time: float) -> None:
        """The picture painted with a heatmap of its own."""
        self._gif.write(picture, time)
