import pytest

from avloc.media.moving import matched, moved


def test_what_is_in_both_moves() -> None:
    drawn = moved([(0.2, 0.5)], [(0.28, 0.42)], 0.25, (0.6, 0.2))
    assert drawn == [(pytest.approx((0.22, 0.48)), pytest.approx(0.8))]


def test_what_is_far_away_fades() -> None:
    drawn = moved([(0.2, 0.5)], [(0.8, 0.5)], 0.25, (0.6, 0.2))
    assert drawn == [((0.2, 0.5), 0.6), ((0.8, 0.5), 0.2)]


def test_what_is_on_one_side_only() -> None:
    assert moved([], [(0.8, 0.5)], 0.5, (0.4, 0.5)) == [((0.8, 0.5), 0.5)]
    assert moved([(0.8, 0.5)], [], 0.5, (0.4, 0.5)) == [((0.8, 0.5), 0.4)]
    assert moved([], [], 0.5, (0.4, 0.5)) == []


def test_the_nearest_belong_together() -> None:
    before = [(0.1, 0.1), (0.2, 0.1)]
    after = [(0.21, 0.1), (0.12, 0.1), (0.9, 0.9)]
    assert sorted(matched(before, after)) == [(0, 1), (1, 0)]
    # One of two is left over.
    assert matched(before, [(0.16, 0.1)]) == [(1, 0)]


def test_boxes_that_overlap_belong_together() -> None:
    grown = [(0.1, 0.1, 0.9, 0.5)]
    assert matched([(0.1, 0.1, 0.2, 0.2)], grown) == [(0, 0)]
    assert matched([(0.1, 0.6, 0.2, 0.7)], grown) == []
    ((box, opacity),) = moved([(0.1, 0.1, 0.2, 0.2)], grown, 0.5, (0.4, 0.4))
    assert box == pytest.approx((0.1, 0.1, 0.55, 0.35))
    assert opacity == 0.8
    assert matched([(0.1, 0.1, 0.2, 0.2)], [(0.2, 0.1, 0.3, 0.2)]) == [(0, 0)]  # near enough
