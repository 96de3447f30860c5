"""Optical flow as the scripts of HearTheFlow make it, theirs written out by hand."""

import sys

import cv2
import numpy as np
import pytest
from PIL import Image

from avloc.features.flow import STILL, flow_lacks, flow_pictures


def textured(seed=0, height=96, width=128):
    """Smooth noise, which Farneback's polynomials can follow."""
    noise = np.random.default_rng(seed).integers(0, 256, (12, 16, 3), np.uint8)
    return np.asarray(Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC))


def by_hand(frame, following, folder):
    """They read with OpenCV, blue first, and write both parts as pictures (here without loss)."""
    first, second = (cv2.cvtColor(one[..., ::-1], cv2.COLOR_BGR2GRAY) for one in (frame, following))
    flow = cv2.calcOpticalFlowFarneback(first, second, None, 0.5, 3, 15, 3, 5, 1.2, 0)
    found = []
    for k in range(2):
        path = str(folder / f"{k}.png")
        cv2.imwrite(path, flow[:, :, k])
        found.append(np.asarray(Image.open(path).convert("L")))
    return np.stack(found)


@pytest.mark.parametrize("moved", [(0, 4), (3, 0), (-3, 5), (0, 0)])
def test_as_theirs(tmp_path, moved):
    frame = textured()
    following = np.roll(frame, moved, (0, 1))
    found = flow_pictures(frame, following)
    assert found.shape == (2, 96, 128)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, by_hand(frame, following, tmp_path))
    down, across = moved
    middle = np.median(found[:, 20:-20, 20:-20], (1, 2))
    # To the left and upwards is as grey as still.
    np.testing.assert_allclose(middle, [max(0, across), max(0, down)], atol=1)


def test_without_a_following_frame_nothing_moves():
    frame = textured()
    assert (flow_pictures(frame, None) == STILL).all()
    assert (flow_pictures(frame, frame) == STILL).all()


def test_without_opencv_nothing_moves(monkeypatch):
    assert flow_lacks() == ""
    monkeypatch.setattr("avloc.features.flow.find_spec", lambda name: None)
    monkeypatch.setitem(sys.modules, "cv2", None)
    assert "pip install 'avloc[flow]'" in flow_lacks()
    frame = textured()
    assert (flow_pictures(frame, np.roll(frame, 4, 1)) == STILL).all()
