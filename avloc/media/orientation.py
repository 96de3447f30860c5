"""How a picture has to be turned for display: the eight orientations of a display matrix."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import cast

import av
from av.sidedata.sidedata import SideDataContainer, Type

ONE = 1 << 16
"""1.0 in the fixed-point numbers of a display matrix."""


@dataclass(frozen=True)
class Orientation:
    """Transpose the picture first (rows become columns), then mirror it.

    Attributes:
        transpose: exchange the axes.
        mirror_x: mirror left and right.
        mirror_y: mirror top and bottom.
    """

    transpose: bool = False
    mirror_x: bool = False
    mirror_y: bool = False

    @property
    def upright(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.transpose or self.mirror_x or self.mirror_y)

    @property
    def rotation(self) -> int:
        """Degrees clockwise, 0, 90, 180 or 270; a mirrored picture gives the nearest."""
        if self.transpose:
            return 90 if self.mirror_x else 270
        return 180 if self.mirror_y else 0

    @property
    def inverse(self) -> Orientation:
        """What undoes it."""
        if self.transpose:
            return Orientation(True, self.mirror_y, self.mirror_x)
        return self

    def filters(self) -> list[tuple[str, str]]:
        """The same as FFmpeg filters."""
        if self.transpose:
            return [("transpose", str(self.mirror_x + 2 * self.mirror_y))]
        return [("hflip", "")] * self.mirror_x + [("vflip", "")] * self.mirror_y

    def matrix(self) -> list[int]:
        """The display matrix: nine fixed-point numbers, as files store it."""
        x, y = (-ONE if self.mirror_x else ONE), (-ONE if self.mirror_y else ONE)
        a, b, c, d = (0, y, x, 0) if self.transpose else (x, 0, 0, y)
        return [a, b, 0, c, d, 0, 0, 0, 1 << 30]


_TURNED = (
    Orientation(),
    Orientation(True, True, False),
    Orientation(False, True, True),
    Orientation(True, False, True),
)
"""By quarters of a turn clockwise."""


def orientation_of(frame: av.VideoFrame) -> Orientation:
    """What the display matrix of a decoded frame asks for; turned by odd angles: the nearest."""
    try:
        # The stubs take it for a dictionary of names.
        data = cast(SideDataContainer, frame.side_data)[Type.DISPLAYMATRIX]
    except KeyError:
        return Orientation()
    except ValueError:  # PyAV stumbles over kinds it does not know, as EXIF; less exact:
        return _TURNED[round(-frame.rotation / 90) % 4]
    # Rows (a, b, u), (c, d, v), (x, y, w): a point (p, q) goes to (a p + c q, b p + d q).
    a, b, _, c, d = struct.unpack("=5i", bytes(data)[:20])
    if abs(b) + abs(c) > abs(a) + abs(d):
        return Orientation(True, c < 0, b < 0)
    return Orientation(False, a < 0, d < 0)
