"""Files of heatmaps: what is read, and what every malformed one is told."""

import io
import random
import zipfile

import numpy as np
import pytest

from avloc.errors import DataError
from avloc.evaluation import maps
from avloc.evaluation.maps import MapFile, greatest, match, read_all
from avloc.evaluation.negatives import KINDS

GOOD = np.linspace(-1, 1, 12).reshape(3, 4)


def write(path, **arrays):
    np.savez(path, **arrays)
    return MapFile(path)


def read(file, wanted=("a", "b"), allow_missing=False):
    faults = {}
    found = match(file, wanted, "made", allow_missing)
    return dict(read_all(file, found, allow_missing, faults)), found, faults


def test_maps_and_what_stands_beside_them(tmp_path):
    extras = {"a/objectness": GOOD[:2], "a/silence": GOOD - 1, "a/noise": GOOD, "a/offscreen": GOOD}
    file = write(tmp_path / "m.npz", a=GOOD.astype(np.float64), **extras, **{"a/confidence": 0.25})
    maps, found, _ = read(file, ["a"])
    assert maps["a"].values.dtype == np.float32
    assert np.array_equal(maps["a"].values, GOOD.astype(np.float32))
    assert np.array_equal(maps["a"].silence, (GOOD - 1).astype(np.float32))
    assert maps["a"].objectness.shape == (2, 4)
    assert maps["a"].confidence == 0.25
    assert set(found.extras) == {"objectness", "silence", "noise", "offscreen", "confidence"}


def test_an_id_may_hold_a_slash(tmp_path):
    file = write(tmp_path / "m.npz", **{"set/a": GOOD, "set/a/noise": GOOD})
    assert file.ids == ("set/a",)
    assert read(file, ["set/a"])[0]["set/a"].noise is not None


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (np.where(GOOD > 0, np.nan, GOOD), "6 of 12 values are not finite"),
        (np.where(GOOD > 0.9, np.inf, GOOD), "1 of 12 values are not finite"),
        (np.full((2, 2), 1e300), "4 of 4 values are not finite"),
        (GOOD[None], "shape (1, 3, 4)"),
        (GOOD[0], "shape (4,)"),
        (np.zeros((0, 4)), "empty"),
        (GOOD.astype(complex), "numbers are needed, not complex128"),
        (np.array([["x"]]), "numbers are needed"),
    ],
)
def test_a_malformed_map_is_named_or_left_out(tmp_path, bad, told):
    file = write(tmp_path / "m.npz", a=GOOD, b=bad)
    with pytest.raises(DataError) as error:
        read(file)
    message = str(error.value)
    assert message.startswith(f"{file.path}: b: ")
    assert told in message
    assert "--allow-missing" in message
    assert "\n" not in message
    maps, _, faults = read(file, allow_missing=True)
    assert list(maps) == ["a"]
    assert told in faults["b"]


def test_a_malformed_extra_is_named(tmp_path):
    arrays = {"a": GOOD, "a/silence": GOOD * np.nan}
    with pytest.raises(DataError, match="a/silence: 12 of 12 values"):
        read(write(tmp_path / "m.npz", **arrays), ["a"])


@pytest.mark.parametrize("bad", [np.nan, [1.0, 2.0], "sure"])
def test_a_malformed_confidence_is_named(tmp_path, bad):
    arrays = {"a": GOOD, "a/confidence": np.array(bad)}
    with pytest.raises(DataError, match="a/confidence: one finite number"):
        read(write(tmp_path / "m.npz", **arrays), ["a"])


def test_sizes_that_differ(tmp_path):
    file = write(tmp_path / "m.npz", a=GOOD, b=GOOD.T)
    with pytest.raises(DataError, match=r"b: the heatmap is 4x3, that of a is 3x4.*--allow"):
        read(file)
    assert list(read(file, allow_missing=True)[0]) == ["a", "b"]


def test_missing_items_are_named(tmp_path):
    file = write(tmp_path / "m.npz", b=GOOD)
    with pytest.raises(DataError, match=r"no heatmap for 'a' \(and 1 more\) of the 3 items"):
        read(file, ["a", "b", "c"])
    maps, found, _ = read(file, ["a", "b", "c"], allow_missing=True)
    assert list(maps) == ["b"]
    assert found.missing == ("a", "c")


def test_unknown_items_are_named_with_a_near_name(tmp_path):
    file = write(tmp_path / "m.npz", abcdefgh=GOOD, b=GOOD)
    with pytest.raises(DataError, match=r"'abcdefgh' is no item of made .is it 'abcdefgx'"):
        read(file, ["abcdefgx", "b"])
    _, found, _ = read(file, ["abcdefgx", "b"], allow_missing=True)
    assert found.unknown == ("abcdefgh",)
    assert found.missing == ("abcdefgx",)


