"""Where results go: beside the input, or under ``--out`` with subfolders kept."""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from avloc.cli.inputs import Source
from avloc.errors import UsageError
from avloc.media.containers import CONTAINERS

NAME = "{stem}.avloc.{ext}"
FIELDS = ("stem", "ext", "suffix")

KINDS = {
    "video": "mp4",
    "json": "json",
    "csv": "csv",
    "npz": "npz",
    "frames": "frames",
    "gif": "gif",
}
"""What ``--save`` knows, and the extension each has in the name; frames make a folder."""


@dataclass(frozen=True)
class Job:
    """One input and the outputs wanted of it, by kind."""

    source: Path
    outputs: Mapping[str, Path]


def plan(
    sources: Sequence[Source], kinds: Sequence[str], out: Path | None = None, name: str = NAME
) -> tuple[list[Job], list[Path]]:
    """A job for each source, and the sources left out because they are another one's output.

    A shell that expands ``*.mp4`` names yesterday's results too; they are not inputs.

    Raises:
        UsageError: the name template is wrong, or two outputs would have one name.
    """
    _check_name(name, kinds)
    single = len(sources) == 1 and not sources[0].found
    jobs = []
    for source in sources:
        if out is not None and single and _names_file(out, kinds):
            outputs = {kind: out.with_suffix(f".{KINDS[kind]}") for kind in kinds}
            outputs |= {kind: out for kind in kinds if _fits(out, kind)}
        else:
            folder = source.path.parent if out is None else out / source.below
            outputs = {kind: folder / _fill(name, source, KINDS[kind]) for kind in kinds}
        jobs.append(Job(source.path, outputs))
    owners = _owners(jobs)
    results = [job.source for job in jobs if job.source.resolve() in owners]
    return [job for job in jobs if job.source not in results], results


def parse_kinds(text: str) -> list[str]:
    """The kinds that ``--save`` names, each once, in their order."""
    kinds = list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown or not kinds:
        wrong = f"unknown output {unknown[0]!r}" if unknown else "nothing to save"
        raise UsageError(f"--save: {wrong}; give one or more of {', '.join(KINDS)}")
    return kinds


def _names_file(out: Path, kinds: Sequence[str]) -> bool:
    return not out.is_dir() and any(_fits(out, kind) for kind in kinds)


def _fits(out: Path, kind: str) -> bool:
    suffix = out.suffix.lower()
    if kind == "video":
        return suffix in CONTAINERS
    return suffix == f".{KINDS[kind]}"


def _fill(name: str, source: Source, ext: str) -> str:
    suffix = source.path.suffix.lstrip(".")
    return name.format(stem=source.path.stem, suffix=suffix, ext=ext)


def _check_name(name: str, kinds: Sequence[str]) -> None:
    try:
        fields = {field for _, field, _, _ in string.Formatter().parse(name) if field is not None}
    except ValueError as error:
        raise UsageError(f"--name {name!r}: {error}") from None
    unknown = sorted(fields - set(FIELDS))
    if unknown:
        known = ", ".join(f"{{{field}}}" for field in FIELDS)
        raise UsageError(f"--name {name!r}: unknown field {{{unknown[0]}}}; known: {known}")
    if "ext" not in fields and len(kinds) > 1:
        raise UsageError(f"--name {name!r}: needs {{ext}} to tell {' and '.join(kinds)} apart")
    path = Path(name)
    if not name.strip() or path.is_absolute() or ".." in path.parts:
        raise UsageError(f"--name {name!r}: must stay in the output folder; use --out for folders")


def _owners(jobs: Sequence[Job]) -> dict[Path, Path]:
    """Which source each output belongs to; every output must have one source and not be it."""
    owners: dict[Path, Path] = {}
    for job in jobs:
        for path in job.outputs.values():
            if path.resolve() == job.source.resolve():
                raise UsageError(f"{path} is the input itself; choose another --out or --name")
            other = owners.setdefault(path.resolve(), job.source)
            if other != job.source:
                raise UsageError(
                    f"{other} and {job.source} would both be written to {path}; "
                    f'run them apart or try --name "{{stem}}-{{suffix}}.avloc.{{ext}}"'
                )
    return owners
