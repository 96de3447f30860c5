"""`avloc models export`, and `--runtime`: words in, words out."""

import json
from pathlib import Path

import pytest

from avloc.inference import exporting
from avloc.inference.exporting import Exported
from avloc.models.onnx_file import Facts
from avloc.models.weights import BUNDLED


@pytest.fixture
def asked(monkeypatch):
    """What the program asked for; nothing is exported."""
    found = []

    def export(weights, out, form, preprocessing, precision, overwrite):
        found.append((weights, out, form, preprocessing, precision, overwrite))
        facts = Facts(preprocessing, precision, {"heatmap": 2.5e-6, "heard": 1e-7}, "ab12")
        return Exported(out or Path("wild.onnx"), "wild-1", facts, 17_400_000)

    monkeypatch.setattr(exporting, "export", export)
    return found


def test_the_bundled_model_as_onnx(avloc, asked):
    code, out, err = avloc("models", "export", "bundled")
    assert (code, out) == (0, [])
    assert asked == [(BUNDLED, None, "onnx", "inside", "float32", False)]
    assert err[-2:] == [
        "bundled -> wild.onnx (17.4 MB)",
        "largest difference from PyTorch, of the range: heatmap 2.5e-06, heard 1.0e-07",
    ]


def test_every_option_arrives(avloc, asked, tmp_path):
    out = tmp_path / "m.onnx"
    words = ("--format", "onnx", "-o", out, "--preprocessing", "outside", "--precision", "int8")
    code, said, err = avloc("models", "export", "bundled", *words, "--overwrite", "--json", "-q")
    assert (code, err) == (0, [])
    assert asked == [(BUNDLED, out, "onnx", "outside", "int8", True)]
    told = json.loads("\n".join(said))
    assert (told["path"], told["id"], told["size"]) == (str(out), "wild-1", 17_400_000)
    assert (told["precision"], told["weights"]) == ("int8", "ab12")
    assert told["differences"]["heatmap"] == 2.5e-6


def test_words_that_are_none(avloc, asked):
    assert avloc("models", "export", "bundled", "--format", "coreml")[0] == 2
    assert avloc("models", "export", "bundled", "--precision", "int4")[0] == 2
    code, _, err = avloc("models", "export", "bundeld")
    assert code == 2
    assert err[-1].startswith("avloc: no model 'bundeld'")
    assert asked == []


def test_existing_files_and_wrong_suffixes_end_before_the_work(avloc, tmp_path):
    (tmp_path / "m.pt2").touch()
    words = ("models", "export", "bundled", "--format", "torch-export", "-o")
    code, _, err = avloc(*words, tmp_path / "m.pt2")
    assert code == 2
    assert "exists; --overwrite writes it anew" in err[-1]
    code, _, err = avloc(*words, tmp_path / "m.onnx")
    assert code == 2
    assert "ends in .pt2" in err[-1]


@pytest.mark.parametrize(
    ("words", "match"),
    [
        (("--runtime", "onnxruntime"), "make one with avloc models export"),
        (("--model", "m.pt2"), "torch.export.load"),
        (("--model", "m.onnx", "--runtime", "torch"), "PyTorch does not run ONNX files"),
    ],
)
def test_localize_says_which_runtime_runs_what(avloc, tmp_path, monkeypatch, words, match):
    monkeypatch.chdir(tmp_path)
    for name in ("clip.mp4", "m.pt2", "m.onnx"):
        Path(name).write_bytes(b"nothing")
    code, _, err = avloc("localize", "clip.mp4", *words)
    assert code == 2
    assert match in err[-1]
