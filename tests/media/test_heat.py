import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from avloc.media.heat import enlarge, fade, strength, tint
from avloc.types import Heatmap

maps = arrays(
    np.float32,
    st.tuples(st.integers(1, 9), st.integers(1, 9)),
    elements=st.floats(-2, 2, width=32),
)


@given(maps, st.integers(1, 70), st.integers(1, 70), st.sampled_from([1, 4]))
def test_enlarging_is_scipys_b_spline(
    values: np.ndarray, height: int, width: int, pitch: int
) -> None:
    ours = enlarge(values, height, width, pitch)
    y = (np.arange(ours.shape[0]) + 0.5) * pitch * values.shape[0] / height - 0.5
    x = (np.arange(ours.shape[1]) + 0.5) * pitch * values.shape[1] / width - 0.5
    # SciPy replicates borders by one sample only where it filters: pad for the spline's reach.
    points = np.stack(np.meshgrid(y + 8, x + 8, indexing="ij"))
    padded = np.pad(values.astype(float), 8, mode="edge")
    theirs = ndimage.map_coordinates(padded, points, order=3, prefilter=False, mode="nearest")
    np.testing.assert_allclose(ours, theirs, atol=1e-4)
    assert ours.min() >= values.min() - 1e-5
    assert ours.max() <= values.max() + 1e-5


@given(maps, st.floats(0.1, 50), st.floats(-3, 3))
def test_strength_does_not_depend_on_the_scale_of_the_values(
    values: np.ndarray, scale: float, shift: float
) -> None:
    relative = strength(values)
    assert relative.min() >= 0
    assert relative.max() <= 1
    if np.ptp(values) > 0.1:
        np.testing.assert_allclose(strength(values * scale + shift), relative, atol=1e-3)


def test_colours_fill_the_region_of_half_max_and_grow_to_the_peak() -> None:
    field = np.random.default_rng(0).exponential(size=(40, 60)).astype(np.float32)
    opacity, rows = tint(field, 0.5)
    region = Heatmap(field, 0.0, 1.0).mask("half-max")
    assert (opacity[~region] == 0).all()
    order = np.argsort(field[region])
    assert (np.diff(opacity[region][order]) >= 0).all()
    assert (np.diff(rows[region][order].astype(int)) >= 0).all()
    peak = np.unravel_index(field.argmax(), field.shape)
    assert opacity[peak] == 0.5
    assert rows[peak] == rows.max() >= 225


def test_a_constant_map_shows_nothing() -> None:
    assert not tint(np.full((5, 5), 3.0, np.float32), 1.0)[0].any()


def test_fade_grows_from_nothing_to_all() -> None:
    levels = [fade(confidence) for confidence in np.linspace(0, 1, 21)]
    assert levels[0] == 0
    assert levels[-1] == 1
    assert levels == sorted(levels)
