"""What the evaluation code of published methods said about stored heatmaps."""

import hashlib
import json
from functools import cache, cached_property
from pathlib import Path

import numpy as np
import pytest

from avloc.evaluation.canvas import Canvas
from avloc.evaluation.truth import Truth, rasterise

MADE_UP = Path(__file__).parents[1] / "goldens"


class Goldens:
    """One folder of golden vectors."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @cached_property
    def arrays(self):
        with np.load(self.folder / "inputs.npz") as file:
            return dict(file)

    @cached_property
    def truth_file(self):
        return self.read("groundtruth.json")

    def read(self, name):
        path = self.folder / name
        if not path.exists():
            pytest.skip(f"{name} is not among these goldens")
        return json.loads(path.read_text())

    def items(self, name):
        """The items of a list: vggss, flickr or is3."""
        return self.truth_file[name]["items"]

    def truths(self, name) -> list[Truth]:
        scale = {"vggss": (1, 1), "flickr": (256, 256), "is3": (224, 224)}[name]
        return [
            rasterise(item.get("boxes", [item.get("box")]), scale, votes=name == "flickr")
            for item in self.items(name)
        ]

    @staticmethod
    def rows(table) -> list[dict]:
        """The rows of a table by column name; numbers that were no numbers are NaN."""
        return [
            {
                name: float("nan") if value == "nan" else value
                for name, value in zip(table["columns"], row, strict=True)
            }
            for row in table["rows"]
        ]

    def array(self, kind, number):
        """`kind` is cos, logit, obj, neg_silence, ...; maps from 200 belong to is3 items."""
        if number >= 200:
            number -= 200
            kind = f"is3{kind}" if kind in ("cos", "logit") else kind
        return self.arrays[f"{kind}_{number:02}"]

    @cache  # noqa: B019 (lives as long as the session)
    def canvas(self, kind, number) -> Canvas:
        return Canvas(self.array(kind, number))

    def canvases(self, name, kind) -> list[Canvas]:
        return [self.canvas(kind, item["map"]) for item in self.items(name)]


@pytest.fixture(scope="session", params=["made up", "real"])
def goldens(request) -> Goldens:
    """Golden vectors with made-up truth, and where they are those with real truth."""
    if request.param == "made up":
        return Goldens(MADE_UP)
    return Goldens(request.getfixturevalue("golden_dir"))


def digest(mask: np.ndarray) -> str:
    """How goldens name a mask."""
    return hashlib.sha1(np.packbits(mask.ravel())).hexdigest()[:16]


@pytest.fixture(scope="session")
def agree():
    """Asserts that masks and their cIoU are the golden ones, row by row."""

    def check(table, masks, truths):
        found = Goldens.rows(table)
        assert len(found) == len(masks)
        for row, mask, truth in zip(found, masks, truths, strict=True):
            where = row["map"]
            assert (where, int(mask.sum()), digest(mask)) == (where, row["n_pos"], row["mask_sha1"])
            assert (where, *truth.overlap(truth.counts(mask))) == (
                where,
                row["inter"],
                row["union"],
            )
            assert truth.ciou(mask) == pytest.approx(row["ciou"], abs=1e-9, nan_ok=True)

    return check
