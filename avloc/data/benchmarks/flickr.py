"""Flickr-SoundNet with boxes of several annotators (Senocak et al. 2018, arXiv 1803.03849).

Two forms, both in pixels of a 256x256 picture. The authors' archive has a folder `Annotations`
with one XML an image: in every child of the root, each element `bbox` is one vote, its first child
an id and the next four xmin, ymin, xmax, ymax. A JSON of boxes has
`{"boxes": {IMAGE: [[xmin, ymin, xmax, ymax], ...]}}`, a vote a box.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from avloc.data.benchmarks.checking import benchmark, box_list
from avloc.data.benchmarks.sources import beside, digest, find, find_list, rows
from avloc.data.benchmarks.types import Benchmark, Item, Problem
from avloc.data.benchmarks.vggss import chosen
from avloc.errors import DataError
from avloc.files import read_json

FILES = ("flickr_soundnet_boxes_256px_2786.json", "flickr_boxes.json")
FOLDER = "Annotations"
TEST_250 = ("test_flickr_250.txt", "flickr_test_plus_silent.csv", "flickr_test.csv")
"""Lists that name the test images: the second has each of the 250 once, the third may be EZ-VSL's
with 249 of them (3908875350 is missing there)."""
TEST_249 = ("flickr_test.csv",)
SCALE = (256, 256)
HEADERS = ("video", "id", "file")


def read_flickr(path: Path, lists: tuple[str, ...] = TEST_250, name: str = "flickr") -> Benchmark:
    """The test images: the 250 of SLAVC and others, or the part that a list names.

    Args:
        path: the JSON, the folder of XML files, or a folder with one of them.
        lists: names of lists beside the annotation, of which the first that exists is taken;
            empty: everything that is annotated.
        name: what to call it.
    """
    path = annotation(path)
    items, problems = annotated(path)
    if not lists:
        return benchmark(name, items, [path], problems, [digest(path, xml_files(path))])
    listed = beside(path, *lists) or find(path.parent, *lists)
    if listed is None:
        what = f"none of {', '.join(lists)} beside it: all annotated images are read"
        told = [*problems, Problem(path.name, what)]
        return benchmark(name, items, [path], told, [digest(path, xml_files(path))])
    kept, missing = chosen(items, test_ids(listed))
    ids = {item.id for item in kept}
    told = [problem for problem in problems if problem.id in ids] + missing
    sums = [digest(path, xml_files(path)), digest(listed)]
    return benchmark(name, kept, [path, listed], told, sums)


def read_flickr_249(path: Path) -> Benchmark:
    """The 249 test images of EZ-VSL and FNAC."""
    return read_flickr(path, TEST_249, "flickr-249")


def read_flickr_all(path: Path) -> Benchmark:
    """Every image that somebody boxed."""
    return read_flickr(path, (), "flickr-all")


def annotation(path: Path) -> Path:
    """The file or folder with the boxes, given it or a folder with it."""
    if path.is_dir() and xml_files(path):
        return path
    folder = find(path, FOLDER) if path.is_dir() else None
    if folder is not None and find(path, *FILES) is None:
        return folder
    return find_list(path, *FILES)


def annotated(path: Path) -> tuple[list[Item], list[Problem]]:
    """The items of a JSON or of a folder of XML files, unchecked, and what could not be read."""
    return _of_folder(path) if path.is_dir() else _of_json(path)


def test_ids(path: Path) -> list[str]:
    """The images that a list names in its first column."""
    names = [row[0] for row in rows(path)]
    return names[1:] if names and names[0] in HEADERS else names


def _of_json(path: Path) -> tuple[list[Item], list[Problem]]:
    doubles: list[str] = []

    def pairs(values: list[tuple[str, object]]) -> dict[str, object]:
        count = Counter(key for key, _ in values)
        doubles.extend(key for key, times in count.items() if times > 1)
        return dict(values)

    values = read_json(path, pairs)
    boxes_of = values.get("boxes") if isinstance(values, dict) else None
    if not isinstance(boxes_of, dict):
        raise DataError(f'{path}: expected {{"boxes": {{IMAGE: [[x0, y0, x1, y1], ...]}}}}')
    items = []
    problems = [Problem(name, "stands again in the JSON; the last one counts") for name in doubles]
    for name, rows_ in boxes_of.items():
        boxes, told = box_list(rows_)
        problems += [Problem(name, what) for what in told]
        items.append(_item(name, boxes, np.arange(len(boxes))))
    return items, problems


def _of_folder(path: Path) -> tuple[list[Item], list[Problem]]:
    items, problems = [], []
    for file in xml_files(path):
        name = file.name.partition(".")[0]
        boxes, votes, told = _of_xml(file)
        problems += [Problem(name, what) for what in told]
        items.append(_item(name, boxes, votes))
    return items, problems


def _of_xml(file: Path) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Boxes and votes of one image; what cannot be read is told."""
    try:
        root = ElementTree.parse(file).getroot()
    except (ElementTree.ParseError, OSError, ValueError, LookupError) as error:
        return np.zeros((0, 4)), np.zeros(0, int), [f"{file.name} cannot be read ({error})"]
    boxes, votes, told = [], [], []
    for voter, child in enumerate(root):
        for element in child:
            if element.tag != "bbox":
                told.append(f"<{element.tag}> among the boxes; EZ-VSL's script fails on it")
                continue
            try:
                corners = [float(int(part.text or "")) for part in list(element)[1:]]
            except (ValueError, OverflowError):
                corners = []
            if len(corners) != 4:
                text = " ".join((part.text or "").strip() for part in element).strip()
                told.append(f"a bbox is not an id and four whole numbers: {text!r:.60}")
                continue
            boxes.append(corners)
            votes.append(voter)
    return np.array(boxes, np.float64).reshape(-1, 4), np.array(votes, int), told


def _item(name: str, boxes: np.ndarray, votes: np.ndarray) -> Item:
    return Item(name, boxes, SCALE, votes, media={"frame": name, "sound": name})


def xml_files(path: Path) -> list[Path]:
    """The XML files of a folder; none where `path` is a file."""
    return sorted(path.glob("*.xml")) if path.is_dir() else []
