"""The page: one file that says what the report says, and pictures that show what they say."""

import base64
import io
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from avloc.data.benchmarks import Benchmark, Item
from avloc.evaluation.canvas import Canvas
from avloc.evaluation.choosing import panel
from avloc.evaluation.comparing import compare
from avloc.evaluation.gallery import PREDICTED, TRUTH, cards, choose, draw, predicted
from avloc.evaluation.maps import ItemMaps
from avloc.evaluation.page import page
from avloc.evaluation.run import evaluate

pytest.importorskip("matplotlib")

MAP = np.array([[1.0, 0.1], [0.9, 0.2]], np.float32)


def listed(count=12):
    rng = np.random.default_rng(0)
    corners = np.sort(rng.random((count, 2, 2)), axis=1).reshape(count, 1, 4)
    return Benchmark(
        "made <up>",
        tuple(Item(f"i<{n}>", corners[n], (1, 1), label=f"kind & {n % 3}") for n in range(count)),
        (),
        (),
        (),
    )


@pytest.fixture(scope="module")
def made():
    some = listed()
    chosen = panel(["lvs", "avloc", "acl"], some)
    given = [(item.id, ItemMaps(MAP)) for item in some.items]
    return some, chosen, evaluate(given, some, chosen, "cosine", "me & mine")


class Checker(HTMLParser):
    """Collects text, and what a page would fetch; fails on tags that do not close."""

    def __init__(self):
        super().__init__()
        self.open, self.text, self.fetched = [], [], []

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name in ("src", "href", "xlink:href") and not value.startswith(("data:", "#")):
                self.fetched.append(value)
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def test_is_whole_and_needs_nothing_else(made):
    some, chosen, report = made
    scores = {name: one["ciou"] for name, one in report.protocols["lvs"].items.items()}
    items = {item.id: item for item in some.items}
    maps = dict.fromkeys(items, MAP)
    gallery = {
        kind: cards(ids, items, maps, report.protocols["lvs"], chosen.judges[0], "cosine")
        for kind, ids in choose(scores).items()
    }
    text = page(report, {"ciou": "cIoU"}, gallery, "lvs")
    checker = Checker()
    checker.feed(text)
    assert checker.open == []
    assert checker.fetched == []
    assert not re.search(r"url\(\s*['\"]?http|<script|@import", text)
    said = " ".join(checker.text)
    for word in ("me & mine on made <up>", "12 of 12 items", "kind & 2", "i<3>", "best", "worst"):
        assert word in said
    assert f"{100 * report.protocols['lvs'].metrics['ciou']:.1f}" in said
    assert text.count("<svg") == 3 + 1  # a curve for each protocol, and sizes
    assert text.count("<img") == 12


def rows(text, heading):
    """The cells of the table below a heading, row by row."""
    table = text.partition(heading)[2].partition("<table>")[2].partition("</table>")[0]
    found = [re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row) for row in table.split("<tr")[1:]]
    return [[re.sub("<.*?>", "", cell) for cell in row] for row in found]


def test_no_score_stands_without_its_references(made):
    some, _, report = made
    text = page(report, {}, {}, "lvs")
    verdict = report.protocols["lvs"]
    line = next(row for row in rows(text, "<h2>Scores") if row[0] == "lvs")
    wanted = [f"{100 * verdict.baselines[name]['ciou']:.1f}" for name in verdict.baselines]
    assert line[1:3] == ["cIoU", f"{100 * verdict.metrics['ciou']:.1f}"]
    assert line[4:8] == wanted
    head, *classes = rows(text, "<h2>Classes")
    assert head[:5] == ["class", "items", "cIoU", "centre", "best half"]
    kinds = {"kind &amp; 0": 0, "kind &amp; 1": 1, "kind &amp; 2": 2}
    assert {row[0] for row in classes} == set(kinds)
    for row in classes:
        names = [item.id for n, item in enumerate(some.items) if n % 3 == kinds[row[0]]]
        scores = [verdict.items[name]["ciou"] for name in names]
        assert row[1:3] == ["4", f"{25 * sum(score >= 0.5 for score in scores):.1f}"]
        for cell, reference in zip(row[3:5], ("centre", "half_oracle"), strict=True):
            hits = sum(verdict.beside[reference][name] >= 0.5 for name in names)
            assert cell == f"{25 * hits:.1f}"


