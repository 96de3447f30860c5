"""The table, and what stands below it: from reports made by hand."""

import io
import math

import pytest
from rich.console import Console

from avloc.cli import scores
from avloc.evaluation.comparing import Comparison
from avloc.evaluation.report import Report, Verdict
from avloc.evaluation.scores import Interval

BESIDE = {"centre": 0.34, "whole": 0.22, "half_oracle": 0.505, "random": 0.1}


def verdict(metrics=None, ends=(0.4, 0.55), limited=True, tied=0.0, headline=("ciou",)):
    metrics = {"ciou": 0.5} if metrics is None else metrics
    intervals = {name: Interval(value, *ends) for name, value in metrics.items()}
    baselines = {name: dict.fromkeys(metrics or headline, value) for name, value in BESIDE.items()}
    return Verdict({}, metrics, intervals, baselines, {}, {}, headline, limited, tied, 3)


def report(*verdicts, **told):
    names = ("lvs", "acl", "avloc")[: len(verdicts)]
    return Report("made", "m.npz", dict(zip(names, verdicts, strict=True)), 4, **told)


def lines(table, width=80):
    out = io.StringIO()
    Console(file=out, width=width).print(table)
    return [line.rstrip() for line in out.getvalue().splitlines()]


def words(line):
    return line.split()


def test_a_line_says_score_interval_and_references():
    head, *rest = lines(scores.table(report(verdict())))
    assert words(head) == ["best"]
    assert words(rest[0])[:4] == ["protocol", "metric", "score", "95"]
    assert words(rest[1]) == ["lvs", "cIoU", "50.0", "40.0-55.0", "34.0", "22.0", "50.5", "10.0"]


def test_what_is_no_limit_stands_in_brackets():
    free = verdict(limited=False)
    both = verdict({"ciou": 0.5, "pixel_ap": 0.7}, headline=("ciou", "pixel_ap"))
    _, _, acl, own, ranked = lines(scores.table(report(free, both)))
    assert words(acl)[-2] == "(50.5)"
    assert words(own)[-2] == "50.5"
    assert words(ranked)[:3] == ["pixel", "AP", "70.0"]
    assert words(ranked)[-2] == "(50.5)"


def test_a_number_that_does_not_exist_is_a_dash():
    one = verdict({"ciou": math.nan}, ends=(math.nan, math.nan))
    assert words(lines(scores.table(report(one)))[-1])[:4] == ["lvs", "cIoU", "-", "-"]


def test_mixtures_follow_the_headline():
    one = verdict({"ciou": 0.5, "ogl_ciou": 0.6, "mean_ciou": 0.4})
    shown = lines(scores.table(report(one)))
    assert words(shown[-1])[:3] == ["cIoU", "OGL", "60.0"]
    assert not any("mean cIoU" in line for line in shown)
    assert any("mean cIoU" in line for line in lines(scores.table(report(one), everything=True)))


def test_references_alone_have_no_column_for_a_score():
    alone = lines(scores.table(report(verdict({}))))
    assert "score" not in alone[1]
    assert words(alone[-1]) == ["lvs", "cIoU", "34.0", "22.0", "50.5", "10.0"]


def test_fits_a_terminal():
    long = verdict({"true_size_mean": 1.0, "iiou_true_size": 1.0}, (0.1234, 1.0), False)
    long = Verdict(**{**vars(long), "headline": ("true_size_mean", "iiou_true_size")})
    assert max(map(len, lines(scores.table(report(verdict(), verdict(), long)), 120))) <= 80


NAMES = tuple(f"item{number}" for number in range(13))


@pytest.mark.parametrize(
    ("told", "line"),
    [
        ({}, "m.npz on made: 4 of 4 items"),
        ({"missing": ("a",)}, "m.npz on made: 3 of 4 items"),
        ({"missing": ("a", "b")}, "missing, not scored: 2: a, b"),
        ({"missing": NAMES}, "item9 and 3 more"),
        ({"faults": {"a": "a: not finite"}}, "not scored: a: not finite"),
        ({"faults": dict.fromkeys(NAMES, "x")}, "and 3 more that were not scored"),
        ({"unknown": ("z",)}, "no item of the list, left out: 1: z"),
        ({"without": {"objectness": ("a",)}}, "without objectness, which some items lack: 1: a"),
        ({"sizes": {"7x7": 3, "14x14": 1}}, "maps of several sizes: 3 of 7x7, 1 of 14x14"),
        ({"sizes": {"7x7": 4}}, "m.npz on made"),
        ({"problems": ("a: empty", "b: empty")}, "the list itself: a: empty (and 1 more)"),
    ],
)
def test_notes(told, line):
    found = scores.notes(report(verdict(), **told))
    assert any(line in note for note in found), found
    assert ("several sizes" in " ".join(found)) == (len(told.get("sizes", {})) > 1)


@pytest.mark.parametrize(
    ("tied", "line"),
    [
        ((0.0, 0.0), "maps with ties at the threshold: 0.0 %"),
        ((0.25, 0.5), "25.0 to 50.0 % (> and >= give different masks)"),
        ((None, 0.002), "maps with ties at the threshold: 0.2 %"),
    ],
)
def test_ties(tied, line):
    found = scores.notes(report(*(verdict(tied=share) for share in tied)))
    assert any(note.endswith(line) for note in found), found
    assert not any("ties" in note for note in scores.notes(report(verdict(tied=None))))


def test_what_training_has_seen():
    seen = {"seen": ["a"], "videos": ["b"], "tested": 4, "list": "train.txt"}
    (note,) = [n for n in scores.notes(report(verdict(), contamination=seen)) if "train.txt" in n]
    assert note.startswith("1 of 4 clips stand in train.txt, and 1 are other pieces of videos")
    clean = {"seen": [], "videos": [], "tested": 4, "list": "train.txt"}
    assert "0 of 4 clips stand in train.txt" in scores.notes(report(verdict(), contamination=clean))


def test_differences():
    ends = {"ciou": Interval(0.1, -0.05, 0.25), "mean_ciou": Interval(0.02, math.nan, math.nan)}
    one = Comparison(ends, 5, 2, 3, 0.4531, 10, 0, 0)
    title, _, first, second = lines(scores.comparison({"lvs": one}, "old.json"))
    assert title == "minus old.json"
    assert words(first) == ["lvs", "cIoU", "+10.0", "-5.0..+25.0", "5", "2", "3", "0.45"]
    assert words(second) == ["mean", "cIoU", "+2.0", "-"]
