"""The JSON of a report: its schema, and numbers that are none."""

import json
import math

import numpy as np
import pytest

from avloc.errors import DataError
from avloc.evaluation.report import Report, Verdict, dumps, finite, load
from avloc.evaluation.scores import Interval


def report():
    verdict = Verdict(
        {"name": "lvs"},
        {"ciou": np.float64(0.5), "ap": math.nan},
        {"ciou": Interval(0.5, 0.25, 0.75)},
        {name: {"ciou": 0.25} for name in ("centre", "whole", "half_oracle", "random")},
        {"a": {"ciou": 1.0}, "b": {"ciou": math.nan}},
        {"score": (1.0, 0.5)},
        ("ciou",),
        True,
        0.0,
        2,
    )
    told = {"versions": {"avloc": "1"}, "git_commit": None}
    return Report("made", "m.npz", {"lvs": verdict}, 3, ("c",), provenance=told)


def test_the_schema():
    value = json.loads(dumps(report()))
    assert value["schema"] == 1
    assert value["protocols"]["lvs"]["metrics"] == {"ciou": 0.5, "ap": None}
    assert set(value["protocols"]["lvs"]["baselines"]) == {
        "centre",
        "whole",
        "half_oracle",
        "random",
    }
    assert value["protocols"]["lvs"]["items"] == {"a": {"ciou": 1.0}, "b": {"ciou": None}}
    assert value["protocols"]["lvs"]["intervals"] == {"ciou": [0.25, 0.75]}
    assert value["items"]["missing"] == ["c"]
    assert value["items"]["scored"] == 2
    assert value["versions"] == {"avloc": "1"}
    assert "NaN" not in dumps(report())


def test_only_finite_numbers_are_left():
    given = {"a": [np.float32(1.5), math.inf, None, True, 3, "x"], "b": (np.int64(2), -math.inf)}
    assert finite(given) == {"a": [1.5, None, None, True, 3, "x"], "b": [2, None]}


def test_reads_what_it_wrote(tmp_path):
    (tmp_path / "r.json").write_text(dumps(report()))
    assert load(tmp_path / "r.json") == report().to_json()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "not JSON"),
        ("[]", "not a report of avloc evaluate"),
        ('{"protocols": {}, "schema": 7}', "schema 7"),
        ('{"protocols": {"lvs": []}, "schema": 1}', "lvs: not the numbers of items"),
        ('{"protocols": {"lvs": {}}, "schema": 1}', "lvs: not the numbers of items"),
        ('{"protocols": {"lvs": {"items": {"a": 1}}}, "schema": 1}', "lvs: not the numbers"),
        ('{"protocols": {"lvs": {"items": {"a": {"ciou": "1"}}}}, "schema": 1}', "lvs: not the"),
        ('{"protocols": {"lvs": {"items": {"a": {"ciou": NaN}}}}, "schema": 1}', "lvs: not the"),
    ],
)
def test_other_files(tmp_path, text, told):
    (tmp_path / "r.json").write_text(text)
    with pytest.raises(DataError, match=told):
        load(tmp_path / "r.json")
    with pytest.raises(DataError, match="cannot be read"):
        load(tmp_path / "none.json")
