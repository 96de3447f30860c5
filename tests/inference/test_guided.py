"""Heatmaps mixed with objectness: by hand on the grid, and through the library."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from avloc.evaluation.protocols import PROTOCOLS
from avloc.inference import load_model
from avloc.inference.dual_engine import DualEngine
from avloc.inference.guided import GuidedEngine, guided, load_objects, mixed
from avloc.inference.two_stream_engine import TwoStreamEngine
from avloc.models.dual_encoder import DualEncoder
from avloc.models.object_guides import ObjectGuide
from avloc.models.published.methods import METHODS
from avloc.models.weights import Header

RNG = np.random.default_rng(0)


def ranged(values):
    return (values - values.min()) / (values.max() - values.min())


def grids(heat=(14, 14), objects=(7, 7)):
    return (
        RNG.uniform(-0.2, 0.8, heat).astype(np.float32),
        RNG.gamma(2.0, 0.4, objects).astype(np.float32),
    )


def onto(objects, grid):
    """OpenCV counts width first, as these tests do not."""
    return cv2.resize(objects, grid.shape[::-1], interpolation=cv2.INTER_LINEAR)


def in_ranges(heat, objects, share):
    return ranged(share * ranged(heat) + (1 - share) * ranged(onto(objects, heat)))


def in_fixed_scales(heat, objects, share):
    return share * (heat + 1) / 2 + (1 - share) * onto(objects, heat) / 2.5


@pytest.mark.parametrize("sizes", [((7, 7), (7, 7)), ((14, 26), (7, 13)), ((18, 18), (9, 9))])
@pytest.mark.parametrize(
    ("name", "by_hand"), [("ezvsl", in_ranges), ("sslalign", in_ranges), ("slavc", in_fixed_scales)]
)
@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_on_the_grid_of_the_heatmap(sizes, name, by_hand, share):
    heat, objects = grids(*sizes)
    protocol = PROTOCOLS[name]
    found = mixed(heat, objects, protocol, replace(protocol.fusion, share=share))
    assert found.shape == heat.shape
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, by_hand(heat, objects, share), atol=1e-5)


class Straw:
    """Maps of given values, and nothing to hear."""

    id, rate, window, device = "straw", 8000, 1.0, torch.device("cpu")
    hear = excerpts = prepare = prepare_item = None
    moving = False

    def __init__(self, values, method=""):
        self.values = values
        self.header = Header("straw", None, source={"method": method} if method else {})

    def look(self, prepared, evidence):
        return [(self.values, 0.7)] * len(prepared)


@pytest.mark.parametrize(
    ("method", "share", "by_hand"),
    [
        ("ezvsl", 0.4, in_ranges),
        ("marginnce", 0.4, in_ranges),
        ("sslalign", 0.4, in_ranges),
        ("slavc-momentum", 0.9, in_fixed_scales),
        ("lvs", 0.4, in_ranges),
        ("", 0.4, in_ranges),
    ],
)
def test_each_method_has_its_own_weight(method, share, by_hand):
    heat, objects = grids()
    for given in (None, 0.7):
        guide = ObjectGuide("thing", None, given)
        engine = GuidedEngine(Straw(heat, method), lambda frames: objects[None], guide)
        ((values, confidence),) = engine.look(np.zeros((1, 3, 8, 8), np.uint8), None)
        weight = share if given is None else given
        np.testing.assert_allclose(values, by_hand(heat, objects, weight), atol=1e-5)
        assert confidence == 0.7
        assert engine.id == f"straw + OGL thing {weight:g}"


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    from torchvision.models import resnet18

    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "resnet18.pth"
    torch.save(resnet18(weights=None).state_dict(), path)
    return path


@pytest.fixture(scope="module")
def frame():
    return RNG.integers(0, 256, (9, 16, 3), np.uint8).repeat(12, 0).repeat(12, 1)


def test_a_model_with_a_guide(weights, frame):
    guide = ObjectGuide("resnet18", weights, 0.25)
    alone, together = load_model("bundled", "cpu"), load_model("bundled", "cpu", ogl=guide)
    assert together.id == f"{alone.id} + OGL resnet18:resnet18.pth 0.25"
    plain, found = (one.heatmap(frame, None, 16_000) for one in (alone, together))
    prepared = alone.engine.prepare(frame)[None]
    objects = load_objects(guide, torch.device("cpu"))(prepared)[0]
    np.testing.assert_allclose(found.values, in_ranges(plain.values, objects, 0.25), atol=1e-5)
    assert (found.confidence, found.tags) == (plain.confidence, plain.tags)


def test_the_image_network_of_a_model(frame):
    """Whatever the pictures were prepared for: its own size and bytes, or others' floats."""
    objects = load_objects(ObjectGuide("bundled"), torch.device("cpu"))
    engine = TwoStreamEngine.load(device="cpu")
    prepared = engine.prepare(frame)[None]
    expected = engine.runner.graph.network.image((torch.from_numpy(prepared) / 127.5) - 1)
    np.testing.assert_allclose(objects(prepared)[0], expected[0].abs().mean(0).detach(), rtol=1e-3)
    floats = (prepared / 255).astype(np.float32)
    np.testing.assert_allclose(objects(floats), objects(prepared), rtol=1e-5)

    config = METHODS["sslalign"].config
    torch.manual_seed(0)
    other = DualEngine(DualEncoder(config).eval(), Header("x", config))
    squeezed = other.prepare(frame)
    assert squeezed.dtype == np.float32
    assert objects(squeezed[None]).shape == (1, 7, 7)
    assert guided(other, ObjectGuide("bundled")).id == "x + OGL bundled 0.4"
