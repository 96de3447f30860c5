"""A published checkpoint all the way: converted, shown, localizing a video, evaluated."""

import numpy as np
import pytest


@pytest.mark.parametrize(("method", "shape"), [("ezvsl", (7, 7)), ("lvs", (14, 14))])
def test_from_a_checkpoint_to_scores(through, checkpoint, method, shape):
    values = through(checkpoint(method), method)
    assert values.shape == shape
    assert np.ptp(values) > 1e-3
