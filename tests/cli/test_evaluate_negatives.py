"""`--protocol negatives`: foreign sounds from a file, or made for a model; whose thresholds."""

import json

import numpy as np
import pytest

from avloc.cli import asking
from avloc.cli.evaluate_options import ThresholdsName
from avloc.evaluation.negatives import KINDS
from avloc.evaluation.thresholds import PUBLISHED
from avloc.inference import examining

WORDS = ("--protocol", "negatives,lvs", "--json", "-")


def report_of(avloc, *words):
    code, out, err = avloc("evaluate", *words, *WORDS)
    assert code == 0, err
    return json.loads(out[0])


@pytest.fixture
def listed(tmp_path):
    rows = [{"file": name, "class": name, "bbox": [[0, 0, 0.5, 1]]} for name in ("a", "b")]
    (tmp_path / "vggss.json").write_text(json.dumps(rows))
    return tmp_path


@pytest.fixture
def words(listed):
    """Cosines that find both, and less under other sounds."""
    found = np.array([[0.9, 0.1], [0.8, 0.2]])
    maps = {"a": found, "b": found}
    tops = {"silence": 0.1, "noise": 0.2, "offscreen": 0.3}
    for number, name in enumerate(("a", "b")):
        for kind, top in tops.items():
            maps[f"{name}/{kind}"] = np.array([[top + number / 100, 0.0]])
    np.savez(listed / "maps.npz", **maps)
    np.savez(listed / "logits.npz", **{name: one / 0.03 for name, one in maps.items()})
    return ("--annotations", listed / "vggss.json", "--maps", listed / "maps.npz")


def test_every_published_method_is_a_word():
    assert [name.value for name in ThresholdsName] == ["own", *PUBLISHED]


def test_thresholds_of_the_maps_themselves(avloc, words):
    found = report_of(avloc, *words)["protocols"]["negatives"]
    tops = np.array([0.1, 0.11, 0.2, 0.21, 0.3, 0.31])
    expected = {"max": 0.31, "max10": tops.mean(), "maxq3": np.percentile(tops, 75)}
    told = found["protocol"]["thresholds"]
    assert {key: told[key] for key in expected} == pytest.approx(expected)
    assert found["metrics"]["pia_silence_maxq3"] == 0
    assert found["intervals"]["f_loc"][0] <= found["metrics"]["f_loc"]


def test_logits_are_compared_as_cosines(avloc, words):
    cosines = report_of(avloc, *words)["protocols"]["negatives"]
    words = (*words[:-1], words[-1].with_name("logits.npz"), "--scale", "logit")
    logits = report_of(avloc, *words)["protocols"]["negatives"]
    told = [one["protocol"]["thresholds"]["max"] for one in (cosines, logits)]
    assert told[1] == pytest.approx(told[0])
    assert logits["metrics"]["f_loc"] == pytest.approx(cosines["metrics"]["f_loc"], abs=1e-3)


@pytest.mark.parametrize("name", list(PUBLISHED))
def test_published_thresholds(avloc, words, name):
    found = report_of(avloc, *words, "--thresholds", name)["protocols"]["negatives"]
    assert found["protocol"]["thresholds"]["maxq3"] == PUBLISHED[name].maxq3


def test_references_alone_have_none_of_their_own(avloc, words):
    alone = ("--baselines-only", *words[:2])
    code, _, err = avloc("evaluate", *alone, "--thresholds", "own")
    assert (code, len(err)) == (2, 1)
    assert "no heatmaps to make them of" in err[0]
    found = report_of(avloc, *alone, "--thresholds", "slavc")["protocols"]["negatives"]
    assert found["protocol"]["thresholds"]["maxq3"] == PUBLISHED["slavc"].maxq3


def test_no_map_is_left_to_make_thresholds_of(avloc, words):
    with np.load(words[-1]) as file:
        bad = {name: file[name] * (np.nan if "/" in name else 1) for name in file.files}
    np.savez(words[-1], **bad)
    code, _, err = avloc("evaluate", *words, *WORDS, "--allow-missing")
    assert (code, len(err)) == (1, 1)
    assert "no item is left to score; a/silence: 2 of 2 values are not finite" in err[0]


@pytest.fixture
def media(tmp_path, tone):
    """Four pictures of two classes with sounds."""
    import soundfile
    from PIL import Image

    rng = np.random.default_rng(0)
    rows = []
    for number, name in enumerate("abcd"):
        pixels = rng.integers(0, 256, (6, 8, 3), np.uint8)
        Image.fromarray(pixels).resize((96, 72)).save(tmp_path / f"{name}.png")
        soundfile.write(tmp_path / f"{name}.wav", tone(1.0, 16_000, 200 * number + 200), 16_000)
        files = {"frame": f"{name}.png", "sound": f"{name}.wav"}
        label = ("dog", "cat")[number % 2]
        rows.append({"id": name, "label": label, "boxes": [[0, 0, 0.5, 1]], **files})
    (tmp_path / "benchmark.json").write_text(json.dumps(rows))
    return tmp_path


def test_a_model(avloc, media, monkeypatch):
    """The same numbers at once, stopped and resumed, and of two processes."""
    monkeypatch.setattr(examining, "PART", 2)
    words = ("bundled", media, "--device", "cpu")
    whole = report_of(avloc, *words)
    found = whole["protocols"]["negatives"]
    assert found["scored"] == 4
    assert 0 <= found["metrics"]["pia_noise_maxq3"] <= 0.5
    top = found["protocol"]["thresholds"]["max"]
    most = max(one[f"highest_{kind}"] for one in found["items"].values() for kind in KINDS)
    assert top == pytest.approx(most)
    assert all(one["highest_pos"] != one["highest_silence"] for one in found["items"].values())
    assert list(media.glob("*")) == list(media.glob("*.*"))

    kept = (*words, "--keep", media / "kept")
    assert report_of(avloc, *kept) == whole
    for path in (media / "kept").glob("offscreen/000001.npz"):
        path.unlink()
    assert report_of(avloc, *kept) == whole

    monkeypatch.setattr(asking, "_wait_for_all", lambda: None)
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")
    both = (*words, "--keep", media / "both")
    code, out, _ = avloc("evaluate", *both, *WORDS)
    assert (code, out) == (0, [])
    assert sorted(path.name for path in (media / "both" / "noise").glob("*.npz")) == ["000001.npz"]
    monkeypatch.setenv("RANK", "0")
    assert report_of(avloc, *both) == whole
    code, _, err = avloc("evaluate", *words, *WORDS)
    assert code == 2
    assert "several processes share a folder" in err[-1]


def test_a_list_of_one_class(avloc, media):
    rows = json.loads((media / "benchmark.json").read_text())
    (media / "benchmark.json").write_text(json.dumps([{**row, "label": "dog"} for row in rows]))
    code, _, err = avloc("evaluate", "bundled", media, "--device", "cpu", *WORDS)
    assert code == 1
    assert "negatives: nothing in benchmark sounds other than what a shows" in err[-1]
