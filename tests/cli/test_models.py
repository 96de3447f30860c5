import json
from pathlib import Path

import pytest
import torch

from avloc.evaluation.protocols import PROTOCOLS
from avloc.models import catalogue
from avloc.models.catalogue import Card
from avloc.models.published import converting
from avloc.models.published.converting import Converted
from avloc.models.published.methods import METHODS

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
def test_the_list_is_a_table_of_what_is_installed_and_one_of_what_is_published(models, words):
    said = models(*words)
    for told in ("bundled", "CC BY-SA 4.0", "4.20 M", "8.5 MB", "22 x 22", "COCO"):
        assert told in said
    for told in (
        *METHODS,
        "Apache-2.0",
        "3 s at 22.05 kHz, optical flow",
        "14 x 14",
        "Flickr-144k",
    ):
        assert told in said


def test_the_list_as_json(models):
    record, *published = json.loads(models("list", "--json"))
    assert record["licence"] == "CC BY-SA 4.0"
    assert record["sha256"] == "ab12"
    assert record["installed"] is True
    assert "text" not in record
    assert [one["name"] for one in published] == list(METHODS)
    assert not any(one["installed"] for one in published)
    assert "Google Drive" in published[0]["downloads"]


def test_the_card(models):
    said = models("show", "bundled")
    assert said.endswith("# Wild\n\nText.")
    assert "ab12" in said
    assert json.loads(models("show", "bundled", "--json"))["text"] == CARD.text


@pytest.mark.parametrize("method", METHODS)
def test_the_card_of_a_published_method_says_how_to_get_it(models, method):
    said = models("show", method)
    known = METHODS[method]
    for told in (known.title, known.repository, known.downloads, known.trained_on, known.protocol):
        assert told in said
    assert f"--method {method} -o {method}.safetensors" in said
    assert ("Verified: no" in said) == (method == "marginnce")
    assert json.loads(models("show", method, "--json"))["downloads"] == known.downloads


def test_the_protocols_of_the_cards_are_there():
    assert all(method.protocol in PROTOCOLS for method in METHODS.values())


@pytest.fixture
def converted(monkeypatch, avloc):
    """What the library is asked for; it answers that several methods fitted."""
    asked = []

    def convert(*given):
        asked.append(given)
        return Converted(Path("w.safetensors"), "ezvsl-ab", "ezvsl", ("fnac", "x"), ("fc.bias",))

    monkeypatch.setattr(converting, "convert", convert)
    return asked


def test_convert_says_what_it_took_a_file_for(avloc, converted):
    code, out, err = avloc("models", "convert", "best.pth")
    assert (code, out) == (0, [])
    assert converted == [([Path("best.pth")], None, None, (), False)]
    assert err == [
        "best.pth: taken for ezvsl; fnac and x would fit as well, --method decides",
        "best.pth: 1 tensors left out that no map depends on",
        "best.pth -> w.safetensors (ezvsl-ab)",
    ]


def test_convert_passes_everything_on(avloc, converted):
    words = ["a.pth", "b.pth", "-o", "out", "--method", "fnac", "--unused", "x., y", "--overwrite"]
    code, out, err = avloc("models", "convert", *words, "--json", "-q")
    assert (code, err) == (0, [])
    assert converted == [([Path("a.pth"), Path("b.pth")], Path("out"), "fnac", ("x.", "y"), True)]
    assert json.loads(out[0])["method"] == "ezvsl"
    assert json.loads(out[0])["path"] == "w.safetensors"


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["gone.pth"], 1, "gone.pth: no such file"),
        (["gone.pth", "--method", "ezvls"], 2, "did you mean 'ezvsl'"),
        ([], 2, "Missing argument"),
    ],
)
def test_convert_fails_in_one_line(avloc, words, code, told):
    found, out, err = avloc("models", "convert", *words)
    assert (found, out, len(err)) == (code, [], 1)
    assert told in err[0]


def test_a_checkpoint_in_the_place_of_weights(avloc, tmp_path):
    torch.save({"model": {"a": torch.zeros(1)}}, tmp_path / "best.pth")
    code, _, err = avloc("models", "show", tmp_path / "best.pth")
    assert (code, len(err)) == (1, 1)
    assert "`avloc models convert` makes one of a published checkpoint" in err[0]
