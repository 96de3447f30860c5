"""VGG-SS, whole and in parts."""

import hashlib

import numpy as np
import pytest

from avloc.data.benchmarks import read_benchmark
from avloc.errors import DataError


def test_boxes_stay_as_they_stand(vggss):
    found = read_benchmark(vggss)
    assert [item.id for item in found.items][:2] == ["zpWuikVorYg_000032", "gEvCUcZ6w88_000030"]
    first, second = found.items[:2]
    np.testing.assert_array_equal(first.boxes, [[0.4, 0.25, 0.6, 0.75]])
    assert second.boxes[0, 2] == -2.8823037615171176e16
    assert first.scale == (1, 1)
    assert first.votes is None
    assert second.label == "female speech, woman speaking"
    assert first.time == 5
    assert found.name == "vggss"
    assert found.source == (vggss,)
    assert found.sha256 == (hashlib.sha256(vggss.read_bytes()).hexdigest(),)


def test_what_cannot_be_is_told(vggss, told):
    assert told(read_benchmark(vggss)) == [
        ("gEvCUcZ6w88_000030", "box 1 leaves the picture: [0.4, 0.35, -2.882e+16, 0.6]"),
        ("gEvCUcZ6w88_000030", "box 1 has no area: [0.4, 0.35, -2.882e+16, 0.6]"),
        ("M1P1xla8rg0_000000", "box 1 has no area: [0.2, 1, 0.7, 1]"),
        ("M1P1xla8rg0_000000", "no truth: nothing in the picture is marked"),
    ]


def test_a_row_that_stands_again_is_kept_under_another_name(write, told):
    row = {"file": "a", "class": "x", "bbox": [[0, 0, 1, 1]]}
    found = read_benchmark(write("vggss.json", [row, row, row]))
    assert [item.id for item in found.items] == ["a", "a (2)", "a (3)"]
    assert told(found)[0] == ("a", "the id stands again; that row is read as 'a (2)'")
    assert len(found.problems) == 2


@pytest.mark.parametrize(
    ("boxes", "what"),
    [
        ([[0, 0, 1]], "box 1 is not four numbers: [0, 0, 1]; it is left out"),
        ([[0, 0, 1, None]], "box 1 is not four numbers"),
        ([[0, 0, 1, "x"]], "box 1 is not four numbers"),
        ([[0, 0, 1, float("nan")]], "box 1 is not four numbers"),
        ([[0, 0, 1, True]], "box 1 is not four numbers"),
        ([0, 0, 1, 1], "box 1 is not four numbers: 0"),
        ("none", "boxes are not a list: 'none'"),
        ([], "no truth"),
    ],
)
def test_boxes_that_are_none_are_told_and_the_item_stays(write, told, boxes, what):
    found = read_benchmark("vggss", write("x.json", [{"file": "a", "class": "x", "bbox": boxes}]))
    assert len(found.items) == 1
    assert found.items[0].boxes.shape == (0, 4)
    assert told(found)[0][0] == "a"
    assert told(found)[0][1].startswith(what)
    assert told(found)[-1][1].startswith("no truth")


def test_heard_and_unheard_are_parts_in_the_order_of_their_lists(vggss, write, told):
    heard = write("vggss_heard_test.csv", "JIemsK_0lXc_000364\nzpWuikVorYg_000032\nnobody_0001\n")
    write("vggss_unheard_test.csv", "gEvCUcZ6w88_30000_40000\n")
    found = read_benchmark("vggss-heard", vggss.parent)
    assert [item.id for item in found.items] == ["JIemsK_0lXc_000364", "zpWuikVorYg_000032"]
    assert told(found) == [("nobody_0001", "in the list, but without annotation")]
    assert found.source == (vggss, heard)
    assert len(read_benchmark(heard).items) == 2
    unheard = read_benchmark("vggss-unheard", vggss.parent)
    assert [item.id for item in unheard.items] == ["gEvCUcZ6w88_000030"]
    assert len(unheard.problems) == 2


def test_other_json_is_refused(write):
    with pytest.raises(DataError, match="row 1: lacks the key 'file'"):
        read_benchmark("vggss", write("a.json", [{"bbox": []}]))
    with pytest.raises(DataError, match="no items in it"):
        read_benchmark("vggss", write("b.json", []))
    with pytest.raises(DataError, match="not JSON"):
        read_benchmark("vggss", write("c.json", "[{"))


def test_the_real_list(annotations):
    found = read_benchmark("vggss", annotations)
    assert len(found.items) == 5158
    boxes = np.concatenate([item.boxes for item in found.items])
    assert len(boxes) == 5941
    assert (boxes < -1e16).sum() == 14
    assert len({item.label for item in found.items}) == 221
    what = [
        problem.what.split(":")[0].partition(" ")[2].lstrip("1234567 ")
        for problem in found.problems
    ]
    assert {w: what.count(w) for w in what} == {
        "has no area": 18,
        "leaves the picture": 12,
        "truth": 2,
    }
    empty = {problem.id for problem in found.problems if problem.what.startswith("no truth")}
    assert empty == {"M1P1xla8rg0_000000", "MKC9LvRivTM_000030"}


def test_the_real_parts(annotations):
    heard = read_benchmark("vggss-heard", annotations).items
    unheard = read_benchmark("vggss-unheard", annotations).items
    assert (len(heard), len(unheard)) == (2564, 2575)
    assert not {item.label for item in heard} & {item.label for item in unheard}
    both = {item.id for item in heard} | {item.id for item in unheard}
    rest = [i for i in read_benchmark("vggss", annotations).items if i.id not in both]
    assert {item.label for item in rest} == {"singing choir"}
    assert len(rest) == 19
