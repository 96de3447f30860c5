"""avloc finds where a sound comes from in a video.

The public names load on first use, so that the command line answers before torch is imported.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from avloc.inference import Localizer as Localizer
    from avloc.inference import load_model as load_model
    from avloc.types import Annotation as Annotation
    from avloc.types import Clip as Clip
    from avloc.types import Heatmap as Heatmap
    from avloc.types import Localization as Localization

_HOMES = {
    "load_model": "avloc.inference",
    "Localizer": "avloc.inference",
    "Clip": "avloc.types",
    "Heatmap": "avloc.types",
    "Localization": "avloc.types",
    "Annotation": "avloc.types",
}

__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> Any:
    try:
        home = _HOMES[name]
    except KeyError:
        raise AttributeError(f"module 'avloc' has no attribute {name!r}") from None
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
