import numpy as np
import pytest

from avloc.media.orientation import Orientation

ALL = [Orientation(a, b, c) for a in (False, True) for b in (False, True) for c in (False, True)]


def turned(values, orientation):
    """The oracle: by the words of the class."""
    out = values.T if orientation.transpose else values
    out = out[:, ::-1] if orientation.mirror_x else out
    return out[::-1] if orientation.mirror_y else out


@pytest.mark.parametrize("orientation", ALL)
def test_inverse_undoes(orientation):
    values = np.arange(6).reshape(2, 3)
    back = turned(turned(values, orientation), orientation.inverse)
    np.testing.assert_array_equal(back, values)


@pytest.mark.parametrize("quarters", range(4))
def test_rotation_is_clockwise(quarters):
    values = np.arange(6).reshape(2, 3)
    found = [o for o in ALL if np.array_equal(turned(values, o), np.rot90(values, -quarters))]
    assert [o.rotation for o in found] == [90 * quarters]
