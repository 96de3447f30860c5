"""Where avloc keeps what it fetched or was given."""

from __future__ import annotations

import os
from pathlib import Path

from avloc.errors import EnvironmentProblem


def cache_folder() -> Path:
    """``AVLOC_HOME``, or avloc's folder among the user's caches."""
    home = os.environ.get("AVLOC_HOME")
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(home or f"{base}/avloc").expanduser()


def model_folder() -> Path:
    """The folder whose weight files can be named without their path."""
    return cache_folder() / "models"


def seen(folder: Path) -> Path:
    """A folder of the cache, whether it is there or not.

    Raises:
        EnvironmentProblem: others may look into it, but not whoever runs this.
    """
    try:
        if folder.is_dir():
            os.listdir(folder)
    except OSError as error:
        raise EnvironmentProblem(
            f"{folder}: cannot be read ({error.strerror or error}); get leave to read it, or set "
            "AVLOC_HOME to another folder"
        ) from error
    return folder


def made(folder: Path) -> Path:
    """A folder of the cache, made where it is not there.

    Raises:
        EnvironmentProblem: it cannot be.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(folder, error) from error
    return folder


def unwritable(path: Path, error: OSError) -> EnvironmentProblem:
    """What there is to say when something of the cache cannot be written."""
    return EnvironmentProblem(
        f"{path}: cannot be written ({error.strerror or error}); make room or get leave to write "
        "there, or set AVLOC_HOME to another folder"
    )
