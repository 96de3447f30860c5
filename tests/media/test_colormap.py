import numpy as np
import pytest

from avloc.errors import UsageError
from avloc.media.colormap import COLORMAPS


@pytest.mark.parametrize("name", COLORMAPS)
def test_every_map_is_a_read_only_table_of_colours(name: str) -> None:
    colours = COLORMAPS[name]
    assert colours.shape == (256, 3)
    assert colours.dtype == np.uint8
    assert not colours.flags.writeable


@pytest.mark.parametrize("name", COLORMAPS)
def test_maps_are_within_ten_steps_of_the_published_colours(name: str) -> None:
    matplotlib = pytest.importorskip("matplotlib")
    published = matplotlib.colormaps["gray" if name == "grey" else name](np.arange(256))
    error = np.abs(COLORMAPS[name] - np.round(255 * published[:, :3]))
    assert error.max() <= 10
    assert error.mean() <= 2


@pytest.mark.parametrize("name", ["viridis", "cividis", "inferno", "grey"])
def test_sequential_maps_grow_lighter_all_the_way(name: str) -> None:
    cv2 = pytest.importorskip("cv2")
    unit = COLORMAPS[name][None].astype(np.float32) / 255
    lightness = cv2.cvtColor(unit, cv2.COLOR_RGB2LAB)[0, :, 0]
    # Over steps of 8, which are what an eye could see; single rows differ by rounding.
    assert (np.diff(lightness[::8]) > 0).all()


def test_an_unknown_map_names_its_neighbour() -> None:
    with pytest.raises(UsageError, match="viridis"):
        COLORMAPS["virdis"]
