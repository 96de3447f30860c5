"""Whole lists, from files as users have them to numbers as the originals print them."""

import json

import numpy as np
import pytest

from avloc.data.benchmarks import Benchmark, Item, read_benchmark
from avloc.errors import DataError
from avloc.evaluation.choosing import NAMES, panel
from avloc.evaluation.maps import ItemMaps
from avloc.evaluation.references import REFERENCES
from avloc.evaluation.run import evaluate


@pytest.fixture(scope="module")
def listed(goldens, tmp_path_factory):
    """The golden truth for VGG-SS as its authors would ship it."""
    items = goldens.items("vggss")
    rows = [{"file": i["name"], "class": i["kind"], "bbox": i["boxes"]} for i in items]
    path = tmp_path_factory.mktemp("list") / "vggss.json"
    path.write_text(json.dumps(rows))
    return read_benchmark(path)


def maps_of(goldens, kind, objects=False):
    for item in goldens.items("vggss"):
        things = goldens.array("obj", item["map"]) if objects else None
        yield item["name"], ItemMaps(goldens.array(kind, item["map"]), things)


def boxes(*corners):
    return np.array(corners, float).reshape(-1, 4)


def small(*items):
    return Benchmark("made", items, (), (), ())


LEFT = Item("left", boxes([0, 0, 0.5, 1]), (1, 1), label="dog")
RIGHT = Item("right", boxes([0.5, 0, 1, 1]), (1, 1), label="cat")
ON_THE_LEFT = np.array([[1.0, 0.0], [0.9, 0.1]], np.float32)


class TestGoldens:
    def test_lvs(self, goldens, listed):
        report = evaluate(maps_of(goldens, "cos"), listed, panel(["lvs"], listed))
        golden = goldens.read("lvs.json")["sets"]["vggss"]
        found = report.protocols["lvs"]
        rows = goldens.rows(golden["samples"])
        for item, row in zip(goldens.items("vggss"), rows, strict=True):
            assert found.items[item["name"]]["ciou"] == pytest.approx(row["ciou"], abs=1e-9)
        numbers = [float(line.split()[-1]) for line in golden["printed"][-2:]]
        assert [found.metrics["ciou"], found.metrics["auc"]] == pytest.approx(numbers, abs=1e-9)

    def test_cosines_become_the_logits_that_the_original_gets(self, goldens, listed):
        names = ["ezvsl", "ezvsl-train", "slavc-absolute"]
        cosines = evaluate(maps_of(goldens, "cos"), listed, panel(names, listed), "cosine")
        logits = evaluate(maps_of(goldens, "logit"), listed, panel(names, listed))
        for name in names:
            assert cosines.protocols[name].items == logits.protocols[name].items

    def test_mixtures_with_objectness(self, goldens, listed):
        report = evaluate(maps_of(goldens, "logit", True), listed, panel(["ezvsl"], listed))
        golden = goldens.read("ezvsl.json")["sets"]["vggss"]["test.validate"]
        for view, before in (("av", ""), ("obj", "objects_"), ("av_obj", "ogl_")):
            found = [row[f"{before}ciou"] for row in report.protocols["ezvsl"].items.values()]
            rows = goldens.rows(golden[view])
            assert found == pytest.approx([row["ciou"] for row in rows], abs=1e-9)


