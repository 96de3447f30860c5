import os
from pathlib import Path

import pytest

from avloc.errors import MediaError
from avloc.files import replacing


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
