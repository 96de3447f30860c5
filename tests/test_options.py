from dataclasses import dataclass
from typing import ClassVar, Literal

import pytest

from avloc.errors import UsageError
from avloc.options import Options, Positive, Some, configured
from avloc.registry import Registry


@dataclass(frozen=True)
class Brew(Options):
    minutes: Positive = 3.0
    cups: Some = 1
    kind: Literal["black", "green"] = "black"
    milk: bool = False


class Tea:
    Config: ClassVar = Brew

    def __init__(self, config):
        self.config = config


@pytest.fixture
def drinks():
    registry = Registry("drink")
    registry.add("tea", Tea)
    return registry


def test_it_is_built_with_options(drinks):
    assert configured(drinks, "tea").config == Brew()
    assert configured(drinks, "tea", minutes=4, kind="green").config == Brew(4, kind="green")


def test_near_names_are_suggested(drinks):
    with pytest.raises(UsageError, match="unknown drink 'te'; did you mean 'tea'"):
        configured(drinks, "te")
    with pytest.raises(UsageError, match="option of drink 'tea': 'minute'; did you mean 'minutes'"):
        configured(drinks, "tea", minute=4)


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("minutes", -1.0, "a finite number above 0"),
        ("minutes", float("nan"), "a finite number above 0"),
        ("minutes", "3", "float"),
        ("minutes", True, "float"),
        ("cups", 0, "1 or more"),
        ("cups", 1.5, "int"),
        ("kind", "red", "one of 'black', 'green'"),
        ("milk", 1, "bool"),
    ],
)
def test_wrong_values_are_told(name, value, wanted):
    with pytest.raises(UsageError, match=f"option {name}: expected {wanted}, got"):
        Brew(**{name: value})
