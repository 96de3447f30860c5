"""`avloc evaluate` from files to table and JSON."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

BOXES = {"left": [0, 0, 0.5, 1], "right": [0.5, 0, 1, 1], "top": [0, 0, 1, 0.4]}


@pytest.fixture
def made(tmp_path):
    """A list of three items in VGG-SS's form, and maps that find the first two."""
    rows = [{"file": name, "class": "dog", "bbox": [box]} for name, box in BOXES.items()]
    (tmp_path / "vggss.json").write_text(json.dumps(rows))
    left = np.array([[1.0, 0.1], [0.9, 0.2]])
    maps = {"left": left, "right": left[:, ::-1], "top": left}
    np.savez(tmp_path / "maps.npz", **maps)
    return tmp_path


def given(folder, *more, maps="maps.npz"):
    return (
        "evaluate",
        "--maps",
        folder / maps,
        "--annotations",
        folder / "vggss.json",
        *more,
    )


def test_json_on_stdout(avloc, made):
    code, out, err = avloc(*given(made, "--protocol", "lvs,ezvsl", "--json", "-"))
    value = json.loads("\n".join(out))
    assert code == 0
    assert value["schema"] == 1
    assert list(value["protocols"]) == ["lvs", "ezvsl"]
    found = value["protocols"]["lvs"]
    assert found["metrics"]["ciou"] == pytest.approx(2 / 3)
    assert set(found["baselines"]) == {"centre", "whole", "half_oracle", "random"}
    assert set(found["items"]) == set(BOXES)
    assert found["protocol"]["kernel"] == "opencv-linear"
    assert len(value["sha256"]["list"]["vggss.json"]) == 64
    assert len(value["sha256"]["weights"]["maps.npz"]) == 64
    assert value["versions"]["avloc"]
    assert any("3 of 3 items" in line for line in err)


def test_the_table_fits_and_says_it_all(avloc, made):
    code, out, err = avloc(*given(made))
    assert code == 0
    assert max(map(len, map(str.rstrip, out))) <= 80
    line = next(line for line in out if line.startswith("lvs "))
    assert line.split()[:3] == ["lvs", "cIoU", "66.7"]
    for title in ("centre", "whole", "random", "95 %"):
        assert title in "\n".join(out[:2])
    assert any("ties at the threshold" in line for line in err)


def test_a_report_and_another_one_against_it(avloc, made):
    worse = {name: np.array([[0.0, 1.0], [0.1, 0.9]]) for name in BOXES}
    np.savez(made / "worse.npz", **worse)
    assert avloc(*given(made, "-q", "--json", made / "one.json", maps="worse.npz"))[0] == 0
    more = ("--against", made / "one.json", "--json", made / "two.json", "--protocol", "lvs")
    code, out, _ = avloc(*given(made, *more))
    assert code == 0
    assert any(line.startswith("minus ") for line in out)
    value = json.loads((made / "two.json").read_text())["against"]["protocols"]["lvs"]
    assert value["items"] == 3
    assert (value["better"], value["worse"], value["same"]) == (1, 0, 2)
    assert value["differences"]["ciou"]["difference"] == pytest.approx(1 / 3)
    assert 0 <= value["p"] <= 1


def test_against_a_report_of_another_list(avloc, made):
    assert avloc(*given(made, "-q", "--json", made / "one.json"))[0] == 0
    rows = json.loads((made / "vggss.json").read_text())
    rows[0]["bbox"] = [[0, 0, 1, 1]]
    (made / "vggss.json").write_text(json.dumps(rows))
    code, _, err = avloc(*given(made, "--against", made / "one.json"))
    assert code == 1
    assert "another list" in err[-1]


def test_missing_items(avloc, made):
    np.savez(made / "few.npz", left=np.eye(2))
    code, out, err = avloc(*given(made, "--protocol", "lvs", maps="few.npz"))
    assert (code, out) == (1, [])
    assert "no heatmap for 'right' (and 1 more) of the 3 items of vggss" in err[-1]
    more = ("--allow-missing", "--protocol", "lvs", "--json", "-")
    code, out, err = avloc(*given(made, *more, maps="few.npz"))
    value = json.loads(out[0])
    assert code == 0
    assert value["items"]["missing"] == ["right", "top"]
    assert value["items"]["scored"] == 1
    assert any("missing, not scored: 2: right, top" in line for line in err)


