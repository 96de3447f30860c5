import json

import pytest

from avloc.cli import app
from avloc.models import catalogue
from avloc.models.catalogue import Card

CARD = Card(
    name="bundled",
    id="wild-1",
    licence="CC BY-SA 4.0",
    grid="22 x 22",
    trained_on="COCO",
    parameters=4_200_000,
    size=8_500_000,
    sha256="ab12",
    text="# Wild\n\nText.\n",
)


@pytest.fixture
def avloc(monkeypatch, capsys):
    monkeypatch.setattr(catalogue, "available_models", lambda: ["bundled"])
    monkeypatch.setattr(catalogue, "read_card", lambda name: CARD)

    def run(*words: str) -> str:
        monkeypatch.setattr("sys.argv", ["avloc", "models", *words])
        with pytest.raises(SystemExit) as end:
            app.main()
        assert end.value.code == 0
        return capsys.readouterr().out

    return run


@pytest.mark.parametrize("words", [[], ["list"]])
def test_the_list_is_a_table(avloc, words):
    said = avloc(*words)
    for told in ("bundled", "CC BY-SA 4.0", "4.20 M", "8.5 MB", "22 x 22", "COCO"):
        assert told in said


def test_the_list_as_json(avloc):
    (record,) = json.loads(avloc("list", "--json"))
    assert record["licence"] == "CC BY-SA 4.0"
    assert record["sha256"] == "ab12"
    assert "text" not in record


def test_the_card(avloc):
    said = avloc("show", "bundled")
    assert said.endswith("# Wild\n\nText.\n")
    assert "ab12" in said
    assert json.loads(avloc("show", "bundled", "--json"))["text"] == CARD.text
