import os
from pathlib import Path

import pytest

from avloc.errors import DataError, MediaError
from avloc.files import read_json, replacing


def broken_off(target: Path, reason: BaseException | type[BaseException]) -> None:
    with replacing(target) as part:
        part.write_bytes(b"half a film")
        raise reason


def test_the_file_appears_when_the_block_ends(tmp_path):
    target = tmp_path / "new" / "clip.avloc.mp4"
    with replacing(target) as part:
        part.write_bytes(b"film")
        assert not target.exists()
        assert part.suffix == ".mp4"
        assert part.parent == target.parent
    assert target.read_bytes() == b"film"
    assert os.listdir(target.parent) == ["clip.avloc.mp4"]


@pytest.mark.parametrize("reason", [KeyboardInterrupt, SystemExit, ValueError])
def test_an_interrupted_file_leaves_nothing(tmp_path, reason):
    with pytest.raises(reason):
        broken_off(tmp_path / "clip.mp4", reason)
    assert os.listdir(tmp_path) == []


def test_the_old_file_survives_an_interruption(tmp_path):
    target = tmp_path / "clip.mp4"
    target.write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt):
        broken_off(target, KeyboardInterrupt)
    assert target.read_bytes() == b"old"


def test_a_full_disk_is_told_in_one_line(tmp_path):
    with pytest.raises(MediaError, match=r"clip\.mp4: cannot be written \(No space left"):
        broken_off(tmp_path / "clip.mp4", OSError(28, "No space left on device"))
    assert os.listdir(tmp_path) == []


def test_a_folder_that_is_a_file_is_told_in_one_line(tmp_path):
    (tmp_path / "taken").write_bytes(b"")
    with pytest.raises(MediaError, match="cannot be written"):
        broken_off(tmp_path / "taken" / "clip.mp4", ValueError)


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_json_is_read_with_and_without_a_byte_order_mark(tmp_path, mark):
    (tmp_path / "a.json").write_bytes(mark + b'{"a": ["\\ud83d\\ude00", 1, 2.5]}')
    assert read_json(tmp_path / "a.json") == {"a": ["\N{GRINNING FACE}", 1, 2.5]}


@pytest.mark.parametrize(
    "text",
    ["", "{", "[" * 100_000, "9" * 5000, '"\\ud800"', b"\xff\xfe"],
    ids=["empty", "open", "deep", "long number", "half a pair", "UTF-16"],
)
def test_what_is_no_json_is_told_in_one_line(tmp_path, text):
    (tmp_path / "a.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(DataError, match=r"a\.json: not JSON \(") as caught:
        read_json(tmp_path / "a.json")
    assert "\n" not in str(caught.value)
    with pytest.raises(DataError, match=r"none\.json: cannot be read \(No such file"):
        read_json(tmp_path / "none.json")
