"""Folders for the hub: they load back as they were, say whose they are, and arrive there."""

import json
from dataclasses import asdict

import numpy as np
import pytest
import torch
import yaml

import avloc
from avloc import __version__
from avloc.errors import MediaError, UsageError, WeightsError
from avloc.models.catalogue import find_weights, read_card
from avloc.models.dual_encoder import DualEncoder
from avloc.models.published.methods import METHODS
from avloc.models.pushing import upload, write_folder
from avloc.models.weights import Header, read_header, save_weights


@pytest.fixture(scope="module")
def foreign(tmp_path_factory):
    """Weights as `avloc models convert` writes them."""
    path = tmp_path_factory.mktemp("foreign") / "fnac.safetensors"
    config = METHODS["fnac"].config
    source = {
        "method": "fnac",
        "files": {"best.pth": "ab" * 32},
        "numbers": {"epoch": 9.0, "best_cIoU": 0.395, "best_Auc": 0.397},
        "dropped": [],
    }
    save_weights(path, blank(config), Header("fnac-ab", config, source=source))
    return path


def blank(config):
    """A network of zeros, which is quickly made."""
    with torch.device("meta"):
        network = DualEncoder(config)
    network = network.to_empty(device="cpu")
    for tensor in network.state_dict().values():
        tensor.zero_()
    return network


def front(folder):
    _, words, text = (folder / "README.md").read_text("utf-8").split("---\n", 2)
    return yaml.safe_load(words), text


@pytest.fixture
def moment():
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (96, 128, 3), np.uint8), rng.standard_normal(16_000) / 9, 16_000


def test_a_folder_loads_back_with_equal_maps(tiny, tmp_path, moment):
    done = write_folder(str(tiny), tmp_path / "out")
    assert {path.name for path in done.folder.iterdir()} == {
        "model.safetensors",
        "config.json",
        "README.md",
    }
    before = avloc.load_model(str(tiny), "cpu").heatmap(*moment)
    after = avloc.load_model(str(tmp_path / "out"), "cpu").heatmap(*moment)
    assert np.array_equal(before.values, after.values)
    assert before.confidence == after.confidence
    assert (done.folder / "model.safetensors").read_bytes() == tiny.read_bytes()


def test_config_json_is_the_header(tiny, tmp_path):
    write_folder(str(tiny), tmp_path)
    config = json.loads((tmp_path / "config.json").read_text("utf-8"))
    assert config.pop("avloc_version") == __version__
    assert config.pop("kind") == "two-stream"
    assert config == asdict(read_header(tiny))


def test_the_card_of_a_model_of_ones_own(tiny, tmp_path):
    words = "license: CC-BY-4.0\ntrained_on: COCO, ESC-50, 12 clips of mine"
    tiny.with_suffix(".md").write_text(f"---\n{words}\n---\n# Mine\n\nBarks.\n")
    try:
        write_folder(str(tiny), tmp_path, "ann/tiny")
    finally:
        tiny.with_suffix(".md").unlink()
    told, text = front(tmp_path)
    assert told == {
        "license": "cc-by-4.0",
        "library_name": "avloc",
        "pipeline_tag": "image-segmentation",
        "tags": ["sound-source-localization", "audio-visual", "heatmap"],
        "datasets": ["COCO", "ESC-50"],
        "grid": "18 x 18 on a square picture",
        "trained_on": "COCO, ESC-50, 12 clips of mine",
    }
    assert "avloc localize clip.mp4 --model hf://ann/tiny" in text
    assert text.endswith("# Mine\n\nBarks.\n")
    assert "work of others" not in text
    # Pushed once more, it has one such card, not one in the other.
    write_folder(str(tmp_path), tmp_path / "again", "ann/tiny")
    assert front(tmp_path / "again") == (told, text)
    assert read_card(str(tmp_path / "again")).licence == "cc-by-4.0"


def test_the_card_of_weights_of_others(foreign, tmp_path):
    done = write_folder(str(foreign), tmp_path)
    assert (done.others, done.licence) == ("fnac", "")
    told, text = front(tmp_path)
    assert told["license"] == "unknown"
    assert "fnac" in told["tags"]
    assert told["metrics"] == ["best_cIoU", "best_Auc"]
    assert "datasets" not in told  # which of its four is not known
    first = text.split("\n\n")[1]
    assert first.startswith("> **These weights are the work of others.**")
    assert "https://github.com/OpenNLPLab/FNAC_AVL" in first
    assert "best_cIoU 0.395" in text
    assert "ab" * 8 in text  # the file that they came from
    assert write_folder(str(foreign), tmp_path / "b", licence="MIT").licence == "mit"


def test_what_is_there_stays(tiny, tmp_path):
    (tmp_path / "README.md").write_text("mine")
    with pytest.raises(UsageError, match=r"README\.md: exists; --overwrite"):
        write_folder(str(tiny), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]
    write_folder(str(tiny), tmp_path, overwrite=True)
    write_folder(str(tmp_path), tmp_path, overwrite=True)  # onto itself
    assert avloc.load_model(str(tmp_path), "cpu").id == "tiny-1"
    (tmp_path / "file").write_text("")
    with pytest.raises(MediaError, match="cannot be written"):
        write_folder(str(tiny), tmp_path / "file" / "out")


def test_folders_without_weights(tiny, tmp_path):
    with pytest.raises(UsageError, match=r"no \.safetensors file in this folder"):
        find_weights(str(tmp_path))
    (tmp_path / "a.safetensors").write_bytes(tiny.read_bytes())
    assert find_weights(str(tmp_path)).name == "a.safetensors"
    (tmp_path / "b.safetensors").write_bytes(b"")
    with pytest.raises(WeightsError, match=r"several weights in it \(a\.safetensors, b\.safeten"):
        find_weights(str(tmp_path))


def test_an_upload_comes_back(hub, tiny, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "notes.txt").write_text("for me alone")
    write_folder(str(tiny), tmp_path / "out", "ann/tiny")
    assert upload(tmp_path / "out", "ann/tiny", private=True) == f"{hub.address}/ann/tiny"
    assert hub.created.get("visibility") == "private" or hub.created["private"]
    assert set(hub.repos["ann/tiny"]) == {"model.safetensors", "config.json", "README.md"}
    assert find_weights("hf://ann/tiny").read_bytes() == tiny.read_bytes()
    assert {asked[2] for asked in hub.asked if asked[0] == "POST"} == {"Bearer hf_secret"}


def test_uploads_that_are_refused(hub, tiny, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    write_folder(str(tiny), tmp_path)
    with pytest.raises(UsageError, match="names no model of the hub"):
        upload(tmp_path, "../tiny")
    assert hub.asked == []
    hub.status = 403
    with pytest.raises(WeightsError, match=r"ann/tiny: the hub does not take it .* set HF_TOKEN"):
        upload(tmp_path, "ann/tiny")


def test_headers_of_strangers_break_no_card(tmp_path):
    config = METHODS["fnac"].config
    header = Header("x", config, source={"method": "fnac", "numbers": {"a": [1]}})
    save_weights(tmp_path / "x.safetensors", blank(config), header)
    with pytest.raises(WeightsError, match="the header is damaged"):
        write_folder(str(tmp_path / "x.safetensors"), tmp_path / "out")
    assert not (tmp_path / "out").exists()
