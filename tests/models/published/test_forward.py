"""Networks of published methods against what their own code computes with the same weights."""

import json
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
import torch

from avloc.evaluation.canvas import Canvas
from avloc.evaluation.protocols import PROTOCOLS
from avloc.evaluation.scoring import score
from avloc.evaluation.truth import rasterise
from avloc.models.published.methods import METHODS

GOLDEN = [name for name in METHODS if name.partition("-")[0] not in ("rcgrad", "denseav")]
"""The methods whose own code made goldens."""

GOLDENS = Path(__file__).parents[2] / "goldens"


def draw(seed, *shape):
    return torch.from_numpy(np.random.RandomState(seed).randn(*shape).astype(np.float32))


def inputs(golden):
    width = golden["W_spec"]
    sound = (4, 1, 257, width) if width else (4, 3, 1, 96, 64)
    return draw(1, 4, 3, 224, 224), draw(2, *sound), draw(4, 4, 2, 224, 224)


def of(*methods):
    return pytest.mark.parametrize("network", methods, indirect=True, scope="module")


def close(found, golden):
    assert found.shape == golden.shape
    np.testing.assert_allclose(found, golden, rtol=0, atol=1e-4 * np.ptp(golden))


@of(*GOLDEN)
@torch.inference_mode()
def test_maps(network, golden_of):
    method, network = network
    golden, maps = golden_of(method)
    frames, sounds, flow = inputs(golden)
    seen = network.see(frames, flow) if network.config.flow else network.see(frames)
    heard = network.hear(sounds)
    # All pairs, as [i, j] of the golden: each turn of the sounds meets each picture once more.
    turns = range(4) if not network.config.cycles else range(1)
    for turn in turns:
        order = [(i + turn) % 4 for i in range(4)]
        found = network.correlate(seen, heard[order]) / network.config.temperature
        close(found.numpy(), maps[range(4), order])


@of(*GOLDEN)
@torch.inference_mode()
def test_scores(network, golden_of):
    """Under the method's own protocol each map scores as its original; the truth is made up."""
    method, network = network
    golden, maps = golden_of(method)
    protocol = PROTOCOLS[METHODS[method].protocol]
    frames, sounds, flow = inputs(golden)
    seen = network.see(frames, flow) if network.config.flow else network.see(frames)
    found = network.correlate(seen, network.hear(sounds)).numpy()
    items = json.loads((GOLDENS / "groundtruth.json").read_text("utf-8"))["vggss"]["items"]
    scale = "logit" if network.config.temperature != 1 else "cosine"
    for i in range(4):
        truth = rasterise(items[i]["boxes"], (1, 1))
        ours = score(protocol, Canvas(found[i], "cosine"), truth).values["ciou"]
        theirs = score(protocol, Canvas(maps[i, i], scale), truth).values["ciou"]
        # On another processor a pixel at the threshold may change sides.
        assert ours == pytest.approx(theirs, abs=1e-4)
        assert (ours >= 0.5) == (theirs >= 0.5)


@of(*GOLDEN)
@torch.inference_mode()
def test_scores_in_double(network, golden_of, double_maps_of):
    """Where rounding decides nothing, scores are the very same."""
    method, network = network
    golden, maps = golden_of(method)[0], double_maps_of(method)
    network = deepcopy(network).double()
    frames, sounds, flow = (part.double() for part in inputs(golden))
    seen = network.see(frames, flow) if network.config.flow else network.see(frames)
    found = network.correlate(seen, network.hear(sounds)).numpy()
    own = maps[range(4), range(4)] * network.config.temperature
    np.testing.assert_allclose(found, own, rtol=0, atol=1e-9)
    protocol = PROTOCOLS[METHODS[method].protocol]
    items = json.loads((GOLDENS / "groundtruth.json").read_text("utf-8"))["vggss"]["items"]
    for i in range(4):
        truth = rasterise(items[i]["boxes"], (1, 1))
        ours, theirs = (
            score(protocol, Canvas(values[i].astype(np.float32), "cosine"), truth).values["ciou"]
            for values in (found, own)
        )
        assert ours == theirs


@of("ezvsl", "slavc", "lvs", "sslalign", "ssltie", "heartheflow", "sacl")
@torch.inference_mode()
def test_embeddings(network, golden_of):
    """First values, sum and sum of sizes of what picture and sound become."""
    method, network = network
    golden, _ = golden_of(method)
    frames, sounds, flow = inputs(golden)
    spaces = max(1, network.config.projections)
    seen = network.see(frames, flow) if network.config.flow else network.see(frames)
    units = {"img": seen, "aud": network.hear(sounds)}
    for told in golden["embeddings"]:
        words = told["what"].split()
        if words[0] in ("teacher", "trans") or "view2" in words or "128-d" in told["what"]:
            continue
        kind = next(word[:3] for word in words if word[:3] in units)
        place = words[1][-1:] if words[0] == "student" else "1"
        unit = units[kind].chunk(spaces, 1)[int(place) - 1].double() * spaces**0.5
        assert list(unit.shape) == told["shape"]
        np.testing.assert_allclose(unit.flatten()[:8], told["first8"], rtol=0, atol=1e-5)
        assert float(unit.abs().sum()) == pytest.approx(told["abs_sum64"], rel=1e-4)
        assert float(unit.sum()) == pytest.approx(told["sum64"], abs=1e-4 * told["abs_sum64"])


@of("heartheflow")
@torch.inference_mode()
def test_without_flow_nothing_moves(network):
    _, network = network
    frames = draw(1, 1, 3, 224, 224)
    still = network.see(frames, torch.zeros(1, 2, 224, 224))
    torch.testing.assert_close(network.see(frames), still)
    assert (network.see(frames, draw(4, 1, 2, 224, 224)) - still).abs().max() > 1e-3


@of("lvs", "sspl")
@torch.inference_mode()
def test_frames_that_are_not_square(network):
    """The grid keeps the frame's shape."""
    method, network = network
    heard = torch.nn.functional.normalize(draw(3, 1, 640 if method == "sspl" else 512))
    wide = network.correlate(network.see(draw(1, 1, 3, 224, 416)), heard)
    assert wide.shape == (1, 14, 26)
