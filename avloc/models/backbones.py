"""Backbones by name."""

from __future__ import annotations

from collections.abc import Callable

from avloc.models.mobile import Backbone, mobilenet_v2, mobilenet_v3
from avloc.registry import Registry

IMAGE_BACKBONES: Registry[Callable[[], Backbone]] = Registry("image backbone")
SOUND_BACKBONES: Registry[Callable[[], Backbone]] = Registry("sound backbone")

IMAGE_BACKBONES.add("mobilenet_v2", mobilenet_v2)
SOUND_BACKBONES.add("mobilenet_v3_w04", lambda: mobilenet_v3(0.4))
