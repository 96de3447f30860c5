"""From frames and sound to heatmaps, as a stream in constant memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from avloc.features.windows import WindowStream
from avloc.inference.engine import Engine
from avloc.inference.mapping import Mapped, Mapper
from avloc.inference.schedule import Schedule, Step
from avloc.media.reader import VideoReader

Progress = Callable[[float, float | None], None]
"""Called with the seconds done and, where it is known, the seconds there are."""


def follow(
    engine: Engine,
    reader: VideoReader,
    sound: WindowStream | None,
    fps: float,
    progress: Progress | None = None,
    hurry: Callable[[], bool] = lambda: False,
) -> Iterator[Step | Mapped]:
    """All frames and all heatmaps, each kind in order; a heatmap comes some frames late.

    Args:
        engine: makes the heatmaps.
        reader: gives the frames.
        sound: gives the sound around a moment; None for the image-only prior.
        fps: heatmaps a second.
        progress: told after every frame.
        hurry: asked after every frame whether too much is waiting for heatmaps; then they are
            made in smaller batches.
    """
    mapper = Mapper(engine)
    total = reader.duration
    try:
        for step in Schedule(fps, reader.start, reader.frame_seconds).steps(reader):
            if step.times:
                following = None
                if engine.moving and step.following is not None:
                    following = reader.rgb(step.following.picture)
                prepared = engine.prepare(reader.rgb(step.shown.picture), following)
                for time in step.times:
                    window = None if sound is None else sound.window(time)
                    mapper.add(time, step.shot, prepared, window)
            yield step
            yield from mapper.done()
            if hurry():
                mapper.start()
                yield from mapper.done(wait=True)
            if progress is not None:
                progress(step.shown.time - reader.start, total)
        yield from mapper.rest()
    finally:
        mapper.close()