def test_maps_that_are_no_maps_are_left_out_where_allowed(avloc, made):
    maps = {"left": np.eye(2), "right": np.eye(2) * np.nan, "top": np.eye(3)}
    np.savez(made / "bad.npz", **maps)
    code, _, err = avloc(*given(made, maps="bad.npz"))
    assert code == 1
    assert "right: 4 of 4 values are not finite" in err[-1]
    code, out, err = avloc(*given(made, "--allow-missing", "--json", "-", maps="bad.npz"))
    value = json.loads(out[0])["items"]
    assert code == 0
    assert value["missing"] == []
    assert "not finite" in value["faults"]["right"]
    assert value["sizes"] == {"2x2": 1, "3x3": 1}


def test_an_extra_that_some_items_lack_is_told(avloc, made):
    maps = dict.fromkeys(BOXES, np.eye(2)) | {"left/objectness": np.eye(2)}
    np.savez(made / "some.npz", **maps)
    words = ("--allow-missing", "--protocol", "ezvsl", "--json", "-")
    code, out, err = avloc(*given(made, *words, maps="some.npz"))
    assert code == 0
    assert json.loads(out[0])["items"]["without"] == {"objectness": ["right", "top"]}
    assert any("scored without objectness" in line and "2: right, top" in line for line in err)


def test_nothing_is_left_to_score(avloc, made):
    np.savez(made / "bad.npz", **dict.fromkeys(BOXES, np.eye(2) * np.nan))
    code, _, err = avloc(*given(made, "--allow-missing", maps="bad.npz"))
    assert (code, len(err)) == (1, 1)
    assert "no item is left to score; left: 4 of 4 values are not finite" in err[0]


def test_a_folder_without_the_files(avloc, made):
    code, _, err = avloc("evaluate", "bundled", "--annotations", made / "vggss.json")
    assert (code, len(err)) == (1, 1)
    assert "left: no frame of it in the folder, and no other item of vggss" in err[0]


def test_baselines_alone(avloc, made):
    words = ("evaluate", "--baselines-only", "--annotations", made / "vggss.json")
    code, out, _ = avloc(*words, "--protocol", "lvs", "--json", "-")
    found = json.loads(out[0])["protocols"]["lvs"]
    assert code == 0
    assert found["metrics"] == {}
    assert found["items"] == {}
    assert found["baselines"]["half_oracle"]["ciou"] == 1
    code, out, _ = avloc(*words)
    assert code == 0
    assert "score" not in out[0]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--protocol", "lsv"), "unknown protocol 'lsv'; did you mean 'lvs'?"),
        (("--protocol", ","), "--protocol: give names"),
        (("--scale", "probability"), "'probability' is not one of 'cosine', 'logit'"),
        (("--thresholds", "lvs"), "'lvs' is not one of 'own', 'sslalign'"),
        (("--thresholds", "slavc", "--protocol", "lvs"), "only the protocol negatives has any"),
        (("--keep", "k"), "--keep is for the heatmaps of a model"),
        (("--trained-media", "."), "--trained-on LIST"),
        (("--baselines-only",), "exclude each other"),
        (("--protocol", "avsbench"), "has no mask"),
        (("--protocol", "negatives"), "no map under silence"),
        (("--against", "nowhere.json"), "nowhere.json: cannot be read"),
    ],
)
def test_words_that_do_not_fit(avloc, made, words, told):
    code, out, err = avloc(*given(made, *words))
    assert code in (1, 2)
    assert out == []
    assert told in err[-1]
    assert len(err) == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "no benchmark"),
        (("bundled", "vggss"), "--data DIR"),
        (("--annotations", "nowhere.json"), "nowhere.json: no such file"),
        (("vggss", "--baselines-only"), "--data DIR"),
        (("vggss", "--baselines-only", "--scale", "logit"), "--scale says what"),
        (("vggss", "--baselines-only", "--against", "r.json"), "--against compares heatmaps"),
        (("vgss", "--baselines-only"), "did you mean 'vggss'"),
    ],
)
def test_what_is_needed_at_least(avloc, words, told):
    code, _, err = avloc("evaluate", *words)
    assert code in (1, 2)
    assert told in err[-1]


