"""Published methods whose files are known, but cannot be run here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from avloc.registry import Registry


@dataclass(frozen=True)
class Absent:
    """A method that is not to be had.

    Attributes:
        name: what users call it.
        title: what its paper calls it, and where that appeared.
        repository: of its code, on GitHub.
        licence: of that code.
        marks: beginnings of names that all of its files have.
        why: what is missing, and what there is in its place.
    """

    name: str
    title: str
    repository: str
    licence: str
    marks: tuple[str, ...]
    why: str

    @property
    def refusal(self) -> str:
        """Why no file of it is converted, in one line."""
        return f"{self.title} ({self.name}) cannot be converted: {self.why}"


ABSENT: Registry[Absent] = Registry("method that cannot be run")
ABSENT.add(
    "acl",
    Absent(
        name="acl",
        title="ACL-SSL (Park et al., WACV 2024)",
        repository="swimmiing/ACL-SSL",
        licence="none",
        marks=("audio_proj.", "masker_i."),
        why="its file holds only the layer between two networks that are fetched apart, CLIPSeg "
        "and BEATs, and no library that avloc builds on has BEATs; `avloc evaluate --maps` scores "
        "maps that its own code wrote, with --protocol acl",
    ),
)


def absent_of(names: Iterable[str]) -> Absent | None:
    """The method that a file with tensors of these names belongs to; None: none of these."""
    known = list(names)
    for method in ABSENT.values():
        if all(any(name.startswith(mark) for name in known) for mark in method.marks):
            return method
    return None
