"""Masks: one truth in every mode that people save it in."""

import numpy as np
import pytest
from PIL import Image

from avloc.data.benchmarks.masks import locate, read_mask
from avloc.errors import DataError


def test_masks_of_all_modes(tmp_path):
    truth = np.zeros((6, 9), bool)
    truth[1:4, 2:7] = True
    grey = Image.fromarray(np.where(truth, 255, 0).astype(np.uint8))
    bits = Image.fromarray(truth.astype(np.uint8))
    index = Image.fromarray(truth.astype(np.uint8) * 3, "P")
    index.putpalette([0, 0, 0] * 3 + [40, 0, 0])  # dark, yet not background
    images = {
        "grey": grey,
        "bits": bits,
        "index": index,
        "rgb": grey.convert("RGB"),
        "one": grey.convert("1"),
    }
    for name, image in images.items():
        image.save(tmp_path / f"{name}.png")
        np.testing.assert_array_equal(read_mask(tmp_path / f"{name}.png"), truth, name)
    (tmp_path / "no.png").write_text("no")
    with pytest.raises(DataError, match="cannot be read as a mask"):
        read_mask(tmp_path / "no.png")


def test_a_listed_path_is_found_by_its_end(tmp_path):
    file = tmp_path / "gt_masks" / "a.png"
    file.parent.mkdir()
    file.touch()
    assert locate("/mnt/x/data/gt_masks/a.png", tmp_path) == file
    assert locate("gt_masks\\a.png", tmp_path) == file
    assert locate(str(file), tmp_path / "gt_masks") == file
    assert locate(str(file), tmp_path / "other") is None


@pytest.mark.parametrize("listed", ["../secret.png", "a/../../secret.png", "/x/../secret.png"])
def test_a_listed_path_leads_nowhere_else(tmp_path, listed):
    (tmp_path / "root").mkdir()
    (tmp_path / "secret.png").touch()
    assert locate(listed, tmp_path / "root") is None
    assert locate("x" * 5000, tmp_path) is None


def test_masks_that_cannot_be_meant_are_refused(tmp_path, monkeypatch):
    Image.new("1", (300, 200)).save(tmp_path / "large.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 300 * 200 // 3)
    with pytest.raises(DataError, match=r"large\.png: cannot be read as a mask \(.*exceeds limit"):
        read_mask(tmp_path / "large.png")
    Image.fromarray(np.full((4, 4), 200, np.uint16)).save(tmp_path / "deep.png")
    with pytest.raises(DataError, match=r"deep\.png: a mask of more than 8 bits"):
        read_mask(tmp_path / "deep.png")
