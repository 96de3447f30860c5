"""The page: one file that says what the report says, and pictures that show what they say."""

import base64
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from avloc.data.benchmarks import Benchmark, Item
from avloc.evaluation.canvas import Canvas
from avloc.evaluation.choosing import panel
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
        kind: cards(ids, items, maps, scores, chosen.judges[0], "cosine")
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
    assert text.count("<svg") == 2
    assert text.count("<figure>") == 12


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

    def test_has_a_grey_ground_without_a_frame(self):
        item = Item("a", np.array([[0, 0, 1, 1]]), (2, 1))
        one = Benchmark("made", (item,), (), (), ())
        panel(["lvs"], one).judges[0]
        assert self.pixels(draw(item, MAP, panel(["lvs"], one).judges[0], None)).shape == (
            150,
            300,
            3,
        )

    @pytest.mark.parametrize(("name", "share"), [("lvs", 0.5), ("avloc", 0.5), ("acl", 0)])
    def test_shows_what_the_protocol_takes_for_the_prediction(self, name, share):
        some = listed(2)
        mask = predicted(Canvas(MAP, "cosine"), panel([name], some).judges[0])
        assert mask.mean() == pytest.approx(share, abs=0.01)
