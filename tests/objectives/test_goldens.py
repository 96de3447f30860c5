"""Losses against what the published code gives with the same weights and inputs.

`losses.npz` holds what their networks make of the goldens' inputs (see the README there), so that
no network has to run here.
"""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from avloc.objectives import OBJECTIVES, Correspondence
from avloc.objectives.turning import turned, turns
from avloc.options import configured

GOLDENS = Path(__file__).parents[1] / "goldens" / "forward"
MODES = pytest.mark.parametrize("mode", ["eval", "train"])


@pytest.fixture(scope="module")
def stored():
    with np.load(GOLDENS / "losses.npz") as arrays:
        return {name: torch.from_numpy(arrays[name]).double() for name in arrays.files}


def told(method, mode):
    """The float64 answers of the published code; batch statistics are the batch's in `train`."""
    losses = json.loads((GOLDENS / f"{method}.json").read_text("utf-8"))["losses"]
    return losses["eval" if mode == "eval" else "train_dropout_off"]["float64"]


def met(cells, sounds, **further):
    maps = torch.einsum("bchw,sc->bshw", cells, sounds)
    return Correspondence(maps, cells, sounds, **further)


def close(found, expected):
    assert found.item() == pytest.approx(expected, rel=1e-5)


@MODES
@pytest.mark.parametrize(
    ("method", "file", "key"),
    [
        ("lvs", "LVS", "loss_ce_label0"),
        ("ssltie", "SSL-TIE", "loss_ce_label0"),
        ("heartheflow", "HearTheFlow", "loss"),
    ],
)
def test_lvs(method, file, key, mode, stored):
    pairs = Correspondence(stored[f"{method}_{mode}_maps"])
    close(configured(OBJECTIVES, "lvs")(pairs).total, told(file, mode)[key])


def test_lvs_logits(stored):
    golden = json.loads((GOLDENS / "LVS.json").read_text("utf-8"))["losses"]["eval"]["logits"]
    pairs = Correspondence(stored["lvs_eval_maps"])
    found = configured(OBJECTIVES, "lvs").logits(pairs)
    expected = torch.tensor(golden["float32"], dtype=torch.float64)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    removed = configured(OBJECTIVES, "lvs", mask="removed").logits(pairs)
    own = torch.zeros_like(expected, dtype=torch.bool)
    own[range(4), range(1, 5)] = True
    assert torch.isneginf(removed[own]).all()
    torch.testing.assert_close(removed[~own], expected[~own], rtol=1e-5, atol=1e-5)


@MODES
def test_ezvsl_and_fnac(mode, stored):
    """FNAC's contrast is EZ-VSL's; MarginNCE's without margin, too."""
    pairs = met(stored[f"ezvsl_{mode}_cells"], stored[f"ezvsl_{mode}_sounds"])
    close(configured(OBJECTIVES, "ezvsl")(pairs).total, told("EZ-VSL", mode)["loss"])
    margin = configured(OBJECTIVES, "marginnce", margin=0.0)
    close(margin(pairs).total, told("EZ-VSL", mode)["loss"])
    loss, expected = configured(OBJECTIVES, "fnac")(pairs), told("FNAC", mode)
    close(loss.terms["contrast"], expected["loss0_ezvsl"])
    close(loss.terms["sounds"], expected["fnac_loss1"])
    close(loss.terms["foregrounds"], expected["fnac_loss2"])
    close(loss.terms["pictures"], expected["fnac_loss3"])
    close(loss.total, expected["total_weights_100_100_100"])


@MODES
def test_slavc(mode, stored):
    part = {name: stored[f"slavc_{mode}_{name}"] for name in ("cells", "sounds")}
    teacher = {name: stored[f"slavc_{mode}_teacher_{name}"] for name in ("cells", "sounds")}
    pairs = met(**part, views={"teacher": met(**teacher)})
    losses = json.loads((GOLDENS / "SLAVC.json").read_text("utf-8"))["losses"]
    answer = "eval_mode_test" if mode == "eval" else "train_dropout_off_mode_test"
    close(configured(OBJECTIVES, "slavc")(pairs).total, losses[answer]["float64"]["loss"])


@MODES
def test_sacl(mode, stored):
    """Segments are squares of a 4x4 grid over pictures of 224 pixels."""
    squares = torch.arange(16).reshape(1, 4, 4).expand(4, -1, -1)
    extras = {"segments": squares.repeat_interleave(56, 1).repeat_interleave(56, 2)}
    other = Correspondence(stored[f"sacl_{mode}_other"], extras=extras)
    extras = {**extras, "likeness": stored[f"sacl_{mode}_likeness"]}
    pairs = Correspondence(stored[f"sacl_{mode}_maps"], extras=extras, views={"other": other})
    close(configured(OBJECTIVES, "sacl")(pairs).total, told("SACL", mode)["loss"])


def cases():
    return json.loads((GOLDENS / "SSL-TIE_equivariance.json").read_text("utf-8"))["cases"]


@MODES
@pytest.mark.parametrize("number", [0, 1])
def test_ssltie(number, mode, stored):
    case = cases()[number]
    degrees = torch.tensor(case["angles_deg"], dtype=torch.float64)
    view = Correspondence(stored[f"ssltie_{mode}_turned{number}"])
    pairs = Correspondence(
        stored[f"ssltie_{mode}_maps"],
        extras={"turns": turns(degrees, case["scale"], case["hflip"])},
        views={"turned": view},
    )
    loss = configured(OBJECTIVES, "ssltie")(pairs)
    close(loss.terms["contrast"], case[mode]["loss_cl"])
    close(loss.terms["turned"], case[mode]["loss_cl_ts"])
    close(loss.terms["equivariance"], case[mode]["loss_ts_mse"])
    close(loss.total, case[mode]["total"])


@pytest.mark.parametrize("case", cases())
def test_turned_maps_and_pictures(case, stored):
    degrees = torch.tensor(case["angles_deg"], dtype=torch.float64)
    turn = turns(degrees, case["scale"], case["hflip"])
    own = stored["ssltie_eval_maps"][range(4), range(4)]
    side = round(14 * case["scale"])
    expected = torch.tensor(case["eval"]["transformed_heatmap_full"], dtype=torch.float64)
    found = turned(own[:, None], turn, (side, side))[:, 0]
    torch.testing.assert_close(found, expected.reshape(found.shape), rtol=1e-5, atol=1e-5)
    pictures = np.random.RandomState(1).randn(4, 3, 224, 224)
    side = round(224 * case["scale"])
    found = turned(torch.from_numpy(pictures), turn, (side, side))
    total = case["transformed_image"]["abs_sum64"]
    assert float(found.abs().sum()) == pytest.approx(total, rel=1e-6)
    assert float(found.sum()) == pytest.approx(case["transformed_image"]["sum64"], abs=1e-6 * total)
