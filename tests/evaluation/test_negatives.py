"""Silence, noise and foreign sounds, as vssl_eval scores them."""

import re

import numpy as np
import pytest

from avloc.evaluation.negatives import KINDS, NEGATIVES
from avloc.evaluation.thresholds import PUBLISHED, Thresholds

SETS = ("sslalign|vggss", "sslalign|is3", "ezvsl|vggss", "slavc|is3", "ssltie|vggss")
RUNS = 10


def rows(goldens, name, run):
    method, benchmark = name.split("|")
    found = []
    for item, truth in zip(goldens.items(benchmark), goldens.truths(benchmark), strict=True):
        number = item["map"]
        foreign = (number % 200 + 1 + 7 * run) % 60
        negatives = {
            kind: goldens.canvas(f"neg_{kind}", number if kind != "offscreen" else foreign)
            for kind in KINDS
        }
        heat, objects = (goldens.canvas(kind, number) for kind in ("cos", "obj"))
        thresholds = PUBLISHED[method]
        protocol = NEGATIVES.on(benchmark, thresholds)
        found.append(protocol.score(heat, negatives, truth, thresholds, objects))
    return found


@pytest.fixture(scope="module", params=SETS)
def case(request, goldens):
    """A golden set, our rows of ten runs, and the picture of each."""
    name = request.param
    golden = goldens.read("vssl_eval.json")["sets"][name]
    runs = [rows(goldens, name, run) for run in range(RUNS)]
    groups = [item.get("group", item["name"]) for item in goldens.items(name.split("|")[1])]
    return golden, runs, groups


def our_name(theirs: str) -> str:
    """What we call a number of the original."""
    for pattern, name in (
        (r"f_pos_neg", "f_loc"),
        (r"f_auc_aoc_pos_neg", "f_auc"),
        (r"f_ciou_pos_(\w+)", r"f_\1"),
        (r"f_auc_aoc_pos_(\w+)", r"f_auc_\1"),
        (r"max(_median)?_heatmap", r"highest\1_pos"),
        (r"min(_median)?_heatmap", r"lowest\1_pos"),
        (r"max(_median)?_heatmap_(\w+)", r"highest\1_\2"),
        (r"min(_median)?_heatmap_(\w+)", r"lowest\1_\2"),
    ):
        if re.fullmatch(pattern, theirs):
            return re.sub(pattern, name, theirs)
    name = theirs.replace("_metric", "").replace("_mean", "")
    before = "ogl_" if name.endswith("_ogl") else ""
    name = name.removesuffix("_ogl").removesuffix("_wogl")
    name = re.sub(r"^(iou_.*)_adap$", r"\1_ciouadap", name)
    return before + re.sub(r"^auc_(silence|noise|offscreen)", r"aoc_\1", name)


def test_all_numbers(case):
    golden, runs, groups = case
    found = NEGATIVES.summarise([row for run in runs for row in run], groups * RUNS)
    compared = 0
    for name, value in golden["metrics_full_precision"].items():
        if name in ("pia_mean_neg", "aoc_mean_neg"):  # what the harmonic means are made of
            continue
        scale = 1 if "heatmap" in name else 100
        ours = scale * found[our_name(name)]
        assert ours == pytest.approx(float(value), abs=1e-9, nan_ok=True), name
        compared += 1
    assert compared >= 164
    assert 100 * found["f_loc"] == pytest.approx(golden["F_LOC"], abs=1e-9)
    assert 100 * found["f_auc"] == pytest.approx(golden["F_AUC"], abs=1e-9)


def test_items(case, goldens):
    golden, runs, _ = case
    first = goldens.rows(golden["samples_seed0"])
    for number, (row, ours) in enumerate(zip(first, runs[0], strict=True)):
        for name, value in row.items():
            if name in ("map", "name"):
                continue
            name = name.removeprefix("pia_batch_") if name.startswith("pia") else name
            before = "ogl_" if name.endswith("_ogl") else ""
            name = name.removesuffix("_ogl").removesuffix("_wogl")
            mine = ours[before + name if name.startswith("ciou") else f"pia_{name}"]
            # Without objectness the original writes 0 for an undefined cIoU.
            mine = mine if before else np.nan_to_num(mine)
            assert mine == pytest.approx(value, abs=1e-9, nan_ok=True), (row["map"], name)
        assert ours["ciou_adap"] == pytest.approx(golden["ciou_adap_first_items"][number])
        assert ours["ciou_median"] == pytest.approx(golden["ciou_median_first_items"][number])
    for row, ours in zip(goldens.rows(golden["samples_seed9_offscreen"]), runs[9], strict=True):
        for name, value in row.items():
            if name != "map":
                mine = ours["pia_" + name.removeprefix("pia_batch_").removesuffix("_wogl")]
                assert mine == pytest.approx(value, abs=1e-9), (row["map"], name)


def test_thresholds_of_negative_maps():
    found = Thresholds.of(np.arange(1, 101, dtype=float))
    assert (found.max, found.max10, found.maxq3) == (100, 95.5, 75.25)
