import pytest


@pytest.fixture
def recipe(tmp_path):
    path = tmp_path / "tiny.yaml"
    path.write_text("task: wild\nname: tiny\n", "utf-8")
    return path


def test_without_data_it_says_how_to_name_it(avloc, recipe, monkeypatch):
    monkeypatch.delenv("AVLOC_DATA", raising=False)
    code, _, err = avloc("train", recipe)
    assert (code, len(err)) == (1, 1)
    assert "--data" in err[0]


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--data", "/nowhere"], 1, "/nowhere: no such folder"),
        (["optimiser.stepz=3", "--data", "."], 2, "did you mean 'steps'"),
        (["optimiser.steps", "--data", "."], 2, "expected key=value"),
        (["--data", ".", "-d", "abacus"], 2, "not a device"),
    ],
)
def test_what_is_wrong_is_one_line(avloc, recipe, words, code, told):
    ended, _, err = avloc("train", recipe, *words)
    assert (ended, len(err)) == (code, 1)
    assert told in err[0]


def test_a_recipe_that_is_not_there(avloc, tmp_path):
    code, _, err = avloc("train", tmp_path / "none.yaml", "--data", tmp_path)
    assert code == 2
    assert "no such recipe" in err[0]