def test_an_extra_without_its_map_is_unknown(tmp_path):
    file = write(tmp_path / "m.npz", **{"a": GOOD, "c/noise": GOOD})
    with pytest.raises(DataError, match="'c/noise' is no item"):
        read(file, ["a"])


def test_nothing_in_common_is_an_error_in_any_case(tmp_path):
    with pytest.raises(DataError, match="the file has 'x', the list 'a'"):
        read(write(tmp_path / "m.npz", x=GOOD), allow_missing=True)


def test_an_extra_that_only_some_have(tmp_path):
    file = write(tmp_path / "m.npz", **{"a": GOOD, "b": GOOD, "a/objectness": GOOD})
    with pytest.raises(DataError, match="no b/objectness, which other items have"):
        read(file)
    maps, found, _ = read(file, allow_missing=True)
    assert found.extras == ()
    assert found.partly == {"objectness": ("b",)}
    assert maps["a"].objectness is None


def test_nothing_left_is_an_error_in_any_case(tmp_path):
    file = write(tmp_path / "m.npz", a=GOOD * np.nan, b=GOOD[None])
    with pytest.raises(DataError, match="no item is left to score; a: 12 of 12"):
        read(file, allow_missing=True)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04broken", b"not a zip"])
def test_files_that_are_no_npz(tmp_path, content):
    (tmp_path / "m.npz").write_bytes(content)
    with pytest.raises(DataError, match=r"m.npz: .*write numpy.savez"):
        MapFile(tmp_path / "m.npz")


def test_files_without_maps(tmp_path):
    with pytest.raises(DataError, match=r"No such file"):
        MapFile(tmp_path / "none.npz")
    np.save(tmp_path / "m.npy", GOOD)
    with pytest.raises(DataError, match="a single array"):
        MapFile(tmp_path / "m.npy")
    with pytest.raises(DataError, match="no heatmap in it"):
        write(tmp_path / "m.npz")


def test_pickled_arrays_are_not_opened(tmp_path):
    file = write(tmp_path / "m.npz", a=np.array([{"x": 1}], object))
    with pytest.raises(DataError, match="a: cannot be read"):
        read(file, ["a"])


def test_the_greatest_values_under_foreign_sounds(tmp_path):
    arrays = {f"{i}/{kind}": GOOD - n for i in "ab" for n, kind in enumerate(KINDS)}
    file = write(tmp_path / "m.npz", a=GOOD, b=GOOD, **arrays)
    maps, _, _ = read(file)
    assert greatest(maps.values()).tolist() == [1, 0, -1] * 2


def packed(array):
    file = io.BytesIO()
    np.lib.format.write_array(file, array)
    return file.getvalue()


def archive(path, *members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members:
            file.writestr(name, content)
    return path


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_stands_twice_is_refused(tmp_path):
    path = archive(tmp_path / "m.npz", ("a.npy", packed(GOOD)), ("a.npy", packed(-GOOD)))
    with pytest.raises(DataError, match="a: stands 2 times in it"):
        MapFile(path)


def huge(shape, content=b""):
    header = io.BytesIO()
    about = {"descr": "<f4", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(header, about)
    return header.getvalue() + content


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("b", b"text", "not an array"),
        ("b.npy", b"text", "not an array"),
        ("b.npy", huge((1 << 24, 1 << 24)), ""),
        ("b.npy", huge((100, 100), bytes(40_000)), "more than 10000 bytes"),
    ],
    ids=["no array", "text", "a header that lies", "too large"],
)
def test_members_that_are_no_heatmaps(tmp_path, monkeypatch, name, content, told):
    monkeypatch.setattr(maps, "LARGEST", 10_000)
    file = MapFile(archive(tmp_path / "m.npz", ("a.npy", packed(GOOD)), (name, content)))
    with pytest.raises(DataError, match=rf"m\.npz: b: cannot be read \(.*{told}.*--allow-missing"):
        read(file)
    found, _, faults = read(file, allow_missing=True)
    assert list(found) == list("a")
    assert list(faults) == list("b")


def test_damaged_files_raise_nothing_else(tmp_path):
    path = archive(tmp_path / "m.npz", ("a.npy", packed(GOOD)), ("b.npy", packed(GOOD * 3)))
    whole, chance = path.read_bytes(), random.Random(0)
    refused = 0
    for _ in range(150):
        damaged = bytearray(whole)
        for _ in range(chance.choice([1, 2, 5])):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        path.write_bytes(damaged[: chance.choice([None, chance.randrange(len(damaged))])])
        try:
            read(MapFile(path))
        except DataError:
            refused += 1
    assert refused > 75
