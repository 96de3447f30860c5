"""Flickr-SoundNet as XML and as JSON of boxes."""

import numpy as np
import pytest

from avloc.data.benchmarks import read_benchmark
from avloc.errors import DataError

XML = """<?xml version="1.0"?>
<annotations>
 <filename>1</filename>
 <anno><bbox><id>1</id><xmin>83</xmin><ymin>108</ymin><xmax>167</xmax><ymax>256</ymax></bbox></anno>
 <anno>
  <bbox><id>2</id><xmin> 88</xmin><ymin>104</ymin><xmax>151</xmax><ymax>256</ymax></bbox>
  <bbox><id>2</id><xmin>1</xmin><ymin>2</ymin><xmax>3</xmax><ymax>4</ymax></bbox>
 </anno>
</annotations>
"""


def by_hand(root):
    """The loop that FIELD.md describes: children, their elements `bbox`, less the first part."""
    boxes = []
    for child in root:
        for element in child:
            if element.tag == "bbox":
                boxes.append([int(part.text) for n, part in enumerate(element) if n])
    return boxes


def test_xml_keeps_every_vote_and_who_cast_it(write):
    import xml.etree.ElementTree as ET

    write("Annotations/11.xml", XML)
    write("Annotations/12.xml", "<a><b><bbox><id/><x>1</x><y>2</y><x>9</x><y>8</y></bbox></b></a>")
    folder = write("readme.txt", "").parent
    found = read_benchmark("flickr-all", folder)
    assert [item.id for item in found.items] == ["11", "12"]
    first = found.items[0]
    np.testing.assert_array_equal(first.boxes, by_hand(ET.fromstring(XML)))
    np.testing.assert_array_equal(first.votes, [1, 2, 2])
    assert first.scale == (256, 256)
    assert found.source == (folder / "Annotations",)
    assert found.problems == ()
    again = read_benchmark("flickr-all", folder / "Annotations")
    assert again.sha256 == found.sha256


def test_xml_that_is_malformed_is_told(write, told):
    write("Annotations/1.xml", "<a><b><bbox><id/><x>1</x>")
    write("Annotations/2.xml", "<a><b><bbox><id/><x>1</x><y>2</y><x>9.5</x><y>8</y></bbox></b></a>")
    write("Annotations/3.xml", "<a><b><note/><bbox><id/><x>1</x><y>2</y></bbox></b></a>")
    folder = write("Annotations/4.xml", "<a/>").parent
    found = read_benchmark("flickr-all", folder)
    assert len(found.items) == 4
    what = dict.fromkeys("1234", "")
    for name, text in told(found):
        what[name] += text + "|"
    assert what["1"].startswith("1.xml cannot be read (no element found")
    assert what["2"].startswith("a bbox is not an id and four whole numbers: '1 2 9.5 8'")
    assert what["3"].startswith("<note> among the boxes; EZ-VSL's script fails on it|a bbox is not")
    assert all(
        text.endswith("no truth: nothing in the picture is marked|") for text in what.values()
    )


BOXES = {
    "source": "made",
    "boxes": {
        "3908875350": [[1, 1, 200, 256], [5, 5, 100, 100]],
        "77": [[60, 80, 60, 80]],
        "78": [[0, 0, 300, 10]],
    },
}


def test_json_boxes_are_votes(write, told):
    path = write("flickr_boxes.json", BOXES)
    found = read_benchmark("flickr-all", path)
    np.testing.assert_array_equal(found.items[0].votes, [0, 1])
    assert told(found) == [
        ("77", "box 1 has no area: [60, 80, 60, 80]"),
        ("77", "no truth: nothing in the picture is marked"),
        ("78", "box 1 leaves the picture: [0, 0, 300, 10]"),
    ]


def test_the_test_list_beside_the_boxes_is_obeyed(write, told):
    path = write("flickr_boxes.json", BOXES)
    assert told(read_benchmark(path))[0][0] == "flickr_boxes.json"
    assert "all annotated images are read" in told(read_benchmark(path))[0][1]
    write("flickr_test.csv", "77,12\n99,0\n")
    found = read_benchmark(path)
    assert [item.id for item in found.items] == ["77"]
    assert ("99", "in the list, but without annotation") in told(found)
    write("flickr_test_plus_silent.csv", "video,audio,label\n3908875350,77,non-sounding\n")
    assert [item.id for item in read_benchmark(path).items] == ["3908875350"]
    assert [item.id for item in read_benchmark("flickr-249", path.parent).items] == ["77"]


def test_an_image_that_stands_twice_is_told(write, told):
    text = '{"boxes": {"5": [[0, 0, 9, 9]], "5": [[0, 0, 5, 5]]}}'
    found = read_benchmark("flickr-all", write("flickr_boxes.json", text))
    assert told(found) == [("5", "stands again in the JSON; the last one counts")]
    assert found.items[0].boxes[0, 2] == 5


def test_other_json_is_refused(write):
    with pytest.raises(DataError, match=r'expected \{"boxes"'):
        read_benchmark("flickr", write("flickr_boxes.json", {"boxes": []}))


def test_the_real_boxes(annotations):
    everything = read_benchmark("flickr-all", annotations)
    assert len(everything.items) == 2786
    assert sum(len(item.boxes) for item in everything.items) == 8822
    assert [problem.id for problem in everything.problems] == ["4041216001"]
    images = read_benchmark(annotations / "flickr_soundnet_boxes_256px_2786.json").items
    votes = [len(item.boxes) for item in images]
    assert {n: votes.count(n) for n in votes} == {3: 216, 4: 14, 2: 11, 5: 4, 6: 4, 7: 1}
    fewer = read_benchmark("flickr-249", annotations).items
    assert {i.id for i in images} - {i.id for i in fewer} == {"3908875350"}
    assert len(fewer) == 249


BOX = "<bbox><id>0</id><xmin>{}</xmin><ymin>1</ymin><xmax>9</xmax><ymax>9</ymax></bbox>"
ENTITIES = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "lol"}">' for n in range(10))


@pytest.mark.parametrize(
    ("xml", "what"),
    [
        (f"<!DOCTYPE a [{ENTITIES}]><a><b>{BOX.format('&e9;')}</b></a>", "cannot be read"),
        (
            '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
            f"<a><b>{BOX.format('&x;')}</b></a>",
            "cannot be read",
        ),
        ('<?xml version="1.0" encoding="none"?><a/>', "cannot be read"),
        (f"<a><b>{BOX.format('9' * 400)}</b></a>", "not an id and four whole numbers"),
        ("<a>" * 50_000 + "</a>" * 50_000, "<a> among the boxes"),
    ],
    ids=["entity bomb", "foreign file", "encoding", "number", "deep"],
)
def test_hostile_xml_is_told(write, told, xml, what):
    found = read_benchmark("flickr-all", write("Annotations/1.xml", xml).parent)
    assert [item.id for item in found.items] == ["1"]
    assert len(found.items[0].boxes) == 0
    assert what in told(found)[0][1]
