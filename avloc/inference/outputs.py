"""The files of one localization: opened together, written together, there whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from avloc.errors import UsageError
from avloc.files import replacing
from avloc.inference.rendering import Drawn
from avloc.inference.sinks import CsvSink, FramesSink, GifSink, JsonSink, NpzSink, Sink
from avloc.inference.sources import Source
from avloc.media.containers import CONTAINERS, picture_codec
from avloc.media.pictures import GifWriter, replacing_folder
from avloc.media.writer import VideoWriter
from avloc.types import Heatmap, Localization

DRAWN = ("video", "frames", "gif")
"""Kinds of output that need painted frames."""

TABLES: Mapping[str, type[JsonSink] | type[CsvSink] | type[NpzSink]] = {
    "json": JsonSink,
    "csv": CsvSink,
    "npz": NpzSink,
}

ROTATIONS = ("bake", "keep")


@dataclass(frozen=True)
class Outputs:
    """What is to be written where.

    Attributes:
        paths: files by kind, see `Localizer.localize`.
        codec: of the video; None takes its container's default.
        rotation: ``bake`` or ``keep``.
    """

    paths: Mapping[str, Path]
    codec: str | None = None
    rotation: str = "bake"

    @classmethod
    def of(
        cls, out: str | Path | Mapping[str, Path] | None, codec: str | None, rotation: str
    ) -> Outputs:
        """One file by its suffix, or files by kind.

        Raises:
            UsageError: an unknown kind, suffix, codec or rotation.
        """
        if rotation not in ROTATIONS:
            raise UsageError(f"unknown rotation {rotation!r}; use {' or '.join(ROTATIONS)}")
        if isinstance(out, Mapping):
            paths = {kind: Path(path) for kind, path in out.items()}
        else:
            paths = {} if out is None else {_kind_of(Path(out)): Path(out)}
        unknown = set(paths) - {*DRAWN, *TABLES}
        if unknown:
            known = ", ".join([*DRAWN, *TABLES])
            raise UsageError(f"unknown output {sorted(unknown)[0]!r}; known: {known}")
        if "video" in paths:
            picture_codec(paths["video"], codec)
        return cls(paths, codec, rotation)

    @property
    def drawn(self) -> bool:
        """Whether frames have to be painted."""
        return any(kind in self.paths for kind in DRAWN)

    @property
    def deep(self) -> bool:
        """Whether ten bits are worth keeping."""
        return "video" in self.paths and picture_codec(self.paths["video"], self.codec).deep

    @contextmanager
    def open(self, source: Source, size: tuple[int, int]) -> Iterator[Writing]:
        """All files under temporary names; they get their own when the block ends well.

        Args:
            source: what is localized.
            size: (width, height) of the painted frames.
        """
        with ExitStack() as stack:
            parts = {
                kind: stack.enter_context(
                    replacing_folder(path) if kind == "frames" else replacing(path)
                )
                for kind, path in self.paths.items()
            }
            video = None
            if "video" in parts:
                video = VideoWriter(
                    parts["video"],
                    source.reader,
                    size,
                    self.codec,
                    source.sound,
                    keep_rotation=self.rotation == "keep",
                    name=self.paths["video"],
                )
                stack.enter_context(video)
            shows: list[FramesSink | GifSink] = []
            if "frames" in parts:
                shows.append(FramesSink(parts["frames"]))
            if "gif" in parts:
                shows.append(GifSink(stack.enter_context(GifWriter(parts["gif"]))))
            tables: list[Sink] = [
                kind(parts[name]) for name, kind in TABLES.items() if name in parts
            ]
            yield Writing(video, shows, tables)


class Writing:
    """Files being written."""

    def __init__(
        self, video: VideoWriter | None, shows: list[FramesSink | GifSink], tables: list[Sink]
    ) -> None:
        self._video, self._shows, self._tables = video, shows, tables

    def heatmap(self, heatmap: Heatmap) -> None:
        """The next heatmap."""
        for table in self._tables:
            table.add(heatmap)

    def frame(self, drawn: Drawn) -> None:
        """The next painted frame."""
        if drawn.heatmap is not None:
            for show in self._shows:
                show.show(drawn.picture, drawn.time)
        if self._video is not None:
            self._video.write(drawn.picture)

    def finish_picture(self) -> list[str]:
        """Finish the video; returns what could not be carried over into it."""
        if self._video is None:
            return []
        self._video.close()
        return self._video.notes

    def finish(self, result: Localization) -> None:
        """Finish the tables, which tell about the whole."""
        for table in self._tables:
            table.finish(result)


def _kind_of(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix in CONTAINERS:
        return "video"
    if suffix.removeprefix(".") in (*TABLES, "gif"):
        return suffix.removeprefix(".")
    known = ", ".join([*CONTAINERS, *(f".{kind}" for kind in TABLES), ".gif"])
    raise UsageError(f"{path}: cannot write {suffix or 'a file without suffix'}; use {known}")