def test_tells_what_is_missing_malformed_and_compared(made):
    _, _, report = made
    told = {name: one.to_json() for name, one in compare(report, report.to_json(), {}).items()}
    whole = replace(
        report,
        listed=16,
        missing=("<lost>",),
        faults={"bad": "1 of 4 values are not finite"},
        unknown=("strange",),
        problems=("i<1>: box 1 has no area",),
        comparison={"report": "o<t>her.json", "protocols": told},
        contamination={"seen": ["a"], "tested": 12, "videos": ["b", "c"], "list": "144k.txt"},
        provenance={"sha256": {"list": {"l.json": "f" * 64}}, "git_commit": "abc"},
    )
    text = page(whole, {}, {}, "lvs")
    for words in (
        "14 of 16 items scored",
        "1 without a map</summary>&lt;lost&gt;<",
        "bad: 1 of 4 values are not finite",
        "1 maps that belong to no item</summary>strange<",
        "i&lt;1&gt;: box 1 has no area",
        "1 of 12 clips were seen in training (144k.txt); 2 more are other pieces",
        "f" * 64,
    ):
        assert words in text
    _, first, *_ = rows(text, "<h2>Minus o&lt;t&gt;her.json")
    assert first == ["lvs", "cIoU", "+0.0", "+0.0 to +0.0", "0", "0", "12", "1"]


def test_is_the_same_each_time(made):
    _, _, report = made
    assert page(report, {}, {}, "lvs") == page(report, {}, {}, "lvs")


def test_references_alone_have_a_page_too():
    some = listed(3)
    report = evaluate(None, some, panel(["lvs"], some))
    text = page(report, {}, {}, "")
    assert "References on made" in text
    assert "score</th>" not in text


class TestChoice:
    def test_takes_best_median_and_worst(self):
        scores = {f"{n:02}": n / 30 for n in range(30)}
        chosen = choose(scores, 2)
        assert chosen == {"best": ["29", "28"], "median": ["15", "14"], "worst": ["00", "01"]}

    @pytest.mark.parametrize("count", range(1, 25))
    def test_shows_nothing_twice(self, count):
        chosen = choose({str(n): 0.5 for n in range(count)})
        shown = [item for ids in chosen.values() for item in ids]
        assert len(shown) == len(set(shown))
        assert shown

    def test_takes_undefined_scores_for_none(self):
        assert choose({"a": float("nan"), "b": 0.5, "c": 0.2}, 1)["worst"] == ["a"]


class TestPicture:
    def pixels(self, url):
        data = base64.b64decode(url.partition(",")[2])
        return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), int)

    def near(self, pixels, colour):
        return (np.abs(pixels - np.array(colour)).max(-1) < 60).mean()

    def test_shows_truth_prediction_and_heat(self, tmp_path):
        Image.new("RGB", (400, 200), (0, 0, 0)).save(tmp_path / "f.png")
        item = Item(
            "a", np.array([[0.6, 0.2, 0.9, 0.8]]), (1, 1), media={"frame": f"{tmp_path}/f.png"}
        )
        one = Benchmark("made", (item,), (), (), ())
        pixels = self.pixels(draw(item, MAP, panel(["lvs"], one).judges[0], "cosine"))
        assert pixels.shape == (150, 300, 3)
        assert pixels[75, 5, 0] > pixels[75, 5, 2]  # hot on the left
        assert pixels[75, 294, 2] > pixels[75, 294, 0]
        assert self.near(pixels[28:33, 190:260], TRUTH) > 0.2
        assert self.near(pixels[:, 135:160], PREDICTED) > 0.02

    def drawn(self, **more):
        item = Item("a", np.array([[0, 0, 1, 1]]), **{"scale": (2, 1), **more})
        judge = panel(["lvs"], Benchmark("made", (item,), (), (), ())).judges[0]
        return self.pixels(draw(item, np.zeros((2, 2), np.float32), judge, None))

    def test_has_a_grey_ground_without_a_frame(self, tmp_path):
        assert self.drawn().shape == (150, 300, 3)
        (tmp_path / "f.jpg").write_text("no")
        (tmp_path / "c.mp4").write_text("no")
        assert self.drawn(media={"frame": str(tmp_path / "f.jpg")}).shape == (150, 300, 3)
        assert self.drawn(media={"clip": str(tmp_path / "c.mp4")}, time=1.0).shape == (150, 300, 3)

    def test_shows_the_moment_of_a_clip(self, make_clip, tmp_path):
        def grey(number, width, height):
            return np.full((height, width, 3), 255 if number == 5 else 0, np.uint8)

        clip = make_clip(tmp_path / "c.mp4", picture=grey, size=(64, 48))
        bright, dark = (
            self.drawn(media={"clip": str(clip)}, time=time)[60:160, 60:240].mean()
            for time in (0.2, 0.4)
        )
        assert self.drawn(media={"clip": str(clip)}, time=0.2).shape == (225, 300, 3)
        assert bright > dark + 100

    @pytest.mark.parametrize(("name", "share"), [("lvs", 0.5), ("avloc", 0.5), ("acl", 0)])
    def test_shows_what_the_protocol_takes_for_the_prediction(self, name, share):
        some = listed(2)
        mask = predicted(Canvas(MAP, "cosine"), panel([name], some).judges[0])
        assert mask.mean() == pytest.approx(share, abs=0.01)
