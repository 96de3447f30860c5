"""What users hold: a model that localizes a frame, a stream, a whole file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from avloc.errors import UsageError
from avloc.features.flow import flow_lacks
from avloc.features.resampling import resample
from avloc.features.windows import window_at
from avloc.inference.engine import Engine, Evidence
from avloc.inference.following import Progress, follow
from avloc.inference.keeping import Album
from avloc.inference.mapping import Mapped
from avloc.inference.outputs import Outputs
from avloc.inference.rendering import Renderer
from avloc.inference.sources import Request, Source
from avloc.media.codecs import PYAV_VERSION
from avloc.media.overlay import Painter
from avloc.media.style import Style
from avloc.types import Heatmap, Localization

HEAR_BATCH = 16
"""Windows heard at once."""


class Localizer:
    """Finds where a sound comes from.

    Args:
        engine: the network, ready for inference.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @property
    def id(self) -> str:
        """The model's name."""
        return self.engine.id

    @property
    def device(self) -> torch.device:
        """Where the network runs."""
        return self.engine.device

    def heatmap(
        self, frame: np.ndarray, wave: np.ndarray | None, rate: int, time: float | None = None
    ) -> Heatmap:
        """The heatmap of one frame.

        Args:
            frame: (H, W, 3) uint8 RGB.
            wave: (n,) mono or (c, n), floats in [-1, 1]; None for the image-only prior.
            rate: Hz of the wave.
            time: seconds from the start of the wave; the sound around it is the evidence. Without
                it, the whole wave is.

        Raises:
            UsageError: a frame or wave of another shape or type.
        """
        frame = np.asarray(frame)
        if frame.ndim != 3 or frame.shape[2] != 3 or frame.dtype != np.uint8:
            raise UsageError(
                f"a frame (H, W, 3) of uint8 is needed, not {frame.shape} of {frame.dtype}"
            )
        evidence = None if wave is None else self._evidence(wave, rate, time)
        prepared = self.engine.prepare(frame)[None]
        values, confidence = self.engine.look(prepared, evidence)[0]
        tags = evidence.tags[0] if evidence is not None else ()
        return Heatmap(values, 0.0 if time is None else time, confidence, tags)

    def stream(
        self,
        path: str | Path,
        fps: float = 5.0,
        *,
        start: float | None = None,
        end: float | None = None,
        audio: str | Path | None = None,
        audio_track: int | None = None,
        use_audio: bool = True,
    ) -> Iterator[Heatmap]:
        """Heatmaps of a file in order of time, in constant memory; see `localize`."""
        _check_fps(fps)
        request = _request(start, end, audio, audio_track, use_audio)
        with self._source(Path(path), request) as source:
            for event in follow(self.engine, source.reader, source.windows, fps):
                if isinstance(event, Mapped):
                    yield event.heatmap

    def localize(
        self,
        path: str | Path,
        out: str | Path | Mapping[str, Path] | None = None,
        *,
        fps: float = 5.0,
        start: float | None = None,
        end: float | None = None,
        audio: str | Path | None = None,
        audio_track: int | None = None,
        use_audio: bool = True,
        codec: str | None = None,
        rotation: str = "bake",
        style: Style | None = None,
        progress: Progress | None = None,
    ) -> Localization:
        """Localize a whole file, and write what is wanted of it while it is read.

        Args:
            path: a video, or a photo together with `audio`.
            out: one file, whose suffix tells what it holds, or files by kind: ``video``,
                ``json``, ``csv``, ``npz``, ``frames`` (a folder) and ``gif``.
            fps: heatmaps a second; between them the drawing interpolates, but not across cuts.
            start, end: seconds; only the part between is read and written.
            audio: a file whose sound counts in place of the input's own.
            audio_track: its place among the sound tracks; None takes the default one.
            use_audio: False asks for the image-only prior.
            codec: ``h264``, ``hevc``, ``vp9`` or ``av1``; None takes the container's default.
            rotation: ``bake`` turns the picture, ``keep`` notes the rotation for players.
            style: how heatmaps are drawn.
            progress: called with the seconds done and, where it is known, the seconds there are.

        Raises:
            MediaError: an input cannot be read or an output not written.
            NoAudioError: there is no sound, and `use_audio` is on.
            UsageError: arguments that do not fit.
        """
        _check_fps(fps)
        request = _request(start, end, audio, audio_track, use_audio)
        outputs = Outputs.of(out, codec, rotation)
        with self._source(Path(path), request, outputs.deep) as source:
            return self._localize(source, outputs, fps, style or Style(), progress)

    def _localize(
        self,
        source: Source,
        outputs: Outputs,
        fps: float,
        style: Style,
        progress: Progress | None,
    ) -> Localization:
        reader = source.reader
        album = Album()
        last = reader.start
        painter = Painter.like(reader.first, style, reader.duration) if outputs.drawn else None
        renderer = None if painter is None else Renderer(painter, reader.start)
        size = (reader.width, reader.height) if painter is None else painter.size
        with outputs.open(source, size) as writing:
            crowded = (lambda: False) if renderer is None else (lambda: renderer.crowded)
            events = follow(self.engine, reader, source.windows, fps, progress, crowded)
            for event in events:
                if isinstance(event, Mapped):
                    album.add(event.heatmap)
                    writing.heatmap(event.heatmap)
                    if renderer is not None:
                        renderer.add_heatmap(event)
                else:
                    last = event.shown.time + reader.frame_seconds
                    if renderer is not None:
                        renderer.add_frame(event)
                if renderer is not None:
                    for drawn in renderer.ready():
                        writing.frame(drawn)
            if renderer is not None:
                for drawn in renderer.ready(all_known=True):
                    writing.frame(drawn)
            lost = reader.lost_seconds
            result = Localization(
                source=str(source.path),
                heatmaps=(),
                fps=fps,
                width=reader.width,
                height=reader.height,
                duration=last - reader.start,
                model=self.id,
                versions=_versions(),
                status="partial" if lost > 1e-6 else "complete",
                lost_seconds=lost,
            )
            notes = source.notes(last)
            if self.engine.moving and (lack := flow_lacks()):
                notes.append(lack)
            result = replace(result, notes=(*notes, *writing.finish_picture()))
            writing.finish(result)
        return replace(result, heatmaps=album.heatmaps())

    def _source(self, path: Path, request: Request, deep: bool = False) -> Source:
        return Source(path, request, self.engine.rate, self.engine.window, deep)

    def _evidence(self, wave: np.ndarray, rate: int, time: float | None) -> Evidence:
        wave = np.asarray(wave)
        if wave.ndim not in (1, 2) or not np.issubdtype(wave.dtype, np.floating):
            raise UsageError(
                f"a wave (n,) or (c, n) of floats is needed, not {wave.shape} of {wave.dtype}"
            )
        mono = wave if wave.ndim == 1 else wave.mean(axis=0)
        mono = resample(mono, rate, self.engine.rate)
        if time is not None:
            window = window_at(mono, self.engine.rate, time, self.engine.window)
            return self.engine.hear(window[None])
        windows = self.engine.excerpts(mono)
        starts = range(0, len(windows), HEAR_BATCH)
        parts = [self.engine.hear(windows[k : k + HEAR_BATCH]) for k in starts]
        return Evidence.join(parts).mean()


def _check_fps(fps: float) -> None:
    if not fps > 0:
        raise UsageError(f"fps {fps} is out of range; give more than 0")


def _request(
    start: float | None,
    end: float | None,
    audio: str | Path | None,
    audio_track: int | None,
    use_audio: bool,
) -> Request:
    return Request(start, end, None if audio is None else Path(audio), audio_track, use_audio)


def _versions() -> dict[str, str]:
    from avloc import __version__

    return {"avloc": __version__, "torch": str(torch.__version__), "av": PYAV_VERSION}
