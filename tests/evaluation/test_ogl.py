"""Object-guided localization as each repository computes it, written out by hand."""

import cv2
import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate

from avloc.data.benchmarks import Benchmark, Item
from avloc.evaluation.canvas import Canvas
from avloc.evaluation.choosing import panel
from avloc.evaluation.maps import ItemMaps
from avloc.evaluation.protocols import PROTOCOLS
from avloc.evaluation.run import evaluate

TAU = np.float32(0.03)
BOXES = np.array([[0.1, 0.2, 0.7, 0.9]])


def up(values, mode, corners):
    tensor = torch.from_numpy(values)[None, None]
    return interpolate(tensor, (224, 224), mode=mode, align_corners=corners)[0, 0].numpy()


def ranged(values):
    return (values - values.min()) / (values.max() - values.min())


def in_ezvsl(heat, objects, share):
    """test.py of EZ-VSL; `validate` of FNAC's and of SSLalignment's is the same."""
    heat, objects = ranged(up(heat / TAU, "bilinear", True)), up(objects, "bilinear", True)
    return ranged(heat * share + ranged(objects) * (1 - share))


def in_fnac_2(heat, objects, share):
    """`validate2` of FNAC enlarges the heatmap otherwise, but not objectness."""
    heat, objects = ranged(up(heat / TAU, "bicubic", False)), up(objects, "bilinear", True)
    return ranged(heat * share + ranged(objects) * (1 - share))


def in_slavc(heat, objects, share):
    """Fixed scales; the mixture is not brought to a range before it is ranked."""
    heat = (up(heat / TAU, "bicubic", True) + 1 / 0.03) / (2 / 0.03)
    return heat * share + up(objects, "bicubic", True) / 2.5 * (1 - share)


def in_slavc_relative(heat, objects, share):
    """With --relative_prediction the mixture is brought to a range before it is cut."""
    return ranged(in_slavc(heat, objects, share))


def in_sslalign(heat, objects, share):
    """`validate_lvs` on VGG-SS, and `validate_ssltie`."""
    heat, objects = (
        1 - ranged(-cv2.resize(one, dsize=(224, 224), interpolation=cv2.INTER_LINEAR))
        for one in (heat, objects)
    )
    return ranged(heat * share + objects * (1 - share))


def in_sslalign_elsewhere(heat, objects, share):
    """`validate_lvs` on other lists."""
    heat, objects = (1 - ranged(-up(one, "bilinear", True)) for one in (heat, objects))
    return ranged(heat * share + objects * (1 - share))


HALF = 224 * 224 // 2
REPOSITORIES = [
    ("ezvsl", "vggss", in_ezvsl, 0.4, ">="),
    ("fnac", "vggss", in_ezvsl, 0.4, ">="),
    ("fnac-2", "vggss", in_fnac_2, 0.4, ">="),
    ("slavc", "vggss", in_slavc_relative, 0.9, ">="),
    ("slavc-absolute", "vggss", in_slavc, 0.9, 0.5),
    ("sslalign", "vggss", in_sslalign, 0.4, ">"),
    ("sslalign", "flickr", in_sslalign_elsewhere, 0.4, ">"),
    ("sslalign-ssltie", "flickr", in_sslalign, 0.4, ">"),
    ("sslalign-logits", "flickr", in_ezvsl, 0.4, ">"),
]


def maps_of(seed):
    """A heatmap of cosines and objectness, of a grid each."""
    rng = np.random.default_rng(seed)
    heat = rng.uniform(-0.2, 0.9, [(7, 7), (14, 14)][seed % 2]).astype(np.float32)
    return heat, rng.gamma(2.0, 0.4, (7, 7)).astype(np.float32)


def cut(mixture, how):
    if isinstance(how, float):
        return mixture >= how
    middle = np.sort(mixture.ravel())[HALF]
    return mixture >= middle if how == ">=" else mixture > middle


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    ("name", "listed", "by_hand", "share", "how"),
    REPOSITORIES,
    ids=[f"{row[0]}-{row[1]}" for row in REPOSITORIES],
)
def test_the_mixture_of_each_repository(name, listed, by_hand, share, how, seed):
    heat, objects = maps_of(seed)
    protocol = PROTOCOLS[name].on(listed)
    view = protocol.views(Canvas(heat, "cosine"), Canvas(objects))["ogl"].normal(protocol.last)
    expected = by_hand(heat, objects, share)
    np.testing.assert_allclose(view.values, expected, atol=1e-6)
    assert np.ptp(expected) > 0.05
    # Pixels that rounding moves over the edge are none, or a handful.
    assert np.count_nonzero(protocol.cut.mask(view) != cut(expected, how)) <= 4


def one_item():
    return Benchmark("list", (Item("a", BOXES, (1, 1)),), (), (), ())


@pytest.mark.parametrize("share", [None, 0.0, 0.25, 1.0])
@pytest.mark.parametrize("name", ["ezvsl", "slavc", "sslalign"])
def test_another_weight(name, share):
    heat, objects = maps_of(1)
    chosen = panel([name], one_item(), ("objectness",), share=share)
    report = evaluate([("a", ItemMaps(heat, objects))], one_item(), chosen, "cosine")
    verdict = report.protocols[name]
    rows = {row[0]: row for row in REPOSITORIES if row[1] == "flickr" or row[0] != "sslalign"}
    _, _, by_hand, own, how = rows[name]
    own = own if share is None else share
    assert verdict.description["fusion"]["share"] == own
    inside = np.zeros((224, 224))
    inside[int(0.2 * 224) : int(0.9 * 224), int(0.1 * 224) : int(0.7 * 224)] = 1
    called = cut(by_hand(heat, objects, own), how)
    expected = (called * inside).sum() / (inside.sum() + (called * (1 - inside)).sum())
    assert verdict.items["a"]["ogl_ciou"] == pytest.approx(expected, abs=1e-4)
    if share in (0.0, 1.0):
        alone = verdict.items["a"]["objects_ciou" if share == 0 else "ciou"]
        assert verdict.items["a"]["ogl_ciou"] == pytest.approx(alone, abs=1e-4)
    assert PROTOCOLS[name].fusion.share == rows[name][3]


def test_protocols_without_a_mixture_have_none():
    heat, objects = maps_of(1)
    chosen = panel(["lvs", "avloc"], one_item(), ("objectness",), share=0.5)
    assert [judge.fusion for judge in chosen.judges] == [None, None]
    report = evaluate([("a", ItemMaps(heat, objects))], one_item(), chosen, "cosine")
    assert not any("ogl" in key for one in report.protocols.values() for key in one.metrics)
