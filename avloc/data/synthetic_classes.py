"""The classes of synthetic scenes: a look, a timbre, their names in known label sets."""

from __future__ import annotations

from dataclasses import dataclass

from avloc.data import synthetic_looks as looks
from avloc.data import synthetic_sounds as sounds
from avloc.registry import Registry


@dataclass(frozen=True)
class Kind:
    """A class of things.

    Attributes:
        look: paints one.
        timbre: makes its sound.
        audioset: AudioSet names of that sound, the most fitting first.
        imagenet: ImageNet names of such things, in the order of the 1,000 classes.
    """

    look: looks.Drawing
    timbre: sounds.Timbre
    audioset: tuple[str, ...]
    imagenet: tuple[str, ...]


CLASSES: Registry[Kind] = Registry("synthetic class")

for _name, _audioset, _imagenet in (
    ("bell", ("Bell", "Church bell", "Cowbell"), ("bell cote", "chime")),
    ("alarm_clock", ("Alarm clock", "Beep, bleep", "Alarm"), ("analog clock", "stopwatch")),
    ("drum", ("Drum", "Drum kit", "Snare drum"), ("drum",)),
    ("whistle", ("Whistle",), ("whistle",)),
    ("guitar", ("Guitar", "Acoustic guitar", "Strum"), ("acoustic guitar",)),
    ("telephone", ("Telephone", "Telephone bell ringing", "Ringtone"), ("dial telephone",)),
    ("ambulance", ("Siren", "Ambulance (siren)", "Emergency vehicle"), ("ambulance",)),
    ("car", ("Car", "Vehicle horn, car horn, honking", "Vehicle"), ("sports car", "cab")),
    ("frog", ("Frog", "Croak"), ("bullfrog", "tree frog", "tailed frog")),
    ("bird", ("Bird", "Chirp, tweet"), ("robin", "goldfinch", "indigo bunting", "bulbul")),
    ("dog", ("Dog", "Bark"), ("beagle", "Labrador retriever", "Saint Bernard")),
    ("marimba", ("Marimba, xylophone", "Glockenspiel"), ("marimba",)),
):
    CLASSES.add(_name, Kind(getattr(looks, _name), getattr(sounds, _name), _audioset, _imagenet))
