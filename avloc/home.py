"""Where avloc keeps what it fetched or was given."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """``AVLOC_HOME``, or avloc's folder among the user's caches."""
    home = os.environ.get("AVLOC_HOME")
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(home or f"{base}/avloc").expanduser()


def model_folder() -> Path:
    """The folder whose weight files can be named without their path."""
    return cache_folder() / "models"
