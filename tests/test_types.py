"""Heatmaps say where: against hand counts and maps whose answer is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from avloc.errors import UsageError
from avloc.types import Annotation, Heatmap


def heatmap(values) -> Heatmap:
    return Heatmap(np.asarray(values, np.float32), time=0.0, confidence=1.0)


def blobs(*centres: tuple[float, float, float], grid: int = 20, width: float = 0.06) -> Heatmap:
    """A map with Gaussian hills at (x, y, height)."""
    y, x = (np.mgrid[:grid, :grid] + 0.5) / grid
    hills = [h * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / 2 / width**2) for cx, cy, h in centres]
    return heatmap(np.sum(hills, 0))


class TestMask:
    def test_half_max_is_midway_between_least_and_greatest(self):
        mask = heatmap([[-1.0, 0.9], [1.1, 3.0]]).mask("half-max")
        assert mask.tolist() == [[False, False], [True, True]]

    @given(st.integers(1, 9), st.integers(1, 9))
    def test_median_takes_half_of_distinct_values(self, height, width):
        values = np.random.default_rng(0).permutation(height * width).reshape(height, width)
        if values.size > 1:
            assert heatmap(values).mask("median").sum() == round(values.size / 2)

    @pytest.mark.parametrize(("rule", "count"), [("top:0.1", 10), ("top:0.25", 25), ("top:1", 100)])
    def test_top_takes_its_share(self, rule, count):
        assert heatmap(np.arange(100).reshape(10, 10)).mask(rule).sum() == count

    def test_above_is_raw_correlation(self):
        assert heatmap([[0.1, 0.3]]).mask("above:0.2").tolist() == [[False, True]]
        assert heatmap([[0.5, 0.5]]).mask("above:0.2").all()

    @pytest.mark.parametrize("rule", ["half-max", "median", "top:0.5"])
    def test_a_constant_map_has_no_region(self, rule):
        assert not heatmap(np.full((4, 4), 0.7)).mask(rule).any()

    @pytest.mark.parametrize("rule", ["", "best", "top", "top:x", "half-max:3", "above", "above:"])
    def test_unknown_rules_are_refused(self, rule):
        with pytest.raises(UsageError, match="mask rule"):
            heatmap([[0.0, 1.0]]).mask(rule)

    def test_a_size_gives_that_size(self):
        assert blobs((0.5, 0.5, 1)).mask("half-max", (30, 50)).shape == (30, 50)


class TestPeaks:
    def test_the_peak_of_a_grid_is_the_centre_of_its_cell(self):
        values = np.zeros((4, 8))
        values[1, 6] = 1
        assert heatmap(values).peak() == pytest.approx((6.5 / 8, 1.5 / 4), abs=0.02)

    def test_several_sources_come_greatest_first(self):
        found = blobs((0.2, 0.3, 0.8), (0.7, 0.6, 1.0)).peaks(3)
        assert len(found) == 2
        assert found[0][:2] == pytest.approx((0.7, 0.6), abs=0.05)
        assert found[1][:2] == pytest.approx((0.2, 0.3), abs=0.05)
        assert found[0][2] > found[1][2]

    @settings(max_examples=50, deadline=None)
    @given(arrays(np.float32, (5, 7), elements=st.floats(-4, 4, width=32)))
    def test_the_first_peak_is_the_maximum_of_the_resized_map(self, values):
        x, y, top = heatmap(values).peaks(1)[0]
        assert 0 <= x <= 1
        assert 0 <= y <= 1
        assert top == pytest.approx(float(heatmap(values).resized((40, 56)).max()), abs=1e-5)

    def test_a_constant_map_points_to_the_middle(self):
        assert heatmap(np.zeros((6, 6))).peak() == pytest.approx((0.5, 0.5))


class TestBoxes:
    def test_a_box_holds_its_hill(self):
        (box,) = blobs((0.3, 0.6, 1.0)).boxes()
        x0, y0, x1, y1 = box
        assert x0 < 0.3 < x1
        assert y0 < 0.6 < y1
        # half of a Gaussian's height lies at sqrt(2 ln 2) of its width
        assert x1 - x0 == pytest.approx(2 * 0.06 * np.sqrt(2 * np.log(2)), abs=0.03)

    def test_each_part_has_its_box_strongest_first(self):
        found = blobs((0.2, 0.3, 0.8), (0.7, 0.6, 1.0)).boxes(n=3)
        assert len(found) == 2
        assert found[0][0] < 0.7 < found[0][2]
        assert found[1][0] < 0.2 < found[1][2]

    def test_a_constant_map_has_none(self):
        assert heatmap(np.ones((5, 5))).boxes() == []


def test_the_resized_map_keeps_the_values_range():
    small = blobs((0.4, 0.4, 1.0))
    large = small.resized((200, 300))
    assert large.shape == (200, 300)
    assert large.dtype == np.float32
    assert small.values.min() <= large.min()
    assert large.max() <= small.values.max() + 1e-6


def test_an_annotation_knows_whether_anything_is_visible():
    assert not Annotation().visible
    assert Annotation(boxes=np.array([[0.1, 0.1, 0.2, 0.2]])).visible
    assert not Annotation(mask=np.zeros((2, 2), bool)).visible
    assert Annotation(mask=np.eye(2, dtype=bool)).visible
