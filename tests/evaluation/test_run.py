"""Whole lists: the numbers of the goldens, baselines, and what is missing or malformed."""

import json
from pathlib import Path

import numpy as np
import pytest

from avloc.data.benchmarks import BENCHMARKS, Benchmark, Item
from avloc.errors import DataError, UsageError
from avloc.evaluation.jobs import JOBS
from avloc.evaluation.negatives import KINDS
from avloc.evaluation.run import (
    ItemMaps,
    baselines_only,
    best_half,
    evaluate,
    success_interval,
    truth_of,
)
from avloc.evaluation.truth import Truth, rasterise


def benchmark(items, name="made up") -> Benchmark:
    return Benchmark(name, tuple(items), (), (), ())


def few(count=6, **more) -> Benchmark:
    rng = np.random.default_rng(1)
    boxes = np.sort(rng.random((count, 1, 2, 2)), axis=2).reshape(count, 1, 4)
    return benchmark(Item(f"i{k}", boxes[k], (1, 1), **more) for k in range(count))


def noise(ids, size=14) -> dict[str, ItemMaps]:
    rng = np.random.default_rng(2)
    return {name: ItemMaps(rng.standard_normal((size, size)).astype(np.float32)) for name in ids}


def ids(some) -> list[str]:
    return [item.id for item in some.items]


def golden_list(goldens) -> tuple[Benchmark, dict[str, ItemMaps]]:
    """The golden VGG-SS list as our own types."""
    items, maps = [], {}
    for item in goldens.items("vggss"):
        items.append(Item(item["name"], np.array(item["boxes"], float), (1, 1)))
        values, objects = (goldens.array(kind, item["map"]) for kind in ("cos", "obj"))
        maps[item["name"]] = ItemMaps(values, objects)
    return benchmark(items, "vggss"), maps


def test_goldens_come_out_whichever_way(goldens):
    """From cosines alone, with several protocols in one pass, and with threads."""
    items, maps = golden_list(goldens)
    names = ["lvs", "ezvsl", "slavc", "sspl", "acl", "heartheflow"]
    report = evaluate(items, maps, names, scale="cosine", baselines=False, threads=3)
    found = {name: one.metrics for name, one in report.protocols.items()}

    def golden(file, *path):
        value = goldens.read(file)["sets"]["vggss"]
        for key in path:
            value = value[key]
        return value

    assert found["sspl"]["auc"] == pytest.approx(
        golden("sspl.json", "evaluate_thres0.5", "AUC_full")
    )
    assert found["heartheflow"]["ciou"] == pytest.approx(
        golden("heartheflow.json", "logged", "test/cIoU")
    )
    assert 100 * found["acl"]["auc"] == pytest.approx(golden("acl.json", "best_AUC"))
    assert f"AP50(cIoU)={found['ezvsl']['ciou']}" in golden(
        "ezvsl.json", "test.validate", "printed", 0
    )
    assert [f"cIoU {found['lvs']['ciou']}", f"auc {found['lvs']['auc']}"] == golden(
        "lvs.json", "printed"
    )
    assert list(report.protocols["lvs"].items) == ids(items)


def test_order_and_threads_do_not_matter():
    some = few(7)
    maps = noise(ids(some))
    once = evaluate(some, maps, ["lvs", "avloc"], threads=1)
    again = evaluate(some, dict(reversed(maps.items())), ["lvs", "avloc"], threads=4)
    assert once.to_json() == again.to_json()


def test_every_protocol_runs(tmp_path):
    """On a list that has all that any of them wants; the report is strict JSON."""
    from PIL import Image

    rng = np.random.default_rng(0)
    items = []
    for number in range(6):
        mask = np.zeros((224, 224), np.uint8)
        mask[20 * number :, 30:150] = 255
        path = tmp_path / f"{number}.png"
        Image.fromarray(mask).save(path)
        box = np.array([[30, 20 * number, 150, 224]], float)
        group, label = f"picture{number // 2}", f"kind{number % 2}"
        items.append(Item(f"i{number}", box, (224, 224), group=group, label=label, mask=path))
    items.append(Item("silent", np.zeros((0, 4)), (224, 224), sounds=False))
    some = benchmark(items)
    maps = {
        item.id: ItemMaps(*rng.standard_normal((5, 7, 7)).astype(np.float32), confidence=0.1 * k)
        for k, item in enumerate(items)
    }
    seen = []
    report = evaluate(
        some, maps, list(JOBS), scale="cosine", progress=lambda *now: seen.append(now)
    )
    assert list(report.protocols) == list(JOBS)
    assert seen[-1] == (7, 7)
    told = json.loads(report.to_json())
    assert told["schema"] == 1
    for name, one in told["protocols"].items():
        assert one["metrics"], name
        assert {"centre", "whole", "half_oracle", "random"} == set(one["baselines"]), name
    assert told["protocols"]["lvs"]["count"] == 6
    assert told["protocols"]["slavc-extended"]["count"] == 7
    assert "confidence_auroc" in told["protocols"]["avloc"]["metrics"]


