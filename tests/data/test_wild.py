"""The indices of the wild data: which rows train, which are held out."""

import json
from pathlib import Path

import numpy as np
import pytest

from avloc.data.concepts import Concepts
from avloc.data.index import Row, read_index
from avloc.data.wild import moments, photos, recordings, source_recording
from avloc.errors import DataError

TABLE = Path(__file__).parents[2] / "recipes" / "wild" / "concepts.yaml"


@pytest.fixture(scope="module")
def concepts():
    return Concepts.read(TABLE)


def names(rows):
    return {int(row.path.stem.split("-")[-1]) for row in rows}


def test_free_photos(made_data, concepts):
    coco = {1, 2, 5, 6, 7, 9, 10, 11, 14, 15}  # less every fourth and those of number % 5 == 3
    assert names(photos(made_data, concepts, "free")) == coco | {16, 17, 18}


def test_photos_for_research(made_data, concepts):
    coco = {1, 2, 5, 6, 7, 9, 10, 11, 14, 15}
    wanted = coco | {16, 17, 18, 19, 20, 21}
    assert names(photos(made_data, concepts, "noncommercial")) == wanted


def test_every_fourth_photo_is_held_out(made_data, concepts):
    assert names(photos(made_data, concepts, None, held_out=True)) == {0, 4, 8, 12}
    assert names(photos(made_data, concepts, None)) == set(range(23)) - {0, 4, 8, 12}


def test_free_recordings(made_data, concepts):
    # ESC-10 less fold 4 (rows 9 to 11), and the Philharmonia's.
    assert names(recordings(made_data, concepts, "free")) == set(range(9)) | {18}


def test_recordings_for_research(made_data, concepts):
    # Source recordings 7 (rows 12, 13) and 2000 (row 17) are the first and the fifth by number.
    wanted = set(range(9)) | {14, 15, 16, 18}
    assert names(recordings(made_data, concepts, "noncommercial")) == wanted
    held = names(recordings(made_data, concepts, None, held_out=True))
    assert held == {9, 10, 11, 12, 13, 17}


def test_what_a_photo_shows(made_data, concepts):
    shown = {int(row.path.stem): row for row in photos(made_data, concepts, None)}
    coco, faces, pizza, retriever = shown[1], shown[16], shown[18], shown[19]
    dog, person = concepts.names.index("dog"), concepts.names.index("person")
    assert coco.complete
    assert coco.labels == ("dog", "clock")
    assert dog in coco.box_concepts[0]
    assert dog in coco.concepts
    assert coco.boxes.max() == 1.0  # one of the boxes ends at 1.0002
    assert not faces.complete
    assert person in faces.concepts
    np.testing.assert_array_equal(faces.boxes, [[0.2, 0.2, 0.8, 0.7]])
    assert (pizza.concepts, pizza.boxes.shape) == ((), (0, 4))
    assert retriever.source == "imagenet"
    assert dog in retriever.concepts


def test_what_a_recording_is(made_data, concepts):
    row = recordings(made_data, concepts, "free")[0]
    assert row.label == "dog bark"
    assert concepts.names.index("dog") in row.concepts


MOMENT = {
    "id": "a",
    "frame": "f.jpg",
    "sound": "s.ogg",
    "boxes": [[0, 0, 1.1, 1]],
    "scored": True,
    "label": "dog",
}


@pytest.fixture
def video(tmp_path):
    for name in ("f.jpg", "s.ogg"):
        (tmp_path / name).touch()
    return tmp_path


def test_moments(video):
    (video / "wild_dev.json").write_text(json.dumps([MOMENT]))
    (moment,) = moments(video)
    assert moment.frame == video / "f.jpg"
    np.testing.assert_array_equal(moment.boxes, [[0, 0, 1, 1]])
    assert moment.scored


@pytest.mark.parametrize("key", MOMENT)
def test_a_moment_that_lacks_a_key(video, key):
    short = {name: value for name, value in MOMENT.items() if name != key}
    (video / "wild_dev.json").write_text(json.dumps([MOMENT, short]))
    with pytest.raises(DataError, match=rf"wild_dev.json: row 2: lacks the key '{key}'$"):
        moments(video)


COCO = {
    "file": "f.jpg",
    "source": "coco2017",
    "licence": "CC BY 4.0",
    "objects": [{"label": "dog", "box": [0, 0, 1, 1]}],
}
FACES = {
    "file": "f.jpg",
    "source": "caltech101",
    "licence": "CC BY 4.0",
    "label": "Faces",
    "boxes": [],
}


