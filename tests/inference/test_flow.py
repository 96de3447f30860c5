"""HearTheFlow in the verbs: what moves counts, from a frame to the one that follows it."""

import json

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import transforms

from avloc.data.benchmarks import Item
from avloc.features.windows import window_at
from avloc.inference import Localizer
from avloc.inference.dual_engine import DualEngine
from avloc.inference.guided import guided, load_objects
from avloc.inference.questions import ask
from avloc.media.sound import read_wave
from avloc.models.dual_encoder import DualConfig, DualEncoder
from avloc.models.object_guides import ObjectGuide
from avloc.models.published.methods import METHODS
from avloc.models.weights import Header

NOISE = np.random.default_rng(0).integers(0, 256, (12, 24, 3), np.uint8)
RATE = 22_050


def scene(number, width, height):
    """Noise that moves by three pixels to the right from frame to frame, and down from the 10th."""
    wide = Image.fromarray(NOISE).resize((2 * width, height), Image.Resampling.BICUBIC)
    moved = np.roll(np.asarray(wide), 3 * number, 1)
    return np.roll(moved, 3 * max(0, number - 10), 0)[:, :width]


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    network = DualEncoder(METHODS["heartheflow"].config).eval()
    with torch.no_grad():  # as it begins, motion would hardly count
        for part in (network.flow.conv1, network.attention.key, network.attention.query):
            part.weight.mul_(100)
    return network


@pytest.fixture(scope="module")
def engine(network):
    return DualEngine(network, Header("htf", METHODS["heartheflow"].config))


@pytest.fixture(scope="module")
def clip(tmp_path_factory, make_clip, tone):
    path = tmp_path_factory.mktemp("flow") / "clip.mkv"
    sound = {"wave": tone(1.0, RATE), "rate": RATE, "codec": "pcm_s16le"}
    return make_clip(path, size=(128, 96), picture=scene, sounds=[sound])


def read(path):
    """The frames as OpenCV decodes them, blue first."""
    film, frames = cv2.VideoCapture(str(path)), []
    while (frame := film.read()[1]) is not None:
        frames.append(frame)
    return frames


@torch.inference_mode()
def by_hand(network, frame, following, wave):
    """The lines of their dataset and model, but for JPEG."""
    first, second = (cv2.cvtColor(each, cv2.COLOR_BGR2GRAY) for each in (frame, following))
    flow = cv2.calcOpticalFlowFarneback(first, second, None, 0.5, 3, 15, 3, 5, 1.2, 0)
    resize = transforms.Resize((224, 224), transforms.InterpolationMode.BICUBIC)
    greys = [Image.fromarray(cv2.imdecode(cv2.imencode(".png", part)[1], 0)) for part in
             (flow[:, :, 0], flow[:, :, 1])]  # fmt: skip
    moving = torch.cat([transforms.ToTensor()(resize(grey)) for grey in greys])
    picture = transforms.ToTensor()(resize(Image.fromarray(frame[..., ::-1].copy())))
    picture = transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])(picture)
    from avloc.features.sounds import SOUNDS

    sound = SOUNDS["heartheflow"]
    heard = network.hear(sound.spectrogram(torch.from_numpy(wave)[None], sound.rate))
    return network.correlate(network.see(picture[None], moving[None]), heard)[0].numpy()


def test_prepared(engine):
    """Five channels, whatever is known of motion; the flow is resized as their pictures are."""
    frame, following = scene(0, 128, 96), scene(1, 128, 96)
    found = engine.prepare(frame, following)
    assert found.shape == engine.prepare(frame).shape == (5, 224, 224)
    assert found.dtype == np.uint8
    assert (engine.prepare(frame)[3:] == 0).all()
    np.testing.assert_array_equal(found[:3], engine.prepare(frame)[:3])
    greys = [cv2.cvtColor(each, cv2.COLOR_RGB2GRAY) for each in (frame, following)]
    flow = cv2.calcOpticalFlowFarneback(*greys, None, 0.5, 3, 15, 3, 5, 1.2, 0)[..., 0]
    grey = Image.fromarray(np.rint(flow).clip(0, 255).astype(np.uint8))
    expected = np.asarray(grey.resize((224, 224), Image.Resampling.BICUBIC))
    np.testing.assert_array_equal(found[3], expected)
    assert expected.mean() == pytest.approx(3, abs=0.5)


