"""Where results go, and which plans are refused."""

from pathlib import Path

import pytest

from avloc.cli.inputs import Source
from avloc.cli.outputs import KINDS, parse_kinds, plan
from avloc.errors import UsageError


def places(sources: list[Source], kinds=("video",), **options) -> list[str]:
    jobs, _ = plan(sources, list(kinds), **options)
    return [path.as_posix() for job in jobs for path in job.outputs.values()]


CLIP = Source(Path("films/clip.mov"))


def test_beside_the_input():
    assert places([CLIP], ["video", "json"]) == ["films/clip.avloc.mp4", "films/clip.avloc.json"]


def test_every_kind_has_a_name_of_its_own():
    assert len(set(places([CLIP], KINDS))) == len(KINDS)


def test_under_out_with_subfolders_kept():
    found = [Source(Path("in/a.mp4"), Path(), True), Source(Path("in/x/a.mp4"), Path("x"), True)]
    assert places(found, out=Path("out")) == ["out/a.avloc.mp4", "out/x/a.avloc.mp4"]


def test_out_may_name_the_file():
    assert places([CLIP], ["video", "json"], out=Path("o/r.mkv")) == ["o/r.mkv", "o/r.json"]
    assert places([CLIP], ["json"], out=Path("r.json")) == ["r.json"]


def test_out_is_a_folder_when_nothing_of_its_suffix_is_saved(tmp_path):
    assert places([CLIP], ["json"], out=Path("v1.0")) == ["v1.0/clip.avloc.json"]
    (tmp_path / "old.mp4").mkdir()
    assert places([CLIP], out=tmp_path / "old.mp4") == [f"{tmp_path}/old.mp4/clip.avloc.mp4"]


def test_out_is_a_folder_for_several_inputs():
    others = [CLIP, Source(Path("b.mp4"))]
    assert places(others, out=Path("r.mp4")) == ["r.mp4/clip.avloc.mp4", "r.mp4/b.avloc.mp4"]


def test_the_template():
    assert places([CLIP], name="{stem}-{suffix}-heat.{ext}") == ["films/clip-mov-heat.mp4"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("{stem}.{extension}", "unknown field {extension}"),
        ("{stem", "expected '}'"),
        ("../{stem}.{ext}", "must stay in the output folder"),
        ("/tmp/{stem}.{ext}", "must stay in the output folder"),
        ("{stem}.avloc", "needs {ext} to tell video and json apart"),
        ("{stem.parent}.{ext}", "unknown field"),
    ],
)
def test_templates_that_are_refused(name, reason):
    with pytest.raises(UsageError, match=reason):
        plan([CLIP], ["video", "json"], name=name)


def test_two_inputs_of_one_output_are_refused():
    twins = [Source(Path("a.mp4")), Source(Path("a.mov"))]
    with pytest.raises(UsageError, match=r"a\.mp4 and a\.mov would both be written to a\.avloc"):
        plan(twins, ["video"])
    assert len(places(twins, name="{stem}-{suffix}.avloc.{ext}")) == 2


def test_the_input_is_never_the_output():
    with pytest.raises(UsageError, match=r"a\.mp4 is the input itself"):
        plan([Source(Path("a.mp4"))], ["video"], name="{stem}.{ext}")


def test_a_result_of_another_input_is_left_out():
    sources = [Source(Path("a.mp4")), Source(Path("a.avloc.mp4"))]
    jobs, results = plan(sources, ["video"])
    assert [job.source.name for job in jobs] == ["a.mp4"]
    assert results == [Path("a.avloc.mp4")]


def test_kinds():
    assert parse_kinds("video, json,video") == ["video", "json"]
    for text in ["", ",", "video,jpeg"]:
        with pytest.raises(UsageError, match="--save"):
            parse_kinds(text)