def test_golden_maps_come_out_as_the_original_printed_them(avloc, tmp_path):
    folder = Path(__file__).parents[1] / "goldens"
    items = json.loads((folder / "groundtruth.json").read_text())["vggss"]["items"]
    rows = [{"file": i["name"], "class": i["kind"], "bbox": i["boxes"]} for i in items]
    (tmp_path / "vggss.json").write_text(json.dumps(rows))
    with np.load(folder / "inputs.npz") as file:
        maps = {i["name"]: file[f"cos_{i['map']:02}"] for i in items}
    np.savez(tmp_path / "maps.npz", **maps)
    golden = json.loads((folder / "lvs.json").read_text())["sets"]["vggss"]["printed"]
    more = ("--allow-missing", "--protocol", "lvs", "--json", "-")
    code, out, _ = avloc(*given(tmp_path, *more))
    found = json.loads(out[0])["protocols"]["lvs"]["metrics"]
    assert code == 0
    assert [f"cIoU {found['ciou']}", f"auc {found['auc']}"] == golden


@pytest.fixture
def media(tmp_path, tone):
    """A folder with two items, of which one lacks its sound."""
    import soundfile
    from PIL import Image

    rng = np.random.default_rng(0)
    rows = []
    for name in ("a", "b"):
        pixels = rng.integers(0, 256, (6, 8, 3), np.uint8)
        Image.fromarray(pixels).resize((96, 72)).save(tmp_path / f"{name}.png")
        rows.append({"id": name, "boxes": [[0, 0, 0.5, 1]], "frame": f"{name}.png"})
        rows[-1]["sound"] = f"{name}.wav"
    soundfile.write(tmp_path / "a.wav", tone(1.0, 16_000), 16_000)
    (tmp_path / "benchmark.json").write_text(json.dumps(rows))
    return tmp_path


def test_a_model_on_a_folder(avloc, media):
    words = ("evaluate", "bundled", media, "--device", "cpu", "--protocol", "lvs,avloc")
    code, out, err = avloc(*words)
    assert (code, out) == (1, [])
    assert "b: no sound of it in the folder; add" in err[-1]
    assert "--allow-missing" in err[-1]
    words = (*words, "--allow-missing", "--keep", media / "kept", "--json", "-")
    code, out, _ = avloc(*words)
    value = json.loads(out[0])
    assert code == 0
    assert value["items"]["missing"] == ["b"]
    assert list(value["sha256"]["weights"]) == ["wild.safetensors"]
    assert value["protocols"]["avloc"]["items"]["a"]["confidence"] < 1
    assert json.loads(avloc(*words)[1][0]) == value


def test_what_training_has_seen(avloc, made):
    (made / "train.txt").write_text("left\nother\n")
    words = ("--protocol", "lvs", "--json", "-", "--trained-on", made / "train.txt")
    code, out, err = avloc(*given(made, *words))
    assert code == 0
    assert json.loads(out[0])["contamination"]["seen"] == ["left"]
    assert any("1 of 3 clips stand in" in line for line in err)


def test_a_page(avloc, media):
    pytest.importorskip("matplotlib")
    words = ("evaluate", "bundled", media, "--device", "cpu", "--protocol", "lvs")
    code, _, err = avloc(*words, "--allow-missing", "--html", media / "r.html")
    assert code == 0
    text = (media / "r.html").read_text()
    assert text.count("data:image/jpeg") == 1
    assert any("page: " in line for line in err)


def test_a_page_without_matplotlib_is_refused_at_once(avloc, made, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    code, out, err = avloc(*given(made, "--html", made / "r.html"))
    assert (code, out) == (3, [])
    assert "pip install 'avloc[plots]'" in err[-1]
