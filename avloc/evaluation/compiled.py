"""Loops over pixels at the speed of machine code, by numba."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., object])


def compiled(function: F) -> F:
    """`function`, translated when it is first called; other threads run meanwhile.

    No arithmetic is rearranged or fused: it rounds as it is written, and divides by zero as NumPy
    does. The translation is kept on disk where some place can be written, and made again in each
    process where none can.
    """
    try:
        return cast(F, numba.njit(nogil=True, error_model="numpy", cache=True)(function))
    except RuntimeError:  # numba found no place to keep it
        return cast(F, numba.njit(nogil=True, error_model="numpy")(function))


def plain(function: F) -> F:
    """The same untranslated, which is quicker for a single number."""
    return cast(F, getattr(function, "py_func", function))
