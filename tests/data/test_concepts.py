"""The table that joins sounds and looks."""

from pathlib import Path

import numpy as np
import pytest

from avloc.data.concepts import Concepts, ranges
from avloc.errors import DataError

TABLE = Path(__file__).parents[2] / "recipes" / "wild" / "concepts.yaml"


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("", []), ("7", [7]), (7, [7]), ("3-5 9", [3, 4, 5, 9]), ("9 3-3", [9, 3])],
)
def test_ranges_have_both_ends(text, numbers):
    assert ranges(text) == numbers


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "concepts.yaml"
    path.write_text(
        "dog: {sound: '1-2', image: '5-6', coco: [dog], recording: [bark]}\n"
        "animal: {sound: '0 2', weight: 0.3, coco: [dog, cat], recording: [bark]}\n"
        "wind: {sound: 3}\n"
    )
    return path


def test_reading(table):
    concepts = Concepts.read(table, tags=4)
    assert concepts.names == ("dog", "animal", "wind")
    assert len(concepts) == 3
    hand = np.array([[0, 1, 1, 0], [0.3, 0, 0.3, 0], [0, 0, 0, 1]], np.float32)
    np.testing.assert_array_equal(concepts.sound, hand)
    assert concepts.image == ((5, 6), (), ())
    assert concepts.photos == {("coco", "dog"): (0, 1), ("coco", "cat"): (1,)}
    assert concepts.recordings == {"bark": (0, 1)}
    assert concepts.of_imagenet(6) == (0,)
    assert concepts.of_imagenet(7) == ()


def test_unknown_keys_are_refused(table):
    table.write_text("dog: {sond: '1'}\n")
    with pytest.raises(DataError, match=r"'dog' has unknown keys \['sond'\]"):
        Concepts.read(table)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("dog: {sound: '9999'}", "'dog': sound"),
        ("dog: {sound: 'x-3'}", "'dog': sound"),
        ("dog: {sound: '1', weight: {}}", "'dog': sound"),
        ("dog: {image: 'x-3'}", "'dog': image"),
        ("dog: {image: [3]}", "'dog': image"),
        ("dog: {coco: dog}", "'dog': coco: expected a list of labels, got 'dog'"),
        ("dog: {recording: [3]}", "'dog': recording: expected a list"),
        ("- dog", "a mapping"),
        ("dog: {sound", "not readable as YAML"),
    ],
)
def test_what_is_malformed_is_told(table, text, match):
    table.write_text(text)
    with pytest.raises(DataError, match=match) as caught:
        Concepts.read(table)
    assert str(table) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_table(tmp_path):
    with pytest.raises(DataError, match="no such concept table"):
        Concepts.read(tmp_path / "none.yaml")


def test_the_table_of_the_bundled_model():
    concepts = Concepts.read(TABLE)
    assert "person" in concepts.names
    shown = {k for kinds in concepts.photos.values() for k in kinds}
    for index, name in enumerate(concepts.names):
        assert concepts.image[index] or index in shown, f"nothing says how {name} looks"
    assert all(0 <= index < 1000 for classes in concepts.image for index in classes)
