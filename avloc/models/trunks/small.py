"""The trunks of avloc's own networks: MobileNetV2 for pictures, MobileNetV3 for sounds."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from avloc.errors import UsageError
from avloc.models.backbones import IMAGE_BACKBONES, SOUND_BACKBONES
from avloc.models.mobile import Backbone
from avloc.models.trunks.trunk import TRUNKS


def _backbone(
    name: str, build: Callable[[], Backbone], taken: int, inward: int, stride: int
) -> Backbone:
    if (inward, stride) != (taken, 32):
        raise UsageError(
            f"{name} takes {taken} channels at a stride of 32, not {inward} at {stride}; timm has "
            "it with others"
        )
    return build()


for _channels, _registry in ((3, IMAGE_BACKBONES), (1, SOUND_BACKBONES)):
    for _name, _build in _registry.items():
        TRUNKS.add(_name, partial(_backbone, _name, _build, _channels))
