"""Index files: what is missing or of the wrong kind is told with file, row and key."""

import numpy as np
import pytest

from avloc.data.index import Row, index_rows, read_index
from avloc.errors import DataError


def test_missing_and_malformed_indices(tmp_path):
    with pytest.raises(DataError, match="no such index"):
        read_index(tmp_path, "images.json")
    (tmp_path / "folder.json").mkdir()
    with pytest.raises(DataError, match="cannot be read"):
        read_index(tmp_path, "folder.json")
    (tmp_path / "images.json").write_text("{")
    with pytest.raises(DataError, match="not JSON"):
        read_index(tmp_path, "images.json")
    (tmp_path / "images.json").write_text("{}")
    with pytest.raises(DataError, match="a list"):
        read_index(tmp_path, "images.json")
    (tmp_path / "images.json").write_text("[{}, 3]")
    with pytest.raises(DataError, match="row 2: expected a mapping of keys to values, got 3"):
        index_rows(tmp_path, "images.json")


def row(tmp_path, **values):
    return Row(tmp_path, "a.json: row 7", values)


def test_values_of_the_right_kind(tmp_path):
    (tmp_path / "f").touch()
    one = row(tmp_path, text="a", number=3, sure=False, file="f", parts=[{"x": 1}], none=[])
    assert one.get("text", str) == "a"
    assert one.get("number", int) == 3
    assert one.get("sure", bool) is False
    assert one.file("file") == tmp_path / "f"
    assert [part.get("x", int) for part in one.parts("parts")] == [1]
    assert one.boxes("none").shape == (0, 4)
    assert "text" in one
    assert "other" not in one


@pytest.mark.parametrize(
    ("value", "kind", "wanted"),
    [
        (3, str, "text"),
        (None, str, "text"),
        ("3", int, "a whole number"),
        (3.0, int, "a whole number"),
        (True, int, "a whole number"),
        (1, bool, "true or false"),
        ({}, list, "a list"),
    ],
)
def test_values_of_the_wrong_kind(tmp_path, value, kind, wanted):
    with pytest.raises(DataError) as caught:
        row(tmp_path, k=value).get("k", kind)
    assert str(caught.value) == f"a.json: row 7: 'k': expected {wanted}, got {value!r}"


def test_what_is_lacking(tmp_path):
    with pytest.raises(DataError, match=r"a.json: row 7: lacks the key 'k'$"):
        row(tmp_path).get("k", str)
    with pytest.raises(DataError, match=r"row 7: 'k': no such file .*gone; restore it or drop"):
        row(tmp_path, k="gone").file("k")
    with pytest.raises(DataError, match="row 7: 'k' 2: lacks the key 'x'"):
        row(tmp_path, k=[{"x": 1}, {}]).parts("k")[1].get("x", int)
    with pytest.raises(DataError, match="row 7: 'k' 1: expected a mapping"):
        row(tmp_path, k=["x"]).parts("k")


def test_boxes_are_clipped(tmp_path):
    boxes = row(tmp_path, k=[[0, -0.1, 1, 1.0002], [0.25, 0.5, 0.5, 0.75]]).boxes("k")
    np.testing.assert_array_equal(boxes, [[0, 0, 1, 1], [0.25, 0.5, 0.5, 0.75]])
    np.testing.assert_array_equal(row(tmp_path, k=[0, 0, 0.5, 2]).box("k"), [0, 0, 0.5, 1])


@pytest.mark.parametrize(
    "boxes",
    [
        [0, 0, 1, 1],
        [[0, 0, 1]],
        [[0, 0, 1, 1], [0, 0, 1]],
        [[0, 0, 1, "x"]],
        [[0, 0, 1, None]],
        [[0, 0, 1, {}]],
        [[0.5, 0, 0.5, 1]],
        [[0, 0.6, 1, 0.5]],
        [[10, 20, 30, 40]],  # pixels
        [[0, 0, 1, float("nan")]],
        ["abcd"],
        [[[0, 0, 1, 1]]],
    ],
)
def test_what_is_no_box(tmp_path, boxes):
    with pytest.raises(DataError, match=r"row 7: 'k': expected boxes \[x0, y0, x1, y1\]") as caught:
        row(tmp_path, k=boxes).boxes("k")
    assert "\n" not in str(caught.value)
