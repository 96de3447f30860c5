"""`avloc doctor`: the state of this installation, ready to paste into a report."""

from __future__ import annotations

import os
import platform
import re
import tempfile
from collections.abc import Callable, Iterator
from typing import Annotated, NamedTuple

import typer

from avloc import __version__
from avloc.cli.console import put, put_json
from avloc.errors import AvlocError, EnvironmentProblem
from avloc.home import cache_folder

MATCHED = {"2.11": "0.26"}
"""The torchvision that goes with a torch; torchaudio carries torch's own number."""


class Finding(NamedTuple):
    """One line of the report. `ok` is None where there is nothing to judge."""

    name: str
    value: str
    ok: bool | None = None


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Report versions, device, codecs, weights and cache; exit 3 where something is broken."""
    findings = examine()
    broken = [finding.name for finding in findings if finding.ok is False]
    if as_json:
        put_json({"ok": not broken, **{finding.name: finding.value for finding in findings}})
    else:
        marks = {True: "ok", False: "BROKEN", None: ""}
        for name, value, ok in findings:
            put(f"{name:<12} {value}  {marks[ok]}".rstrip())
    if broken:
        raise EnvironmentProblem(f"broken: {', '.join(broken)}; reinstall with pip install avloc")


def examine() -> list[Finding]:
    """Every check, each of which reports what went wrong and lets the others run."""
    checks: list[Callable[[], Iterator[Finding]]] = [
        _program,
        _torch,
        _companions,
        _media,
        _weights,
        _cache,
    ]
    findings: list[Finding] = []
    for check in checks:
        try:
            findings.extend(check())
        except (ImportError, OSError, RuntimeError, AttributeError) as error:
            name = check.__name__.strip("_")
            findings.append(Finding(name, f"{type(error).__name__}: {error}", False))
    return findings


def _program() -> Iterator[Finding]:
    yield Finding("avloc", __version__)
    yield Finding("python", platform.python_version())
    yield Finding("system", f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores")


def _torch() -> Iterator[Finding]:
    import torch

    built = torch.version.cuda or torch.version.hip or "cpu"
    yield Finding("torch", f"{torch.__version__} (built for {built})", True)
    if torch.cuda.is_available():
        device = f"cuda, {torch.cuda.get_device_name(0)}"
    elif torch.backends.mps.is_available():
        device = "mps"
    else:
        device = f"cpu, {torch.get_num_threads()} threads"
    yield Finding("device", device)


def _companions() -> Iterator[Finding]:
    torch = _series(_installed("torch"))
    for name, series in (("torchaudio", torch), ("torchvision", MATCHED.get(torch, ""))):
        found = _installed(name)
        fits = bool(series) and _series(found) == series
        hint = "" if fits else f"; does not go with torch {torch}"
        yield Finding(name, f"{found or 'missing'}{hint}", fits)


def _media() -> Iterator[Finding]:
    from avloc.media.codecs import codecs, ffmpeg_libraries

    libraries = ffmpeg_libraries()
    yield Finding("av", f"{_installed('av')} (libavcodec {libraries.get('libavcodec', '?')})", True)
    known = codecs()
    for codec in known:
        how = [*(["read"] if codec.reads else []), *([codec.encoder] if codec.encoder else [])]
        essential = codec.name in ("h264", "aac")
        works = codec.reads and bool(codec.encoder)
        yield Finding(codec.name, " + ".join(how) or "missing", works if essential else None)


def _weights() -> Iterator[Finding]:
    from avloc.models.catalogue import read_card
    from avloc.models.weights import BUNDLED, load_weights

    try:
        card = read_card("bundled")
        load_weights(BUNDLED)
    except AvlocError as error:
        yield Finding("weights", str(error), False)
    else:
        size = f"{card.size / 1e6:.1f} MB"
        yield Finding("weights", f"{card.id}, {size}, sha256 {card.sha256[:16]}", True)


def _cache() -> Iterator[Finding]:
    home = cache_folder()
    try:
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home) as file:
            file.write(b"avloc")
    except OSError as error:
        yield Finding("cache", f"{home}: cannot be written ({error.strerror}); set AVLOC_HOME")
    else:
        yield Finding("cache", str(home), True)


def _installed(package: str) -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _series(number: str) -> str:
    """``2.11`` of ``2.11.0+cu130``."""
    found = re.match(r"\d+\.\d+", number)
    return found.group() if found else ""
