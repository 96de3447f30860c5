"""Test clips that training has seen, by name and by content."""

import json

import numpy as np
import pytest
import soundfile
from PIL import Image

from avloc.data.benchmarks import read_benchmark
from avloc.data.contamination import Alike, clips_of, contamination, read_clips, video_of
from avloc.errors import DataError

RATE = 8_000


def picture(seed):
    coarse = np.random.default_rng(seed).integers(0, 256, (9, 12, 3), np.uint8)
    return Image.fromarray(coarse).resize((160, 120), Image.Resampling.BICUBIC)


def melody(seed):
    rng = np.random.default_rng(seed)
    wave = 0.002 * rng.standard_normal(3 * RATE)
    t = np.arange(RATE // 4) / RATE
    for _ in range(24):
        start = rng.integers(len(wave) - len(t))
        wave[start : start + len(t)] += np.sin(2 * np.pi * rng.uniform(200, 3000) * t) * np.exp(
            -12 * t
        )
    return 0.3 * wave


@pytest.fixture
def folders(tmp_path):
    """Training of clips 0 to 3; the test has 2 and 3 again under other names, and 4."""
    train, test = tmp_path / "train", tmp_path / "test"
    for folder in (train, test):
        (folder / "frames").mkdir(parents=True)
        (folder / "audio").mkdir()
    for seed in range(4):
        picture(seed).save(train / f"frames/{seed}.png")
        soundfile.write(train / f"audio/{seed}.wav", melody(seed), RATE)
    for seed, name in ((2, "two"), (3, "three"), (4, "four")):
        picture(seed).resize((224, 224)).save(test / f"frames/{name}.jpg", quality=60)
        soundfile.write(test / f"audio/{name}.ogg", melody(seed)[RATE // 2 :], RATE)
    return train, test


def test_names_are_compared_in_one_spelling():
    train = ["a23miUKGq6c_42000_52000", "b23miUKGq6c_000030", "x.wav", "10000130166"]
    test = ["a23miUKGq6c_000042", "b23miUKGq6c_000090", "c23miUKGq6c_000000", "x.jpg"]
    found = contamination(train, test)
    assert found.ids == ("a23miUKGq6c_000042", "x")
    assert found.videos == ("b23miUKGq6c_000090",)
    assert (found.tested, found.trained, found.alike) == (4, 4, None)
    assert found.seen == found.ids


@pytest.mark.parametrize(
    ("name", "video"),
    [
        ("-_3miUK-q6c_000042", "-_3miUK-q6c"),
        ("acousticguitar_helicopter_7514", "acousticguitar_helicopter_7514"),
        ("000000489267_157452", "000000489267_157452"),
        ("10000130166", "10000130166"),
    ],
)
def test_only_clips_of_videos_have_a_video(name, video):
    assert video_of(name) == video


def test_copies_under_other_names_are_found(folders):
    told = []
    found = contamination(
        map(str, range(4)), ["two", "three", "four"], *folders, lambda *now: told.append(now)
    )
    assert found.ids == ()
    by = {(pair.test, pair.train, pair.by) for pair in found.alike}
    assert by == {
        (t, n, kind) for t, n in (("two", "2"), ("three", "3")) for kind in ("picture", "sound")
    }
    assert found.seen == ("three", "two")
    assert found.problems == ()
    assert told[-1] == (f"sounds in {folders[0]}", 4, 4)
    json.dumps(found.to_json())


def test_copies_of_whole_clips_are_found(make_clip, tmp_path):
    def clip(folder, name, seed, **more):
        (tmp_path / folder).mkdir(exist_ok=True)
        wave = melody(seed)[None].astype(np.float32)
        return make_clip(
            tmp_path / folder / name,
            picture=lambda number, *size: np.asarray(
                picture(100 * seed + number // 25).resize(size), np.uint8
            ),
            ticks=range(0, 3000, 40),
            sounds=[{"rate": RATE, "wave": wave}],
            **more,
        )

    for seed in range(3):
        clip("train", f"{seed}.mp4", seed, size=(96, 72))
    clip("test", "one.mkv", 1, size=(64, 64), options={"crf": "30"})
    clip("test", "five.mp4", 5)
    picture(201).resize((80, 80)).save(tmp_path / "test/still.jpg")  # of the middle of clip 2
    found = contamination("012", ["one", "five", "still"], tmp_path / "train", tmp_path / "test")
    assert {(pair.test, pair.train, pair.by) for pair in found.alike} == {
        ("one", "1", "picture"),
        ("one", "1", "sound"),
        ("still", "2", "picture"),
    }
    assert found.problems == ()


def test_a_clip_without_sound_is_told(make_clip, tmp_path):
    make_clip(tmp_path / "a.mp4")
    found = contamination(["a"], ["b"], tmp_path, tmp_path)
    assert [(one.id, one.what.partition(": ")[2]) for one in found.problems] == [
        ("a", "no sound in it to be compared")
    ]


def test_only_listed_clips_are_compared(folders):
    assert contamination(["0", "1"], ["two", "three", "four"], *folders).alike == ()
    assert contamination(["2"], ["two"], *folders).seen == ("two",)


def test_what_cannot_be_compared_is_told(folders):
    train, test = folders
    (train / "frames/0.png").write_text("no")
    Image.new("RGB", (64, 48)).save(train / "frames/1.png")
    soundfile.write(train / "audio/2.wav", np.zeros(RATE), RATE)
    (train / "audio/3.wav").write_text("no")
    (test / "four.mp4").touch()
    (test / "frames/four.jpg").unlink()
    (test / "audio/four.ogg").unlink()
    found = contamination(map(str, range(4)), ["two", "three", "four"], train, test)
    what = {problem.id: problem.what for problem in found.problems}
    assert what.keys() == {"0", "1", "2", "3", "four"}
    assert "too plain" in what["1"]
    assert "too quiet" in what["2"]
    assert "four.mp4: " in what["four"]
    assert {(p.test, p.by) for p in found.alike} == {("two", "picture"), ("three", "picture")}
    assert isinstance(found.alike[0], Alike)


def test_one_folder_is_not_enough(folders):
    with pytest.raises(DataError, match="two folders"):
        contamination(["0"], ["two"], folders[0])


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.txt", "one\ntwo\n"),
        ("a.csv", "video,label\none,dog\ntwo,cat\n"),
        ("a.json", '["one", {"id": "two"}]'),
        ("a.jsonl", '{"file": "one"}\n\n{"image": "two"}\n'),
    ],
)
def test_lists_of_every_form_are_read(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    assert read_clips(tmp_path / name) == ["one", "two"]


@pytest.mark.parametrize(
    ("name", "text", "what"),
    [
        ("a.txt", "", "names no clips"),
        ("a.json", "{}", "names no clips"),
        ("a.json", "[1]", "row 1: no name of a clip"),
        ("a.jsonl", "{", "not JSON"),
    ],
)
def test_other_lists_are_refused(tmp_path, name, text, what):
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=what):
        read_clips(tmp_path / name)


def test_the_common_training_list_has_seen_most_of_vggss(data_dir):
    folder = data_dir / "annotations"
    test = clips_of(read_benchmark("vggss", folder))
    found = contamination(read_clips(folder / "vggss_144k.txt"), test)
    assert (len(found.ids), found.tested, found.trained) == (3709, 5158, 144_000)
    # 3784 test clips have a video in the list, counted by their first eleven characters.
    assert len(found.videos) == 3784 - 3709
    assert len(contamination(read_clips(folder / "vggss_10k.txt"), test).ids) == 238


def test_the_parts_add_up(data_dir):
    folder = data_dir / "annotations"
    train = read_clips(folder / "vggss_144k.txt")
    heard, unheard = (
        contamination(train, clips_of(read_benchmark(f"vggss-{part}", folder)))
        for part in ("heard", "unheard")
    )
    assert (len(heard.ids), len(unheard.ids)) == (1859, 1840)


def test_the_flickr_list_has_one_test_image(data_dir):
    folder = data_dir / "annotations"
    test = clips_of(read_benchmark("flickr-249", folder))
    assert len(contamination(read_clips(folder / "flickr_10k.txt"), test).ids) == 1
