"""VGGSound-Duet: two clips made into one."""

import numpy as np

from avloc.data.benchmarks import read_benchmark


def test_mixed_clips_keep_their_own_boxes(vggss, write, told):
    rows = "zpWuikVorYg_000032,elk,JIemsK_0lXc_000364,cello\n"
    rows += "JIemsK_0lXc_000364,cello,M1P1xla8rg0_000000,cello\nJIemsK_0lXc_000364,c,nobody,c2\nx\n"
    found = read_benchmark(write("vggsound_duet_test.csv", rows))
    first, second = found.items[:2]
    assert first.id == "zpWuikVorYg_000032+JIemsK_0lXc_000364#1"
    assert (first.label, second.label) == ("elk", "cello")
    assert first.group == second.group == "zpWuikVorYg_000032+JIemsK_0lXc_000364"
    np.testing.assert_array_equal(first.boxes, [[0.4, 0.25, 0.6, 0.75]])
    np.testing.assert_array_equal(second.boxes, [[0, 0, 1, 1]])
    assert first.media["mixed_with"] == second.media["frame"] == "JIemsK_0lXc_000364"
    assert second.media["mixed_with"] == "zpWuikVorYg_000032"
    assert len(found.items) == 5
    assert told(found)[:3] == [
        ("JIemsK_0lXc_000364+M1P1xla8rg0_000000", "both sources have the class 'cello'"),
        ("JIemsK_0lXc_000364+nobody", "nobody is in the list, but without annotation"),
        ("vggsound_duet_test.csv: row 4", "not CLIP,CLASS,CLIP,CLASS: 'x'"),
    ]


def test_the_real_mixtures(annotations):
    found = read_benchmark("vggsound-duet", annotations)
    assert len(found.items) == 2 * 5158
    assert sum("both sources" in problem.what for problem in found.problems) == 22
