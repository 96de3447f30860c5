import json

import pytest

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
def models(monkeypatch, avloc):
    monkeypatch.setattr(catalogue, "available_models", lambda: ["bundled"])
    monkeypatch.setattr(catalogue, "read_card", lambda name: CARD)

    def run(*words: str) -> str:
        code, out, _ = avloc("models", *words)
        assert code == 0
        return "\n".join(out)

    return run


@pytest.mark.parametrize("words", [[], ["list"]])
def test_the_list_is_a_table(models, words):
    said = models(*words)
    for told in ("bundled", "CC BY-SA 4.0", "4.20 M", "8.5 MB", "22 x 22", "COCO"):
        assert told in said


def test_the_list_as_json(models):
    (record,) = json.loads(models("list", "--json"))
    assert record["licence"] == "CC BY-SA 4.0"
    assert record["sha256"] == "ab12"
    assert "text" not in record


def test_the_card(models):
    said = models("show", "bundled")
    assert said.endswith("# Wild\n\nText.")
    assert "ab12" in said
    assert json.loads(models("show", "bundled", "--json"))["text"] == CARD.text
