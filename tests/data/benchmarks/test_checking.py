"""Boxes and ids: whatever is wrong is told, and nothing gets lost."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from avloc.data.benchmarks.checking import benchmark, box_list, faults
from avloc.data.benchmarks.types import Item, Problem

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=5),
    max_leaves=12,
)
numbers = st.lists(st.floats(-2, 3), min_size=4, max_size=4)


@given(st.lists(anything | numbers, max_size=6))
def test_a_box_is_read_or_told(values):
    boxes, told = box_list(values)
    assert boxes.dtype == np.float64
    assert boxes.shape == (len(values) - len(told), 4)
    assert np.isfinite(boxes).all()


@given(st.lists(numbers, max_size=4), st.booleans())
def test_truth_is_what_pixels_say(values, sounds):
    boxes, _ = box_list(values)
    told = faults(Item("a", boxes, (1, 1), sounds=sounds))
    clipped = np.clip(boxes, 0, 1)
    areas = np.prod(np.maximum(clipped[:, 2:] - clipped[:, :2], 0), axis=1)
    assert sum("has no area" in what for what in told) == (areas == 0).sum()
    assert sum("leaves" in what for what in told) == (clipped != boxes).any(1).sum()
    assert any(what.startswith("no truth") for what in told) == (sounds and not areas.any())
    assert any(what.startswith("boxes although") for what in told) == (
        not sounds and bool(areas.any())
    )


@given(st.lists(st.sampled_from(["a", "b", "a (2)", "a (3)"]), min_size=1, max_size=8))
def test_ids_are_unique_and_rows_keep_their_order(tmp_path_factory, names):
    source = tmp_path_factory.getbasetemp() / "list"
    source.touch()
    box = np.array([[0, 0, 1, 1.0]])
    found = benchmark("x", [Item(name, box, (1, 1)) for name in names], [source])
    assert all(item.id.startswith(name) for item, name in zip(found.items, names, strict=True))
    assert len({item.id for item in found.items}) == len(names)
    assert len(found.problems) == len(names) - len(set(names))


def test_told_problems_come_first(tmp_path):
    told = Problem("z", "lost")
    item = Item("a", np.zeros((0, 4)), (1, 1))
    found = benchmark("x", [item], [tmp_path], [told], ["0"])
    assert found.problems == (told, Problem("a", "no truth: nothing in the picture is marked"))
    assert found.sha256 == ("0",)


def test_ids_that_nobody_can_read_are_told():
    for name in ("", " ", "a\nb", "a\x1b[31m", "a\0"):
        (what,) = faults(Item(name, np.array([[0, 0, 1, 1.0]]), (1, 1)))
        assert what == f"the id {name!r} is empty or cannot be printed"
