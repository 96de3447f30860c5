"""One input made ready to be followed: its picture, its sound, and what is to be said of them."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from avloc.errors import MediaError, NoAudioError, UsageError
from avloc.features.windows import WindowStream
from avloc.media.closing import Closing
from avloc.media.companions import Sound
from avloc.media.probe import MediaInfo, probe
from avloc.media.reader import VideoReader
from avloc.media.sound import SoundReader
from avloc.models.confidence import SILENT


@dataclass(frozen=True)
class Request:
    """What of an input is wanted.

    Attributes:
        start, end: seconds; only the part between is localized and written.
        audio: a file whose sound counts in place of the input's own.
        audio_track: its place among the sound tracks; None takes the default one.
        use_audio: False asks for the image-only prior.
    """

    start: float | None = None
    end: float | None = None
    audio: Path | None = None
    audio_track: int | None = None
    use_audio: bool = True

    def __post_init__(self) -> None:
        if self.start is not None and self.start < 0:
            raise UsageError(f"start {self.start} lies before the beginning; give 0 or more")
        if self.end is not None and self.end <= (self.start or 0.0):
            raise UsageError(f"end {self.end} does not lie after the start {self.start or 0.0}")
        if self.audio is not None and not self.use_audio:
            raise UsageError("a sound file and no sound exclude each other; give one of them")


class Source(Closing):
    """The picture and the sound of an input, opened.

    Attributes:
        reader: the frames.
        windows: the sound around a moment; None without sound.
        sound: what is written along with the picture.

    Raises:
        MediaError: a file cannot be read, or holds no picture, or ends before `start`.
        NoAudioError: there is no sound and it was not given up.
    """

    def __init__(
        self, path: Path, request: Request, rate: int, seconds: float, deep: bool = False
    ) -> None:
        self.path, self.request = path, request
        self._stack = ExitStack()
        try:
            self._open(rate, seconds, deep)
        except BaseException:
            self._stack.close()
            raise

    def _open(self, rate: int, seconds: float, deep: bool) -> None:
        request = self.request
        info = probe(self.path)
        if info.video is None:
            raise MediaError(
                f"{self.path}: no picture in it; name a video or a photo, and this as --audio"
            )
        other = None if request.audio is None else probe(request.audio)
        if info.video.still and other is None and request.use_audio:
            raise NoAudioError(
                f"{self.path}: a photo has no sound; --audio FILE gives it one, --no-audio "
                "localizes by the picture alone"
            )
        still_seconds = 1.0 if other is None else _sound_seconds(other, request.audio_track)
        start = request.start or 0.0
        self.reader = self._stack.enter_context(
            VideoReader(self.path, start, request.end, deep, still_seconds)
        )
        self.windows: WindowStream | None = None
        self.sound: Sound | None = None
        if request.use_audio:
            sound = self._stack.enter_context(
                SoundReader(
                    request.audio or self.path,
                    rate,
                    request.audio_track,
                    0.0 if request.audio else self.reader.origin,
                    skip=start - seconds,
                )
            )
            self.windows = WindowStream(sound, rate, seconds, sound.start, sound.first)
        # Without using its sound, the result still sounds like its source.
        if request.use_audio or info.sounds:
            own = request.audio is None
            track = request.audio_track if request.use_audio else None
            self.sound = Sound(request.audio or self.path, track, own)

    def notes(self, seconds: float) -> list[str]:
        """What the user should know of the sound, after all was read up to `seconds`."""
        if self.windows is None:
            return ["no sound was used: the maps show what the picture alone suggests"]
        if self.windows.loudest < SILENT:
            return ["the sound is silent: the maps mean nothing, their confidence is 0"]
        end = self.windows.end
        if end is not None and end < seconds - 1.0:
            return [f"the sound ends at {end:.1f} s, the picture at {seconds:.1f} s"]
        return []

    def close(self) -> None:
        """Release the files."""
        self._stack.close()


def _sound_seconds(info: MediaInfo, track: int | None) -> float:
    """How long a sound file plays, at least a tenth of a second.

    Raises:
        NoAudioError: there is no sound in it.
    """
    if not info.sounds:
        raise NoAudioError(f"{info.path}: no sound track; give --audio a file with sound")
    chosen = [
        sound for sound in info.sounds if sound.index == track or (track is None and sound.default)
    ]
    stated = (chosen or info.sounds)[0].duration or info.duration
    return max(0.1, stated or _counted_seconds(info.path, track))


def _counted_seconds(path: Path, track: int | None) -> float:
    with SoundReader(path, 8000, track) as sound:
        return sum(len(chunk) for chunk in sound) / 8000
