import pytest

from avloc.errors import UsageError
from avloc.registry import Registry


@pytest.fixture
def colours() -> Registry[int]:
    registry: Registry[int] = Registry("colour")
    registry.add("red", 1)
    registry.add("green", 2)
    return registry


def test_it_is_a_mapping(colours):
    assert dict(colours) == {"red": 1, "green": 2}
    assert "red" in colours
    assert "blue" not in colours


def test_a_duplicate_is_refused(colours):
    with pytest.raises(ValueError, match="'red' is registered twice"):
        colours.add("red", 3)
    assert colours["red"] == 1


def test_a_near_name_is_suggested(colours):
    with pytest.raises(UsageError, match="unknown colour 'gren'; did you mean 'green'"):
        colours["gren"]


def test_a_far_name_lists_what_there_is(colours):
    with pytest.raises(UsageError, match="known: green, red"):
        colours["xyzzy"]


def test_the_decorator_gives_the_thing_back(colours):
    @colours.register("blue")
    def blue() -> int:
        return 3

    assert colours["blue"] is blue
    assert blue() == 3
