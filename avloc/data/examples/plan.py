"""What of a clip becomes an example, and how: the options of a recipe's data section."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from avloc.data.examples.augmenting import AUGMENTS
from avloc.errors import UsageError
from avloc.options import Options, Positive, Some


@dataclass(frozen=True)
class ExamplePlan(Options):
    """Options of `Examples`.

    Attributes:
        side: pixels of the square picture.
        rate: Hz of the sound.
        seconds: of sound. A shorter clip's sound is repeated.
        augment: what is done to pictures, of `AUGMENTS`.
        views: pictures of an example, each of the same frame and augmented on its own.
        moment: the frame's, ``random`` or the ``middle`` of the clip.
        window: where the sound lies in the clip: ``random``, its ``middle``, or as near around the
            frame's ``moment`` as the clip's ends allow.
        mix: whether two clips share a picture, left and right, and give a sound each.
        neighbours: a JSON file, id -> ids of clips alike, one of which gives one more picture and
            sound; "": none.
        truth: whether the boxes are wanted as a map.
    """

    side: Some = 224
    rate: Some = 16_000
    seconds: Positive = 3.0
    augment: str = "ezvsl"
    views: Some = 1
    moment: Literal["random", "middle"] = "random"
    window: Literal["random", "middle", "moment"] = "random"
    mix: bool = False
    neighbours: str = ""
    truth: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        AUGMENTS[self.augment]
        if self.mix and self.neighbours:
            raise UsageError("options mix and neighbours: both give a second sound; take one")

    @property
    def samples(self) -> int:
        """Of sound."""
        return round(self.seconds * self.rate)
