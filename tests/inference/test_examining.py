"""A model asked about a whole list: the same maps in every way, and what cannot be asked."""

import json

import numpy as np
import pytest
from PIL import Image

from avloc.data.benchmarks import Item, read_benchmark
from avloc.data.benchmarks.media import with_media
from avloc.errors import UsageError
from avloc.inference import Localizer, examining
from avloc.inference.engine import Evidence
from avloc.inference.examining import Kept, answer, examine
from avloc.inference.questions import Question, ask, lacks
from avloc.inference.two_stream_engine import TwoStreamEngine


@pytest.fixture(scope="module")
def engine():
    return TwoStreamEngine.load(device="cpu")


@pytest.fixture(scope="module")
def listed(tmp_path_factory, tone, make_clip):
    """Seven items of two picture sizes; the last is a clip."""
    import soundfile

    root = tmp_path_factory.mktemp("media")
    rng = np.random.default_rng(0)
    rows = []
    for number in range(6):
        size = (8, 6) if number % 2 else (6, 8)
        coarse = Image.fromarray(rng.integers(0, 256, (*size, 3), np.uint8))
        coarse.resize((96, 72) if number % 2 else (72, 96)).save(root / f"i{number}.png")
        wave = tone(0.6 + 0.4 * number, 16_000, 220.0 * (number + 1))
        soundfile.write(root / f"i{number}.wav", wave, 16_000)
        rows.append({"id": f"i{number}", "boxes": [[0, 0, 0.5, 1]], "frame": f"i{number}.png"})
        rows[-1]["sound"] = f"i{number}.wav"
    sound = {"wave": tone(1.0, 16_000), "rate": 16_000}
    make_clip(root / "i6.mp4", sounds=[sound])
    rows.append({"id": "i6", "boxes": [[0, 0, 1, 1]], "clip": "i6.mp4", "time": 0.5})
    (root / "benchmark.json").write_text(json.dumps(rows))
    return with_media(read_benchmark(root), root)


def maps_of(parts):
    return {name: maps for part in parts for name, maps in part.maps.items()}


@pytest.fixture(scope="module")
def found(engine, listed):
    return maps_of(examine(engine, listed.items))


def same(one, other):
    assert list(one) == list(other)
    for name in one:
        assert np.array_equal(one[name].values, other[name].values), name
        assert one[name].confidence == other[name].confidence, name


def test_every_item_is_answered_as_one_by_one(engine, listed, found):
    assert list(found) == [f"i{number}" for number in range(7)]
    localizer = Localizer(engine)
    for item in listed.items[:6]:
        frame = np.asarray(Image.open(item.media["frame"]).convert("RGB"))
        from avloc.media.sound import read_wave

        wave, _ = read_wave(item.media["sound"], engine.rate)
        alone = localizer.heatmap(frame, wave, engine.rate)
        assert found[item.id].values == pytest.approx(alone.values, abs=1e-4)
        assert found[item.id].confidence == pytest.approx(alone.confidence, abs=1e-3)


def test_sounds_of_different_lengths():
    """Some methods hear all of a file; the means of 1, 2, 3 ... say whose sound was heard."""

    class Counts:
        def hear(self, windows):
            return Evidence(windows.mean(1, keepdims=True), windows.std(1))

        def look(self, prepared, evidence):
            return [(np.full((2, 2), value), 0.5) for value in evidence.features[:, 0]]

    sizes = ((1, 5), (1, 7), (2, 5), (1, 5), (1, 9))
    questions = [
        Question(f"i{k}", np.zeros((3, 4, 4)), np.full(size, float(k)))
        for k, size in enumerate(sizes)
    ]
    maps = answer(Counts(), questions).maps
    assert [maps[f"i{k}"].values[0, 0] for k in range(5)] == [0, 1, 2, 3, 4]


def test_what_cannot_be_read_is_told(engine, listed, tmp_path):
    bad = listed.items[0].media | {"frame": str(tmp_path / "bad.png")}
    (tmp_path / "bad.png").write_bytes(b"nothing")
    from dataclasses import replace

    question = ask(engine, replace(listed.items[0], media=bad))
    assert "bad.png: cannot be read as a picture" in question.fault
    (part,) = examine(engine, [replace(listed.items[0], media=bad), listed.items[1]])
    assert list(part.maps) == ["i1"]
    assert list(part.faults) == ["i0"]


def test_files_that_are_not_there(listed):
    from dataclasses import replace

    assert [lacks(item) for item in listed.items] == [""] * 7
    item = listed.items[0]
    assert lacks(replace(item, media={"frame": item.media["frame"]})) == "no sound"
    assert lacks(replace(item, media={})) == "no frame"


def test_the_frame_of_a_clip_is_that_of_its_moment(engine, make_clip, tone, tmp_path):
    def picture(number, width, height):
        return np.full((height, width, 3), 255 if number == 5 else 0, np.uint8)

    sound = {"rate": 16000, "wave": tone(1.0, 16000)}
    media = {"clip": str(make_clip(tmp_path / "c.mp4", picture=picture, sounds=[sound]))}
    bright, dark = (
        ask(engine, Item("a", np.zeros((0, 4)), (1, 1), media=media, **when)).prepared.mean()
        for when in ({"time": 0.2}, {"time": 0.2, "clip_time": 0.4})
    )
    assert bright > 240
    assert dark < 15


class TestKept:
    about = {"weights": "x"}  # noqa: RUF012

    @pytest.fixture(autouse=True)
    def parts_of_two(self, monkeypatch):
        monkeypatch.setattr(examining, "PART", 2)

    def test_several_processes_make_what_one_makes(self, engine, listed, tmp_path):
        one, three = Kept(tmp_path / "one", self.about), Kept(tmp_path / "three", self.about)
        one.examine(lambda: engine, listed.items)
        for rank in (2, 0, 1):
            three.examine(lambda: engine, listed.items, rank=rank, world=3)
        same(maps_of(one.read(7)), maps_of(three.read(7)))

    def test_goes_on_where_it_stopped(self, engine, listed, tmp_path):
        whole, kept = Kept(tmp_path / "whole", self.about), Kept(tmp_path / "kept", self.about)
        whole.examine(lambda: engine, listed.items)

        def stop(done):
            if done == 4:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            kept.examine(lambda: engine, listed.items, done=stop)
        assert len(list((tmp_path / "kept").glob("*.npz"))) == 2
        told = []
        again = Kept(tmp_path / "kept", self.about)
        again.examine(lambda: engine, listed.items, done=told.append)
        assert told == [6, 7]
        same(maps_of(whole.read(7)), maps_of(again.read(7)))

    def test_asks_no_model_where_all_is_there(self, engine, listed, tmp_path):
        Kept(tmp_path, self.about).examine(lambda: engine, listed.items)
        Kept(tmp_path, self.about).examine(lambda: pytest.fail("loaded"), listed.items)

    def test_refuses_maps_of_something_else(self, tmp_path):
        Kept(tmp_path, self.about)
        with pytest.raises(UsageError, match=r"another model.*--keep"):
            Kept(tmp_path, {"weights": "y"})