class TestReferences:
    def test_stand_beside_every_score(self, goldens, listed):
        report = evaluate(maps_of(goldens, "cos", True), listed, panel([], listed), "cosine")
        left_out = {
            "negatives",
            "avsbench",
            "avsbench-whole-set",
            "slavc-extended",
            "denseav",
            "duet",
        }
        assert set(report.protocols) == set(NAMES) - left_out
        for verdict in report.protocols.values():
            assert list(verdict.baselines) == list(REFERENCES)
            for numbers in verdict.baselines.values():
                assert set(verdict.headline) <= set(numbers)

    def test_nothing_exceeds_the_ceiling_where_there_is_one(self, listed):
        names = [
            name for name in NAMES if name not in ("negatives", "slavc-extended", "denseav", "duet")
        ]
        chosen = panel([n for n in names if not n.startswith("avsbench")], listed)
        report = evaluate(None, listed, chosen)
        for name, verdict in report.protocols.items():
            if verdict.limited:
                for other in verdict.baselines.values():
                    assert other["ciou"] <= verdict.baselines["half_oracle"]["ciou"], name

    def test_are_those_of_the_items_that_were_scored(self):
        given = [("left", ItemMaps(ON_THE_LEFT))]
        both = small(LEFT, RIGHT, Item("all", boxes([0, 0, 1, 1]), (1, 1)))
        found = evaluate(given, both, panel(["ezvsl"], both)).protocols["ezvsl"]
        assert found.count == 1
        assert found.baselines["whole"]["mean_ciou"] == 0.5
        assert found.baselines["half_oracle"]["mean_ciou"] == 1


class TestItems:
    def test_come_in_any_order(self):
        given = [("right", ItemMaps(ON_THE_LEFT)), ("left", ItemMaps(ON_THE_LEFT))]
        both = small(LEFT, RIGHT)
        found = evaluate(given, both, panel(["lvs"], both)).protocols["lvs"]
        assert list(found.items) == ["left", "right"]
        assert found.items["left"]["ciou"] == pytest.approx(1, abs=0.05)
        assert found.metrics["ciou"] == 0.5

    def test_that_are_missing_are_named(self):
        both = small(LEFT, RIGHT)
        report = evaluate([("left", ItemMaps(ON_THE_LEFT))], both, panel(["lvs"], both))
        assert report.missing == ("right",)
        assert report.listed == 2

    @pytest.mark.parametrize(("names", "told"), [(["x"], "no item"), (["left"] * 2, "a second")])
    def test_that_do_not_belong(self, names, told):
        one = small(LEFT)
        with pytest.raises(DataError, match=told):
            evaluate([(n, ItemMaps(ON_THE_LEFT)) for n in names], one, panel(["lvs"], one))

    def test_none_left(self):
        one = small(LEFT)
        with pytest.raises(DataError, match="no item was left"):
            evaluate([], one, panel(["lvs"], one))

    def test_workers_change_nothing(self, goldens, listed):
        names = ["lvs", "slavc", "sslalign", "acl"]
        one, three = (
            evaluate(maps_of(goldens, "cos"), listed, panel(names, listed), workers=workers)
            for workers in (1, 3)
        )
        assert one.to_json() == three.to_json()

    def test_negatives_only_count_where_they_are_wanted(self):
        silent = Item("silent", boxes(), (1, 1), sounds=False)
        both = small(LEFT, silent)
        given = [(item.id, ItemMaps(ON_THE_LEFT)) for item in both.items]
        report = evaluate(given, both, panel(["slavc", "slavc-extended"], both))
        assert list(report.protocols["slavc"].items) == ["left"]
        assert list(report.protocols["slavc-extended"].items) == ["left", "silent"]

    def test_of_one_picture_have_to_be_found_together(self):
        pair = small(
            Item("left", LEFT.boxes, (1, 1), group="p"),
            Item("right", RIGHT.boxes, (1, 1), group="p"),
        )
        given = [(item.id, ItemMaps(ON_THE_LEFT)) for item in pair.items]
        found = evaluate(given, pair, panel(["sslalign"], pair)).protocols["sslalign"]
        assert found.metrics["ciou"] == 0.5
        assert found.metrics["iiou"] == 0
        assert "iiou" in found.headline


def test_ties_at_the_threshold_are_counted():
    both = small(LEFT, RIGHT)
    flat = np.zeros((2, 2), np.float32)
    given = [("left", ItemMaps(ON_THE_LEFT)), ("right", ItemMaps(flat))]
    found = evaluate(given, both, panel(["ezvsl", "sspl"], both))
    assert found.protocols["ezvsl"].tied == 0.5
    assert found.protocols["sspl"].tied is None