def test_a_video_by_hand(engine, network, clip):
    """Every map is of a frame and its flow to the next one; of the last, nothing moves."""
    frames, wave = read(clip), read_wave(clip, RATE)[0]
    found = list(Localizer(engine).stream(clip, fps=5))
    assert [one.time for one in found] == pytest.approx([0, 0.2, 0.4, 0.6, 0.8])
    for heatmap in found:
        number = round(heatmap.time * 25)
        window = window_at(wave, RATE, heatmap.time, engine.window)
        expected = by_hand(network, frames[number], frames[number + 1], window)
        still = by_hand(network, frames[number], frames[number], window)
        moved = np.abs(expected - still).max()
        assert moved > 1e-3
        np.testing.assert_allclose(heatmap.values, expected, atol=0.1 * moved)
    (*_, last) = Localizer(engine).stream(clip, fps=25, start=0.9)
    window = window_at(wave, RATE, last.time, engine.window)
    alone = by_hand(network, frames[-1], frames[-1], window)
    np.testing.assert_allclose(last.values, alone, atol=1e-4)


def test_an_item_of_a_clip_moves(engine, clip, tmp_path):
    item = Item("a", np.zeros((0, 4)), (1, 1), media={"clip": str(clip)}, time=0.2)
    frames = [frame[..., ::-1] for frame in read(clip)[5:7]]
    moving = ask(engine, item).prepared
    expected = engine.prepare_item(*(np.ascontiguousarray(frame) for frame in frames))
    np.testing.assert_array_equal(moving[3:], expected[3:])
    assert moving[3:].any()
    Image.fromarray(frames[0]).save(tmp_path / "a.png")
    media = {"clip": str(clip), "frame": str(tmp_path / "a.png")}
    picture = ask(engine, Item("a", np.zeros((0, 4)), (1, 1), media=media, time=0.2)).prepared
    assert picture.shape == (5, 224, 224)
    assert not picture[3:].any()


def test_what_results_say_without_opencv(engine, clip, tmp_path, monkeypatch):
    localizer = Localizer(engine)
    assert localizer.localize(clip, tmp_path / "with.json", fps=2).notes == ()
    monkeypatch.setattr("avloc.features.flow.find_spec", lambda name: None)
    result = localizer.localize(clip, tmp_path / "without.json", fps=2)
    assert "as if nothing moved: optical flow needs OpenCV" in result.notes[0]
    told = [json.loads((tmp_path / f"{n}.json").read_text()) for n in ("with", "without")]
    assert told[0]["notes"] == []
    assert told[1]["notes"] == list(result.notes)
    assert told[0]["heatmaps"][0] != told[1]["heatmaps"][0]


def test_objects_do_not_move(engine):
    """Objectness is of the colours alone, by its own network or another."""
    frame, following = scene(0, 128, 96), scene(1, 128, 96)
    moving, still = (engine.prepare(frame, other)[None] for other in (following, None))
    for objects in (engine.objects, load_objects(ObjectGuide("bundled"), torch.device("cpu"))):
        np.testing.assert_array_equal(objects(moving), objects(still))
    evidence = engine.hear(np.ones((1, 3 * RATE), np.float32))
    mixed = guided(engine, ObjectGuide("bundled"))
    assert mixed.moving
    ((values, _),) = mixed.look(mixed.prepare(frame, following)[None], evidence)
    assert values.shape == (7, 7)


def test_a_network_that_crops_sees_motion_at_its_scale():
    config = DualConfig("crop", "lvs", stride=16, flow=True)
    torch.manual_seed(0)
    engine = DualEngine(DualEncoder(config).eval(), Header("x", config))
    frame, following = scene(0, 256, 96), scene(1, 256, 96)
    prepared = engine.prepare(frame, following)
    assert prepared.shape == (5, *engine.prepare(frame).shape[1:])
    assert prepared.shape[2] > prepared.shape[1]
    assert engine.prepare_item(frame, following).shape == (5, 224, 224)