def without(row, key):
    return {name: value for name, value in row.items() if name != key}


@pytest.mark.parametrize(
    ("row", "match"),
    [
        *((without(COCO, key), f"row 3: lacks the key '{key}'") for key in COCO),
        *((without(FACES, key), f"row 3: lacks the key '{key}'") for key in FACES),
        ({**COCO, "objects": [{"label": "dog"}]}, "row 3: 'objects' 1: lacks the key 'box'"),
        ({**FACES, "imagenet_index": "7"}, "row 3: 'imagenet_index': expected a whole number"),
        ({**FACES, "file": "none.jpg"}, "row 3: 'file': no such file .*none.jpg; restore it"),
    ],
)
def test_photos_that_are_malformed(video, concepts, row, match):
    # The first COCO photo is held out.
    (video / "images.json").write_text(json.dumps([{**COCO, "file": "x"}, COCO, row]))
    with pytest.raises(DataError, match=rf"images.json: {match}"):
        photos(video, concepts, "free")


ESC = {
    "file": "s.ogg",
    "source": "ESC-10",
    "label": "dog bark",
    "fold": 1,
    "licence": "CC BY 3.0",
}


@pytest.mark.parametrize(
    ("row", "match"),
    [
        *((without(ESC, key), f"row 2: lacks the key '{key}'") for key in ESC),
        ({**ESC, "fold": "1"}, "row 2: 'fold': expected a whole number, got '1'"),
        ({**ESC, "source": "UrbanSound8K"}, "row 2: 'file': 's.ogg' does not begin with"),
        ({**ESC, "file": "none.ogg"}, "row 2: 'file': no such file"),
    ],
)
def test_recordings_that_are_malformed(video, concepts, row, match):
    (video / "sounds.json").write_text(json.dumps([ESC, row]))
    with pytest.raises(DataError, match=rf"sounds.json: {match}"):
        recordings(video, concepts, "free")


@pytest.mark.parametrize("licences", ["free", "noncommercial"])
def test_nothing_held_out_is_ever_in_training(data_dir, concepts, licences):
    shown = {row.path for row in photos(data_dir, concepts, licences)}
    held = {row.path for row in photos(data_dir, concepts, None, held_out=True)}
    coco = [r["file"] for r in read_index(data_dir, "images.json") if r["source"] == "coco2017"]
    assert held == {data_dir / name for name in coco[::4]}
    assert not shown & held

    heard = recordings(data_dir, concepts, licences)
    kept = recordings(data_dir, concepts, None, held_out=True)
    assert heard
    assert kept
    assert not {row.path for row in heard} & {row.path for row in kept}
    assert not source_ids(heard) & source_ids(kept)
    folds = {
        data_dir / row["file"]: row["fold"]
        for row in read_index(data_dir, "sounds.json")
        if row["source"] == "ESC-10"
    }
    assert {folds[row.path] for row in kept if row.source == "ESC-10"} == {4}
    assert {folds[row.path] for row in heard if row.source == "ESC-10"} == {1, 2, 3}

    measured = moments(data_dir)
    assert not shown & {row.frame for row in measured}
    assert not {row.path for row in heard} & {row.sound for row in measured}
    everything = [path.relative_to(data_dir).parts[0] for path in shown]
    assert "wild" not in everything


def source_ids(rows):
    """Freesound numbers: ESC-10 and UrbanSound8K cut from the same archive."""
    found = set()
    for row in rows:
        if row.source in ("ESC-10", "UrbanSound8K"):
            found.add(row.path.stem.split("-")[1 if row.source == "ESC-10" else 0])
    return found


def test_free_is_free(data_dir, concepts):
    stated = {
        data_dir / row["file"]: row["licence"]
        for name in ("images.json", "sounds.json")
        for row in read_index(data_dir, name)
    }
    used = [*photos(data_dir, concepts, "free"), *recordings(data_dir, concepts, "free")]
    licences = {stated[row.path] for row in used}
    forbidden = ("NC", "NonCommercial", "NoDerivs", "unknown", "research")
    assert not [text for text in licences for word in forbidden if word in text]


def test_source_recordings():
    name = {"file": "sounds/urbansound8k/dog_bark/101415-3-0-2.ogg"}
    assert source_recording(Row(Path(), "here", name)) == 101415