class TestProblems:
    def test_missing_maps(self):
        some = few()
        maps = noise(ids(some)[:-1])
        with pytest.raises(DataError, match="'i5'"):
            evaluate(some, maps, ["lvs"])
        report = evaluate(some, maps, ["lvs"], allow_missing=True, baselines=False)
        assert (report.missing, report.protocols["lvs"].count) == (("i5",), 5)

    def test_no_map_at_all(self):
        with pytest.raises(DataError, match="6 of 6"):
            evaluate(few(), {}, ["lvs"], allow_missing=True)

    def test_unknown_maps_are_told(self):
        some = few()
        report = evaluate(some, noise([*ids(some), "other"]), ["lvs"], baselines=False)
        assert report.unknown == ("other",)

    @pytest.mark.parametrize(
        ("values", "told"),
        [
            (np.zeros((2, 3, 4)), "shape"),
            (np.zeros(3), "shape"),
            (np.zeros((0, 3)), "shape"),
            (np.array([[np.nan, 1]]), "NaN"),
            (np.array([[np.inf, 1]]), "NaN or infinity"),
            (np.array([["a"]]), "type"),
            (np.array([[1j]]), "type"),
        ],
    )
    def test_malformed_maps_are_named(self, values, told):
        some = few()
        maps = noise(ids(some)) | {"i3": ItemMaps(values)}
        with pytest.raises(DataError, match=f"'i3'.*{told}"):
            evaluate(some, maps, ["lvs"])

    @pytest.mark.parametrize("name", ["avsbench", "negatives", "slavc-extended", "duet", "denseav"])
    def test_what_a_protocol_lacks(self, name):
        some = few()
        with pytest.raises(UsageError, match=f"'{name}' needs"):
            evaluate(some, noise(ids(some)), [name])
        report = evaluate(some, noise(ids(some)), [name, "lvs"], skip=True, baselines=False)
        assert list(report.protocols) == ["lvs"]
        assert name in report.skipped

    def test_unknown_protocol(self):
        with pytest.raises(UsageError, match="did you mean 'ezvsl'"):
            evaluate(few(), noise(ids(few())), ["ezvsI"])

    def test_empty_list(self):
        with pytest.raises(DataError, match="no items"):
            evaluate(benchmark([]), {}, ["lvs"])

    def test_negative_maps_of_any_size(self):
        some = few(2)
        rng = np.random.default_rng(0)
        maps = {
            name: ItemMaps(
                rng.random((7, 9)), **{kind: rng.random((3 + k, 5)) for k, kind in enumerate(KINDS)}
            )
            for name in ids(some)
        }
        assert evaluate(some, maps, ["negatives"]).protocols["negatives"].count == 2


def test_best_half_is_the_best():
    rng = np.random.default_rng(0)
    for _ in range(10):
        weight = rng.choice(
            [0, 0.5, 1], (224, 224), p=[0.5, 0.2, 0.3] if _ % 2 else [0.3, 0.3, 0.4]
        )
        truth = Truth(weight > 0, weight == 0.5)
        mask = np.zeros(weight.size, bool)
        mask[np.argsort(-weight, axis=None)[: weight.size // 2]] = True
        assert best_half(truth) == pytest.approx(truth.ciou(mask.reshape(weight.shape)))


def test_interval_against_drawing_items():
    from avloc.evaluation.scores import bootstrap

    right = np.random.default_rng(0).random(250) < 0.4
    low, high = success_interval(float(right.mean()), 250)
    drawn = bootstrap(right.astype(float))
    assert (low, high) == pytest.approx((drawn.low, drawn.high), abs=0.005)


def test_truth_of_items():
    box = np.array([[0.0, 0.0, 0.5, 1.0]])
    assert truth_of(Item("a", box, (1, 1))).pixels == 112 * 224
    assert truth_of(Item("a", box, (1, 1), sounds=False)).boxes == 0
    votes = truth_of(Item("a", np.array([[0, 0, 128, 256.0]]), (256, 256), votes=np.array([0])))
    assert votes.area == 0.5 * 112 * 224
    assert rasterise(box).area == 112 * 224


@pytest.mark.parametrize(
    ("name", "file", "protocol", "centre", "oracle"),
    [
        ("vggss", "vggss.json", "ezvsl", (34.0, 37.4), (50.5, 49.5)),
        (
            "flickr",
            "flickr_soundnet_boxes_256px_2786.json",
            "ezvsl",
            (67.6, 54.3),
            (94.4, 80.5),
        ),
    ],
)
def test_known_baselines(data_dir: Path, name, file, protocol, centre, oracle):
    """What the annotation files alone say (every fifth item of the long list would not do)."""
    some = BENCHMARKS[name](data_dir / "annotations" / file)
    found = baselines_only(some, [protocol]).protocols[protocol].baselines
    for kind, expected in (("centre", centre), ("half_oracle", oracle)):
        ours = [round(100 * found[kind][key], 1) for key in ("ciou", "auc")]
        assert ours == pytest.approx(expected, abs=0.11)
