"""What a number was made with, so that somebody else can make it again."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import avloc
from avloc.data.benchmarks.types import Benchmark

PACKAGES = ("numpy", "scipy", "torch")


def provenance(benchmark: Benchmark, files: Iterable[Path] = ()) -> dict[str, Any]:
    """Versions, the git commit of this code, SHA-256 of the list and of weights or maps.

    Args:
        benchmark: the list.
        files: weights or maps that were scored.
    """
    lists = zip(benchmark.source, benchmark.sha256, strict=False)
    return {
        "versions": versions(),
        "git_commit": commit(Path(avloc.__file__).parent),
        "sha256": {
            "list": {path.name: digest for path, digest in lists},
            "weights": {path.name: sha256(path) for path in files},
        },
    }


def versions() -> dict[str, str]:
    """Of avloc, Python and what numbers are computed with."""
    found = {"avloc": avloc.__version__, "python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def commit(folder: Path) -> str | None:
    """The commit that a folder's repository is at; None where it lies in none."""
    git = next((place / ".git" for place in folder.parents if (place / ".git").is_dir()), None)
    if git is None:
        return None
    try:
        head = (git / "HEAD").read_text().strip()
        if not head.startswith("ref: "):
            return head
        name = head.removeprefix("ref: ")
        if (git / name).is_file():
            return (git / name).read_text().strip()
        packed = (git / "packed-refs").read_text().splitlines()
    except OSError:
        return None
    return next((line.split()[0] for line in packed if line.endswith(f" {name}")), None)


def sha256(path: Path) -> str:
    """Of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
