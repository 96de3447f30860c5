import pytest

from avloc.home import cache_folder, model_folder


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
