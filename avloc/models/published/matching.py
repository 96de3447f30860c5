"""Which method's network a checkpoint fits, from the names and shapes of its tensors alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor

from avloc.errors import WeightsError
from avloc.models.dual_encoder import DualConfig, DualEncoder
from avloc.models.published.absent import absent_of
from avloc.models.published.methods import METHODS, Method
from avloc.models.weights import COUNTER

WRAPPERS = ("module.", "model.")
"""What data-parallel training and Lightning put before every name."""

SHOWN = 4

NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, eq=False)
class Fit:
    """How the tensors of a file meet a method's network.

    Attributes:
        method: the one tried.
        config: its network, with the sizes of the file.
        state: the tensors under their names here.
        missing: names, as in its files, of what the network needs and the file has not got.
        left: names in the file that the method does not know.
        misshapen: what has another shape than the network's, in words.
        unlike: what the file says of its training that is not so in the method, in words.
        dropped: names in the file that no map depends on.
    """

    method: Method
    config: DualConfig
    state: dict[str, Tensor]
    missing: tuple[str, ...]
    left: tuple[str, ...]
    misshapen: tuple[str, ...]
    unlike: tuple[str, ...]
    dropped: tuple[str, ...]

    @property
    def perfect(self) -> bool:
        """Whether everything that is needed is there, and nothing else."""
        return not (self.missing or self.left or self.misshapen or self.unlike)

    @property
    def faults(self) -> str:
        """What does not fit, in words."""
        # Of many that are left over the parts tell what --unused has to leave out.
        left = describe(self.left) if len(self.left) > SHOWN else _few(self.left)
        told = {
            "missing": _few(self.missing),
            "left over": left,
            "shape": _few(self.misshapen),
            "trained with": _few(self.unlike),
        }
        return "; ".join(f"{word}: {names}" for word, names in told.items() if names)


@dataclass(frozen=True, eq=False)
class Match:
    """The method a file was taken to be of.

    Attributes:
        fit: of that method.
        others: methods that would have fitted as well.
    """

    fit: Fit
    others: tuple[str, ...]


def match(
    tensors: Mapping[str, Tensor],
    name: str | None,
    unused: Sequence[str] = (),
    settings: Mapping[str, Any] = NOTHING,
) -> Match:
    """Find the method that the tensors of a file belong to.

    Args:
        tensors: by their names in the file.
        name: a name in `METHODS`; None: the first one that fits.
        unused: beginnings of names that are to be left out, beside those known to be unused.
        settings: what the file says of its training.

    Raises:
        UsageError: there is no method of that name.
        WeightsError: none fits, or the one named does not; says what was found. Also where the
            file is of a method that is known, but cannot be run.
    """
    bare, wrapped = unwrapped(tensors)
    if absent := absent_of(bare):
        raise WeightsError(absent.refusal)
    tried = [METHODS[name]] if name else [one for one in METHODS.values() if _may_be(one, bare)]
    fits = [_fit(method, bare, unused, settings) for method in tried]
    good = [fit for fit in fits if fit.perfect]
    if not good:
        nearest = min(fits, key=_distance)
        raise WeightsError(_no_fit(bare, nearest, name))
    # Whether data-parallel training wrapped a file is the only trace that some methods leave.
    good.sort(key=lambda fit: fit.method.wrapped not in (None, wrapped))
    return Match(good[0], tuple(fit.method.name for fit in good[1:]))


def _may_be(method: Method, tensors: Mapping[str, Tensor]) -> bool:
    """Whether it is worth while to compare: large networks take their time."""
    return method.adapt is None or not _unmarked(method, tensors)


def _unmarked(method: Method, tensors: Mapping[str, Tensor]) -> list[str]:
    return [mark for mark in method.marks if not any(key.startswith(mark) for key in tensors)]


def unwrapped(tensors: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], bool]:
    """The tensors without what wraps every name, and whether ``module.`` did."""
    bare, wrapped = dict(tensors), False
    for wrapper in (*WRAPPERS, *WRAPPERS):
        if bare and all(key.startswith(wrapper) for key in bare):
            bare = {key[len(wrapper) :]: tensor for key, tensor in bare.items()}
            wrapped = wrapped or wrapper == "module."
    return bare, wrapped


def describe(names: Iterable[str]) -> str:
    """What parts a file has, with the number of tensors in each."""
    parts = Counter(name.split(".")[0] for name in names)
    return _few([f"{part!r} ({count})" for part, count in parts.most_common()], 8)


@lru_cache(maxsize=64)
def shapes(config: DualConfig) -> dict[str, tuple[int, ...]]:
    """The names and shapes of all tensors of a network but the counters."""
    with torch.device("meta"):
        state = DualEncoder(config).state_dict()
    return {key: tuple(tensor.shape) for key, tensor in state.items() if COUNTER not in key}


def _fit(
    method: Method,
    tensors: Mapping[str, Tensor],
    unused: Sequence[str],
    settings: Mapping[str, Any],
) -> Fit:
    config = method.config
    if method.adapt is not None:
        tensors, config = method.adapt(tensors, config)
    wanted = shapes(config)
    state: dict[str, Tensor] = {}
    left, misshapen, dropped = [], [], []
    for key, tensor in tensors.items():
        ours = _ours(key, method, unused)
        if ours is None:
            if not key.endswith(COUNTER):
                dropped.append(key)
            continue
        if ours not in wanted:
            left.append(key)
        elif tuple(tensor.shape) != wanted[ours] or not tensor.is_floating_point():
            shape = " x ".join(map(str, wanted[ours]))
            found = " x ".join(map(str, tensor.shape)) or "a single number"
            misshapen.append(f"{key} is {found} of {tensor.dtype}, not {shape}")
            state[ours] = tensor
        else:
            state[ours] = tensor
    missing = [_theirs(key, method) for key in wanted if key not in state]
    missing += [f"{mark}*" for mark in _unmarked(method, tensors)]
    unlike = [
        f"{word} {settings[word]!r} instead of {value!r}"
        for word, value in method.settings.items()
        if word in settings and settings[word] != value
    ]
    return Fit(method, config, state, *map(tuple, (missing, left, misshapen, unlike, dropped)))


def _ours(key: str, method: Method, unused: Sequence[str]) -> str | None:
    """Our name for a tensor of a file, its own where the method does not know it, None where it is
    not needed. The longest beginning decides."""
    if key.endswith(COUNTER):
        return None
    known = [*method.renames, *method.unused, *unused]
    beginning = max((word for word in known if key.startswith(word)), key=len, default=None)
    if beginning in unused or (beginning in method.unused and beginning not in method.renames):
        return None
    return key if beginning is None else method.renames[beginning] + key[len(beginning) :]


def _theirs(key: str, method: Method) -> str:
    ours = max((one for one in method.renames.values() if key.startswith(one)), key=len)
    theirs = [old for old, new in method.renames.items() if new == ours]
    return theirs[0] + key[len(ours) :]


def _distance(fit: Fit) -> tuple[int, int]:
    faults = (fit.missing, fit.left, fit.misshapen, fit.unlike)
    return sum(map(len, faults)), -len(fit.state)


def _no_fit(tensors: Mapping[str, Tensor], nearest: Fit, name: str | None) -> str:
    found = f"{len(tensors)} tensors in {describe(tensors)}"
    method = nearest.method.name
    if name:
        told = f"not a checkpoint of {method} ({found}); {nearest.faults}"
    elif not nearest.state:
        return f"no checkpoint of a known method ({', '.join(METHODS)}); found {found}"
    else:
        told = f"no checkpoint of a known method ({found}); nearest is {method}, {nearest.faults}"
    return f"{told}; --unused NAMES leaves out what is not needed" if nearest.left else told


def _few(names: Sequence[str], most: int = SHOWN) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(repr(name)[1:-1][:100] for name in names[:most]) + more
