"""Sounds that cannot come from a picture: never one that it shows, and always the same."""

from collections import Counter

import numpy as np
import pytest

from avloc.data.benchmarks import Item
from avloc.data.benchmarks.offscreen import offscreen
from avloc.errors import DataError


def item(name, label="", group="", **told):
    return Item(name, np.zeros((0, 4)), (1, 1), label=label, group=group, **told)


def test_another_class_is_drawn():
    items = [item(f"{label}{n}", label) for label in "abcd" for n in range(5)]
    found = offscreen(items, "made")
    assert list(found) == [one.id for one in items]
    assert all(found[one.id].label != one.label for one in items)
    assert offscreen(items[::-1], "made").keys() == found.keys()


def test_depends_on_the_name_and_the_list_alone():
    items = [item(f"{label}{n}", label) for label in "abcd" for n in range(5)]
    found = offscreen(items, "made")
    assert offscreen(items, "made") == found
    assert {found[name].id for name in ("a0", "a1", "a2", "a3", "a4")} > {found["a0"].id}


def test_classes_are_drawn_before_their_items():
    """A large class is not heard more often than a small one."""
    items = [item(f"x{n}", "x") for n in range(600)]
    items += [item(f"big{n}", "big") for n in range(300)] + [item("small", "small")]
    counts = Counter(found.label for name, found in offscreen(items, "made").items() if "x" in name)
    assert counts["big"] + counts["small"] == 600
    assert abs(counts["small"] - 300) < 75  # six deviations


def test_nothing_of_the_same_picture():
    """The other thing in it is of another class, but visible."""
    items = [item("p_dog", "dog", "p"), item("p_cat", "cat", "p"), item("q_cow", "cow", "q")]
    items += [item("r_dog", "dog", "r"), item("r_cow", "cow", "r")]
    for _ in range(5):
        found = offscreen(items, "made")
        assert found["p_dog"].label == "cow"
        assert found["p_cat"].label == "cow"
        assert found["r_dog"].label == "cat"


def test_no_mixture_with_what_the_picture_shows():
    both = {"mixed_with": "b.wav"}
    items = [item("p1", "dog", "p", media=both), item("p2", "cat", "p", media=both)]
    items += [item("q1", "cow", "q", media=both), item("q2", "dog", "q", media=both)]
    with pytest.raises(DataError, match=r"made sounds other than what p1 shows.*several classes"):
        offscreen(items, "made")
    items.append(item("r", "owl"))
    assert {one.id for one in offscreen(items, "made").values() if one.id != "r"}
    assert offscreen(items, "made")["p1"].id == "r"


def test_without_classes_every_picture_is_one():
    items = [item(f"i{n}") for n in range(6)]
    found = offscreen(items, "made")
    assert all(found[one.id].id != one.id for one in items)


def test_what_has_no_visible_source_lends_no_sound():
    items = [item("a", "dog"), item("b", "cat"), item("c+d", sounds=False)]
    found = offscreen(items, "made")
    assert found["a"].id == "b"
    assert found["c+d"].id in "ab"
