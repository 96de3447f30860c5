"""Finding frames, sounds and clips."""

import pytest

from avloc.data.benchmarks import read_benchmark
from avloc.data.benchmarks.media import PICTURES, MediaFolder, with_media
from avloc.errors import DataError


@pytest.fixture
def place(tmp_path):
    """Makes an empty file."""

    def place_(name):
        path = tmp_path / "media" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        return str(path)

    return place_


def test_frames_and_sounds_of_every_layout(vggss, place, tmp_path, told):
    ours = place("frames/zpWuikVorYg_000032.jpg"), place("audio/zpWuikVorYg_000032.wav")
    aligned = (
        place("VGGSound_img/gEvCUcZ6w88_30000_40000/image_050.jpg"),
        place("VGGSound_aud/gEvCUcZ6w88_30000_40000.wav"),
    )
    place("VGGSound_img/gEvCUcZ6w88_30000_40000/image_051.jpg")
    clip = place("video/JIemsK_0lXc_000364.mp4")
    found = with_media(read_benchmark(vggss), tmp_path / "media")
    media = [item.media for item in found.items]
    assert media[0] == {"frame": ours[0], "sound": ours[1]}
    assert media[1] == {"frame": aligned[0], "sound": aligned[1]}
    assert media[3] == {"clip": clip}
    missing = [(name, what.split(" under ")[0]) for name, what in told(found) if "under" in what]
    assert missing == [
        ("M1P1xla8rg0_000000", "no frame M1P1xla8rg0_000000"),
        ("M1P1xla8rg0_000000", "no sound M1P1xla8rg0_000000"),
    ]
    assert len(found.items) == 4


def test_a_foreign_sound_is_not_taken_from_the_clip_of_the_frame(vggss, write, place, told):
    clip = place("zpWuikVorYg_000032.mp4")
    row = "zpWuikVorYg_000032,JIemsK_0lXc_000364,non-sounding"
    path = write("vggss_test_plus_silent.csv", f"video,audio,label\n{row}\n")
    found = with_media(read_benchmark(path), path.parent / "media")
    assert found.items[0].media == {"clip": clip}
    assert found.items[-1].media == {}  # with the clip, its own sound would be heard
    last = told(found)[-1]
    assert last[1].startswith("no sound JIemsK_0lXc_000364 under")
    other = place("JIemsK_0lXc_000364.mp4")
    found = with_media(read_benchmark(path), path.parent / "media")
    assert found.items[-1].media == {"clip": clip, "sound": other}


def test_of_equal_names_the_one_in_the_listed_folders_is_taken(place, tmp_path):
    other, right = place("train/dog/v/v_1.png"), place("test/dog/v/v_1.png")
    place("gt_masks/test/dog/v/v_1.png")
    folder = MediaFolder(tmp_path / "media")
    assert str(folder.find("/mnt/x/visual_frames/test/dog/v/v_1.png", PICTURES)) == right
    assert str(folder.find("/mnt/x/visual_frames/train/dog/v/v_1.png", PICTURES)) == other
    assert folder.find("v_2.png", PICTURES) is None


def test_no_folder_is_refused(tmp_path):
    with pytest.raises(DataError, match="no such folder"):
        MediaFolder(tmp_path / "nothing")


def test_a_file_takes_no_other_ones_place(write, place, told):
    rows = [
        {"id": name, "frame": f"{name}/frame.jpg", "sound": "same.wav", "boxes": [[0, 0, 1, 1]]}
        for name in ("one", "two", "three")
    ]
    frames, sound = place("one/frame.jpg"), place("same.wav")
    place("three/frame.png")
    listed = read_benchmark(write("benchmark.json", rows))
    found = with_media(listed, listed.source[0].parent / "media")
    assert found.items[0].media == {"frame": frames, "sound": sound}
    assert found.items[1].media == {"sound": sound}
    assert found.items[2].media["frame"].endswith("three/frame.png")
    assert ("two", "no frame two/frame.jpg") in [
        (name, what.partition(" under ")[0]) for name, what in told(found)
    ]


def test_a_file_that_two_names_may_mean_is_nobodys(write, place):
    rows = [
        {"id": name, "frame": f"{name}/frame.jpg", "sound": "s.wav", "boxes": [[0, 0, 1, 1]]}
        for name in ("one", "two")
    ]
    place("frames/frame.jpg")
    listed = read_benchmark(write("benchmark.json", rows))
    found = with_media(listed, listed.source[0].parent / "media")
    assert [item.media for item in found.items] == [{}, {}]


def test_links_in_a_circle_are_followed_once(place, tmp_path):
    one = place("a/b/1.jpg")
    for number in range(3):  # so many that following each anew would take for ever
        (tmp_path / f"media/a/b/up{number}").symlink_to(tmp_path / "media")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/2.jpg").touch()
    (tmp_path / "media/link").symlink_to(tmp_path / "elsewhere")
    folder = MediaFolder(tmp_path / "media")
    assert str(folder.find("1", PICTURES)) == one
    assert folder.find("2", PICTURES) == tmp_path / "media/link/2.jpg"


@pytest.mark.parametrize("listed", ["../outside", "../../outside.jpg", "/outside.jpg"])
def test_nothing_outside_of_the_folder_is_found(place, tmp_path, listed):
    place("1.jpg")
    (tmp_path / "outside.jpg").touch()
    assert MediaFolder(tmp_path / "media").find(listed, PICTURES) is None
