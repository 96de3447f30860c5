"""Names, files and what to do without either."""

import pytest

from avloc.data.benchmarks import BENCHMARKS, read_benchmark
from avloc.data.benchmarks.registry import recognise
from avloc.errors import DataError, UsageError


def test_a_name_needs_its_folder():
    with pytest.raises(UsageError, match="vggss: name the folder"):
        read_benchmark("vggss")
    with pytest.raises(UsageError, match="did you mean 'vggss'"):
        read_benchmark("vgss")
    with pytest.raises(UsageError, match="no such file"):
        read_benchmark("some/where.json")


@pytest.mark.parametrize("name", sorted(BENCHMARKS))
def test_every_reader_says_what_is_missing(name, tmp_path):
    with pytest.raises(DataError, match=str(tmp_path)):
        read_benchmark(name, tmp_path)
    with pytest.raises(DataError, match="nothing"):
        read_benchmark(name, tmp_path / "nothing")


@pytest.mark.parametrize("content", ["[1]", "[]", "{}", '"x"', '[{"a": 1}]'])
def test_unknown_lists_are_refused(write, content):
    with pytest.raises(DataError, match="no list that is known"):
        recognise(write("x.json", content))
    with pytest.raises(DataError, match="not JSON"):
        recognise(write("y.json", "{"))
    with pytest.raises(DataError, match=r"no benchmark\.json in it"):
        recognise(write("y.json", "{").parent)


def test_every_real_list_is_recognised(annotations):
    names = {path.name: recognise(path) for path in annotations.glob("*.json")}
    assert names == {
        "flickr_soundnet_boxes_256px_2786.json": "flickr",
        "ms3_box.json": "avsbench-ms3",
        "music_duet.json": "music-duet",
        "music_solo.json": "music-solo",
        "s4_box.json": "avsbench-s4",
        "synthetic3240_bbox.json": "is3",
        "vggss.json": "vggss",
        "vpo_ms_bbox.json": "vpo-ms",
        "vpo_ss_bbox.json": "vpo-ss",
    }


def test_every_real_json_is_recognised_by_what_it_says(annotations, tmp_path):
    for number, path in enumerate(sorted(annotations.glob("*.json"))):
        copy = tmp_path / f"{number}.json"
        copy.symlink_to(path)
        assert recognise(copy) == recognise(path)
