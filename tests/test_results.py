import csv
import json

import numpy as np
import pytest

from avloc.errors import UsageError
from avloc.results import COLUMNS, SCHEMA
from avloc.types import Heatmap, Localization, Tag


@pytest.fixture
def result() -> Localization:
    values = np.zeros((4, 6), np.float32)
    values[1, 4] = 2.0
    tags = (Tag("Dog", 0.91), Tag("Bark, bow-wow", 0.4))
    maps = tuple(Heatmap(values + k, k / 5, 0.25 * k, tags if k else ()) for k in range(3))
    return Localization("clip.mp4", maps, 5.0, 640, 480, 0.6, "bundled", {"avloc": "0"})


def test_json_reads_back(result, tmp_path):
    path = result.save(tmp_path / "clip.json")
    read = json.loads(path.read_text("utf-8"))
    assert read == result.to_json()
    assert read["schema"] == SCHEMA
    assert (read["source"], read["status"], read["lost_seconds"]) == ("clip.mp4", "complete", 0)
    assert [row["time"] for row in read["heatmaps"]] == [0, 0.2, 0.4]
    second = read["heatmaps"][1]
    assert second["confidence"] == 0.25
    assert second["tags"][0] == {"name": "Dog", "probability": 0.91}
    assert second["peak"] == pytest.approx([4.5 / 6, 1.5 / 4], abs=0.02)
    x0, y0, x1, y1 = second["boxes"][0]
    assert x0 < 4.5 / 6 < x1
    assert y0 < 1.5 / 4 < y1


def test_csv_has_a_row_for_each_heatmap(result, tmp_path):
    path = result.save(tmp_path / "clip.csv")
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 3
    assert tuple(rows[0]) == COLUMNS
    assert rows[0]["tag"] == ""
    assert rows[2]["tag"] == "Dog"
    assert float(rows[2]["time"]) == 0.4


def test_csv_quotes_names_with_commas(result, tmp_path):
    comma = Heatmap(result.heatmaps[0].values, 0, 1, (Tag("Bark, bow-wow", 0.4),))
    path = Localization("c", (comma,), 5, 2, 2, 1, "m").save(tmp_path / "c.csv")
    with path.open(newline="", encoding="utf-8") as file:
        assert next(csv.DictReader(file))["tag"] == "Bark, bow-wow"


def test_npz_keeps_the_raw_maps(result, tmp_path):
    with np.load(result.save(tmp_path / "clip.npz")) as read:
        np.testing.assert_array_equal(read["heatmaps"], [h.values for h in result.heatmaps])
        np.testing.assert_allclose(read["times"], [0, 0.2, 0.4])
        np.testing.assert_allclose(read["confidence"], [0, 0.25, 0.5])


@pytest.mark.parametrize("suffix", [".json", ".csv", ".npz"])
def test_no_heatmaps_is_a_result_too(suffix, tmp_path):
    empty = Localization("clip.mp4", (), 5.0, 2, 2, 0.0, "bundled", status="partial")
    assert empty.save(tmp_path / f"clip{suffix}").stat().st_size > 0


def test_another_suffix_is_refused(result, tmp_path):
    with pytest.raises(UsageError, match=r"clip\.txt; use \.json, \.csv or \.npz"):
        result.save(tmp_path / "clip.txt")
