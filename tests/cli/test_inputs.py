"""Which files the words of a command line mean."""

import os
from pathlib import Path

import pytest

from avloc.cli.inputs import gather


@pytest.fixture
def tree(tmp_path, monkeypatch) -> Path:
    for name in [
        "a.mp4", "b.MOV", "notes.txt", "a.avloc.mp4", ".hidden.mp4",
        "sub/a.mp4", "sub/deep/c.webm", ".git/d.mp4", "empty/readme.md",
    ]:  # fmt: skip
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(words: list[str], listing: list[str] = []) -> list[str]:  # noqa: B006
    sources, missing = gather(words, listing)
    assert not missing
    return [source.path.as_posix() for source in sources]


def test_a_file_is_itself_whatever_its_suffix(tree):
    assert names(["notes.txt", "a.avloc.mp4"]) == ["notes.txt", "a.avloc.mp4"]


def test_a_folder_is_searched_without_hidden_files_and_results(tree):
    assert names(["."]) == ["a.mp4", "b.MOV", "sub/a.mp4", "sub/deep/c.webm"]


def test_a_folder_keeps_its_subfolders(tree):
    sources, _ = gather(["sub"], [])
    assert [source.below.as_posix() for source in sources] == [".", "deep"]


def test_globs(tree):
    assert names(["*.mp4"]) == ["a.mp4"]
    assert names(["**/*.mp4"]) == ["a.mp4", "sub/a.mp4"]
    sources, _ = gather([f"{tree}/s*/**/*.webm"], [])
    assert [source.below.as_posix() for source in sources] == ["sub/deep"]


def test_a_name_with_brackets_is_a_file_before_it_is_a_pattern(tree):
    (tree / "take [1].mp4").write_bytes(b"")
    assert names(["take [1].mp4"]) == ["take [1].mp4"]


def test_a_dash_reads_a_list(tree):
    assert names(["-"], ["a.mp4\n", "\n", "sub\r\n"]) == ["a.mp4", "sub/a.mp4", "sub/deep/c.webm"]


def test_a_file_named_twice_comes_once(tree):
    os.symlink("a.mp4", "link.mp4")
    assert names(["a.mp4", ".", "*.mp4", str(tree / "a.mp4")])[:1] == ["a.mp4"]
    assert len(names(["a.mp4", ".", "*.mp4"])) == 4


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("none.mp4", "none.mp4: no such file"),
        ("empty", "empty: no video in this folder"),
        ("*.xyz", r"\*.xyz: nothing matches"),
    ],
)
def test_what_is_missing_is_named_and_the_rest_goes_on(tree, word, reason):
    sources, missing = gather([word, "a.mp4"], [])
    assert [source.path.name for source in sources] == ["a.mp4"]
    (problem,) = missing
    assert problem.name == word
    with pytest.raises(type(problem.error), match=reason):
        raise problem.error
