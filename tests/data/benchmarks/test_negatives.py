"""The extended sets: positives and frames with a foreign sound."""

from avloc.data.benchmarks import read_benchmark

ROWS = "video,audio,label\nzpWuikVorYg_000032,JIemsK_0lXc_000364,non-sounding\nx,x,non-sounding\n"


def test_negatives_have_no_boxes_and_two_names(vggss, write, told):
    path = write("vggss_test_plus_silent.csv", ROWS + "a,b,sounding\n")
    found = read_benchmark(path)
    assert [item.sounds for item in found.items] == [True] * 4 + [False] * 2
    pair = found.items[4]
    assert pair.id == "zpWuikVorYg_000032+JIemsK_0lXc_000364"
    assert pair.media == {"frame": "zpWuikVorYg_000032", "sound": "JIemsK_0lXc_000364"}
    assert pair.boxes.shape == (0, 4)
    assert told(found)[0] == (
        "vggss_test_plus_silent.csv: row 4",
        "not VIDEO,AUDIO,non-sounding: 'a,b,sounding'",
    )
    assert not [name for name, _ in told(found) if "+" in name]


def test_flickr_has_a_positive_for_each_negative(write, told):
    boxes = {"1": [[0, 0, 9, 9]], "2": [[0, 0, 9, 9]], "3": [[5, 5, 5, 9]]}
    write("flickr_boxes.json", {"boxes": boxes})
    write("flickr_test_plus_silent.csv", "video,audio,label\n1,2,non-sounding\n4,1,non-sounding\n")
    found = read_benchmark("flickr-extended", write("x.txt", "").parent)
    assert [item.id for item in found.items] == ["1", "1+2", "4+1"]
    assert told(found) == [("4", "in the list, but without annotation")]


def test_the_real_lists(annotations):
    found = read_benchmark("vggss-extended", annotations)
    negatives = [item for item in found.items if not item.sounds]
    assert (len(found.items), len(negatives)) == (10_316, 5158)
    assert sum(item.media["frame"] == item.media["sound"] for item in negatives) == 379
    found = read_benchmark("flickr-extended", annotations)
    assert (len(found.items), sum(item.sounds for item in found.items)) == (500, 250)
