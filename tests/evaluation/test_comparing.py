"""Paired differences against hand counts."""

import math

import pytest
from scipy.stats import binomtest

from avloc.errors import DataError
from avloc.evaluation.comparing import compare
from avloc.evaluation.report import Report, Verdict


def report(ciou, name="lvs", digest="x", silent=()):
    items = {item: {"ciou": value} for item, value in ciou.items()}
    groups = {item: {"sounds": item not in silent} for item in items}
    verdict = Verdict({}, {"ciou": 0.5}, {}, {}, items, {}, ("ciou",), True, None, len(items))
    told = {"sha256": {"list": {"list.json": digest}}}
    return Report("made", "m", {name: verdict}, len(items), provenance=told, groups=groups)


OURS = {"a": 0.6, "b": 0.7, "c": 0.2, "d": 0.4, "e": 0.4}
THEIRS = {"a": 0.4, "b": 0.6, "c": 0.3, "d": 0.4, "f": 1.0}


def test_by_hand():
    found = compare(report(OURS), report(THEIRS).to_json(), {})["lvs"]
    assert (found.better, found.worse, found.same, found.count) == (2, 1, 1, 4)
    assert (found.only_here, found.only_there) == (1, 1)
    assert found.differences["ciou"].mean == pytest.approx(1 / 4)
    assert found.differences["mean_ciou"].mean == pytest.approx((0.2 + 0.1 - 0.1) / 4)
    low, high = found.differences["mean_ciou"].low, found.differences["mean_ciou"].high
    assert low <= found.differences["mean_ciou"].mean <= high
    assert found.p == pytest.approx(binomtest(2, 3).pvalue)
    # The area between 21 steps of 0.05: an item's area is 0.05 for each step that it reaches,
    # less half of the first one.
    steps = (4 + 2 - 2) * 0.05 / 4
    assert found.differences["auc"].mean == pytest.approx(steps)


def test_an_undefined_score_is_none_at_all():
    found = compare(report({"a": 0.5}), report({"a": math.nan}).to_json(), {})["lvs"]
    assert found.better == 1
    assert found.differences["mean_ciou"].mean == 0.5


def test_a_method_is_as_good_as_itself():
    found = compare(report(OURS), report(OURS).to_json(), {})["lvs"]
    assert (found.better, found.worse, found.p) == (0, 0, 1)
    assert set(found.differences["ciou"]) == {0}


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (report(OURS, "acl"), "no protocol in common; that report has items of acl"),
        (report({"z": 1.0}), "lvs: no item in common"),
        (report(OURS, digest="y"), "about another list"),
    ],
)
def test_what_cannot_be_compared(other, told):
    with pytest.raises(DataError, match=told):
        compare(report(OURS), other.to_json(), {})


def test_items_without_a_source_are_left_out():
    ours = report({**OURS, "quiet": math.nan, "silent": 0.0}, silent=("quiet", "silent"))
    theirs = report({**THEIRS, "quiet": 0.9, "silent": 0.9})
    assert compare(ours, theirs.to_json(), {}) == compare(
        report(OURS), report(THEIRS).to_json(), {}
    )


def test_protocols_that_score_no_items_are_left_out():
    pooled = Verdict({}, {"map": 0.5}, {}, {}, {"a": {}}, {}, ("map",), False, None, 1)
    one = Report("made", "m", {"denseav": pooled, **report(OURS).protocols}, 5)
    assert list(compare(one, one.to_json(), {})) == ["lvs"]
    with pytest.raises(DataError, match="that report has items of none"):
        compare(one, Report("made", "m", {"denseav": pooled}, 5).to_json(), {})
