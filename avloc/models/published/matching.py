"""Which method's network a checkpoint fits, from the names and shapes of its tensors alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from avloc.errors import WeightsError
from avloc.models.dual_encoder import DualConfig, DualEncoder
from avloc.models.published.methods import METHODS, Method
from avloc.models.weights import COUNTER

WRAPPERS = ("module.", "model.")
"""What data-parallel training and Lightning put before every name."""

SHOWN = 4


@dataclass(frozen=True, eq=False)
class Fit:
    """How the tensors of a file meet a method's network.

    Attributes:
        method: the one tried.
        state: the tensors under their names here.
        missing: names, as in its files, of what the network needs and the file has not got.
        left: names in the file that the method does not know.
        misshapen: what has another shape than the network's, in words.
    """

    method: Method
    state: dict[str, Tensor]
    missing: tuple[str, ...]
    left: tuple[str, ...]
    misshapen: tuple[str, ...]

    @property
    def perfect(self) -> bool:
        """Whether everything that is needed is there, and nothing else."""
        return not (self.missing or self.left or self.misshapen)

    @property
    def faults(self) -> str:
        """What does not fit, in words."""
        # Of many that are left over the parts tell what --unused has to leave out.
        left = describe(self.left) if len(self.left) > SHOWN else _few(self.left)
        told = {"missing": _few(self.missing), "left over": left, "shape": _few(self.misshapen)}
        return "; ".join(f"{word}: {names}" for word, names in told.items() if names)


@dataclass(frozen=True, eq=False)
class Match:
    """The method a file was taken to be of.

    Attributes:
        fit: of that method.
        others: methods that would have fitted as well.
        dropped: names that no map depends on and that were left out.
    """

    fit: Fit
    others: tuple[str, ...]
    dropped: tuple[str, ...]


def match(tensors: Mapping[str, Tensor], name: str | None, unused: Sequence[str] = ()) -> Match:
    """Find the method that the tensors of a file belong to.

    Args:
        tensors: by their names in the file.
        name: a name in `METHODS`; None: the first one that fits.
        unused: beginnings of names that are to be left out, beside those known to be unused.

    Raises:
        UsageError: there is no method of that name.
        WeightsError: none fits, or the one named does not; says what was found.
    """
    bare, wrapped = unwrapped(tensors)
    tried = [METHODS[name]] if name else list(METHODS.values())
    fits = [_fit(method, bare, unused) for method in tried]
    good = [fit for fit in fits if fit.perfect]
    if not good:
        nearest = min(fits, key=lambda fit: _distance(fit, bare))
        raise WeightsError(_no_fit(bare, nearest, name))
    # Whether data-parallel training wrapped a file is the only trace that some methods leave.
    good.sort(key=lambda fit: fit.method.wrapped not in (None, wrapped))
    best = good[0]
    dropped = tuple(key for key in bare if _ours(key, best.method, unused) is None)
    others = tuple(fit.method.name for fit in good[1:])
    return Match(best, others, tuple(key for key in dropped if not key.endswith(COUNTER)))


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


@lru_cache(maxsize=16)
def shapes(config: DualConfig) -> dict[str, tuple[int, ...]]:
    """The names and shapes of all tensors of a network but the counters."""
    with torch.device("meta"):
        state = DualEncoder(config).state_dict()
    return {key: tuple(tensor.shape) for key, tensor in state.items() if COUNTER not in key}


def _fit(method: Method, tensors: Mapping[str, Tensor], unused: Sequence[str]) -> Fit:
    wanted = shapes(method.config)
    state: dict[str, Tensor] = {}
    left, misshapen = [], []
    for key, tensor in tensors.items():
        ours = _ours(key, method, unused)
        if ours is None:
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
    for mark in method.marks:
        if not any(key.startswith(mark) for key in tensors):
            missing.append(f"{mark}*")
    return Fit(method, state, tuple(missing), tuple(left), tuple(misshapen))


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


def _distance(fit: Fit, tensors: Mapping[str, Tensor]) -> tuple[int, int]:
    return len(fit.missing) + len(fit.left) + len(fit.misshapen), -len(fit.state)


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