def test_masks_are_the_truth_where_pixels_are_asked(tmp_path):
    from PIL import Image

    mask = np.zeros((10, 10), np.uint8)
    mask[:, :5] = 255
    Image.fromarray(mask).save(tmp_path / "m.png")
    one = small(Item("left", boxes([0.9, 0.9, 1, 1]), (1, 1), mask=tmp_path / "m.png"))
    sure = np.where(mask > 0, 20, -20).astype(np.float32)
    found = evaluate([("left", ItemMaps(sure))], one, panel(["avsbench", "lvs"], one)).protocols
    assert found["avsbench"].metrics["miou"] > 0.95
    assert found["avsbench"].baselines["half_oracle"]["miou"] == pytest.approx(1, abs=1e-6)
    assert found["lvs"].metrics["ciou"] == 0


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("avsbench", "left of made has no mask.*--allow-missing"),
        ("slavc-extended", "no item without a visible source.*vggss-extended"),
        ("negatives", "left has no map under silence; put 'left/silence'"),
    ],
)
def test_a_protocol_that_needs_what_is_absent(name, told):
    with pytest.raises(DataError, match=told):
        panel([name], small(LEFT))
    assert name in panel([], small(LEFT)).left_out


def test_maps_under_other_sounds():
    one = small(LEFT)
    quiet = np.full((2, 2), -1, np.float32)
    maps = ItemMaps(ON_THE_LEFT, None, quiet, quiet, ON_THE_LEFT)
    chosen = panel(["negatives"], one, ("silence", "noise", "offscreen"))
    found = evaluate([("left", maps)], one, chosen).protocols["negatives"]
    assert found.metrics["pia_silence"] == 0
    assert found.metrics["pia_offscreen"] > 0.3
    assert set(found.baselines) == set(REFERENCES)
    assert found.baselines["half_oracle"]["pia_noise"] == 0


def test_every_protocol_runs_where_all_is_there_that_any_wants(tmp_path):
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
    silent = Image.new("L", (224, 224))
    silent.save(tmp_path / "none.png")
    nothing = boxes()
    items.append(Item("no", nothing, (1, 1), sounds=False, mask=tmp_path / "none.png"))
    listed = small(*items)
    given = [
        (item.id, ItemMaps(*rng.standard_normal((5, 7, 7)).astype(np.float32), confidence=0.1 * k))
        for k, item in enumerate(items)
    ]
    extras = ("objectness", "silence", "noise", "offscreen", "confidence")
    seen = []
    report = evaluate(
        given,
        listed,
        panel(NAMES, listed, extras),
        "cosine",
        progress=lambda *now: seen.append(now),
    )
    assert list(report.protocols) == list(NAMES)
    assert seen[-1] == (7, 7)
    for name, verdict in report.protocols.items():
        assert verdict.metrics, name
        assert set(verdict.headline) <= set(verdict.metrics), name
        for reference, numbers in verdict.baselines.items():
            assert set(verdict.headline) <= set(numbers), (name, reference)
        assert set(verdict.headline) <= set(verdict.intervals) <= set(verdict.metrics), name
        near = 1e-3 if name == "denseav" else 1e-6  # it is drawn on coarse levels
        for metric, interval in verdict.intervals.items():
            value = verdict.metrics[metric]
            assert interval.mean == pytest.approx(value, abs=near, nan_ok=True), (name, metric)
            if metric in verdict.headline:
                assert interval.low <= value <= interval.high, (name, metric)
    assert report.protocols["avloc"].metrics["confidence_auroc"] == 0
    assert report.protocols["lvs"].count == 6
    assert {"ap", "max_f1"} <= set(report.protocols["acl"].metrics)
    assert report.protocols["acl"].count == 7
    assert report.protocols["slavc-extended"].count == 7
