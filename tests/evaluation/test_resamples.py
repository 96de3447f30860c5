"""What intervals are drawn for: a list that is counted is the same list written out."""

from dataclasses import fields, is_dataclass, replace

import numpy as np
import pytest
from PIL import Image

from avloc.data.benchmarks import Benchmark, Item
from avloc.evaluation.answers import box_truth
from avloc.evaluation.choosing import NAMES, panel
from avloc.evaluation.judges.base import Case, Sheet
from avloc.evaluation.maps import EXTRAS, ItemMaps

COUNT, DRAWS = 16, 4
ROUGHLY = {("denseav", "map"): 2e-3, ("denseav", "miou"): 0.02}
"""Of numbers for which a class keeps its range, and its pixels lie on coarse levels."""


@pytest.fixture(scope="module")
def listed(tmp_path_factory):
    """Pictures of two things each, the last ones without a source."""
    root = tmp_path_factory.mktemp("masks")
    rng = np.random.default_rng(1)
    items = []
    for number in range(COUNT):
        sounds = number < COUNT - 4
        corner = rng.integers(0, 120, 2)
        box = np.concatenate([corner, corner + rng.integers(60, 104, 2)])[None].astype(float)
        mask = np.zeros((224, 224), np.uint8)
        if sounds:
            mask[int(box[0, 1]) : int(box[0, 3]), int(box[0, 0]) : int(box[0, 2])] = 255
        Image.fromarray(mask).save(root / f"{number}.png")
        told = {"group": f"p{number // 2}", "label": f"kind{number % 3}", "sounds": sounds}
        box = box if sounds else box[:0]
        items.append(Item(f"i{number}", box, (224, 224), mask=root / f"{number}.png", **told))
    return Benchmark("made", tuple(items), (), (), ())


@pytest.fixture(scope="module")
def judged(listed):
    """The judge of each protocol and its entries, each with its unit."""
    chosen = panel(NAMES, listed, EXTRAS)
    rng = np.random.default_rng(2)
    found = {judge.name: (judge, [], []) for judge in chosen.judges}
    for number, item in enumerate(listed.items):
        truth = box_truth(item)
        near = truth.weight[16::32, 16::32][None] + rng.standard_normal((5, 7, 7)) / 2
        maps = ItemMaps(*near.astype(np.float32), confidence=round(rng.random(), 1))
        case = Case(number, item, truth, chosen.masks.cious(truth))
        for judge, entries, units in found.values():
            if judge.wants(item):
                entries.append(judge.judge(Sheet.of(maps, "cosine"), case))
                units.append(item.unit)
    return found


def copied(entry, copy):
    """An entry in a unit of its own, so that copies do not go together."""
    if isinstance(entry, tuple):
        return (*entry[:-1], f"{entry[-1]} {copy}")
    names = {field.name for field in fields(entry)} & {"group", "unit"}
    assert is_dataclass(entry)
    assert names
    return replace(entry, **{name: f"{getattr(entry, name)} {copy}" for name in names})


@pytest.mark.parametrize("name", NAMES)
def test_counted_as_written_out(judged, name):
    judge, entries, units = judged[name]
    order = list(dict.fromkeys(units))
    rng = np.random.default_rng(3)
    told = set()
    for _ in range(DRAWS):
        drawn = rng.multinomial(len(order), [1 / len(order)] * len(order))
        times = dict(zip(order, drawn, strict=True))
        written = [
            copied(entry, copy)
            for entry, one in zip(entries, units, strict=True)
            for copy in range(times[one])
        ]
        expected = judge.summarise(written)
        for statistic in judge.statistics(entries):
            # Some are of fewer units, those with a visible source: the first ones.
            counts = np.array([[times[one] for one in order[: statistic.units]]], float)
            for metric, value in statistic.of(counts).items():
                if (name, metric) == ("avsbench", "miou"):
                    continue  # batches of five are drawn, not made anew
                near = ROUGHLY.get((name, metric), 1e-6)
                same = pytest.approx(expected[metric], abs=near, nan_ok=True)
                assert value[0] == same, (name, metric)
                told.add(metric)
    assert set(judge.headline) - {"miou"} <= told
