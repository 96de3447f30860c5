import pytest

from avloc.errors import EnvironmentProblem
from avloc.home import cache_folder, made, model_folder, seen


@pytest.mark.parametrize(
    ("home", "base", "folder"),
    [("/a", None, "/a"), (None, "/c", "/c/avloc"), ("/a", "/c", "/a")],
)
def test_where_the_cache_lies(monkeypatch, home, base, folder):
    for name, value in [("AVLOC_HOME", home), ("XDG_CACHE_HOME", base)]:
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
    assert str(cache_folder()) == folder
    assert str(model_folder()) == f"{folder}/models"


def test_folders_that_are_there_or_not(tmp_path):
    assert seen(tmp_path / "none") == tmp_path / "none"
    assert not (tmp_path / "none").exists()
    assert made(tmp_path / "a" / "b").is_dir()
    assert seen(made(tmp_path / "a" / "b")).is_dir()


def test_a_folder_that_is_closed(tmp_path, monkeypatch):
    def closed(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.listdir", closed)
    with pytest.raises(
        EnvironmentProblem, match=r"cannot be read \(Permission denied\); get leave"
    ):
        seen(tmp_path)


def test_a_file_in_the_place_of_the_folder(tmp_path):
    (tmp_path / "file").write_text("")
    assert seen(tmp_path / "file" / "models") == tmp_path / "file" / "models"
    with pytest.raises(EnvironmentProblem, match=r"cannot be written \(Not a directory\); .*AVLOC"):
        made(tmp_path / "file" / "models")
