"""The step of a slow teacher against the published code's, and what it leaves alone."""

import json
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch

from avloc.objectives.teaching import follow

GOLDEN = Path(__file__).parents[1] / "goldens" / "forward" / "SLAVC.json"


def drawn(key, shape):
    """See the README of the goldens."""
    rng = np.random.RandomState(zlib.crc32(key.encode()) & 0xFFFFFFFF)
    values = rng.randn(*shape)
    values = 1 + 0.1 * values if len(shape) == 1 else values * np.sqrt(2 / np.prod(shape[1:]))
    return torch.nn.Parameter(torch.from_numpy(values.astype(np.float32)))


def test_slavc():
    told = json.loads(GOLDEN.read_text("utf-8"))["momentum_update_check"]
    shapes = {"imgnet.conv1.weight": (64, 3, 7, 7), "imgnet.bn1.weight": (64,)}
    shapes["aud_proj2.weight"] = (512, 512)
    keys = {key: key.replace(".", "_") for key in shapes}
    student = torch.nn.ParameterDict({keys[k]: drawn(k, shapes[k]) for k in shapes})
    teacher = torch.nn.ParameterDict({keys[k]: drawn(f"momentum_{k}", shapes[k]) for k in shapes})
    follow(teacher, student, 0.999)
    for key, name in keys.items():
        expected = told[f"momentum_{key}"]
        found = teacher[name].detach().double()
        assert float(found.sum()) == pytest.approx(expected["sum64"], rel=1e-6)
        np.testing.assert_allclose(found.flatten()[:4], expected["first4"], rtol=1e-6)


def test_statistics_stay_the_teachers_own():
    student, teacher = torch.nn.BatchNorm1d(3), torch.nn.BatchNorm1d(3)
    with torch.no_grad():
        student.weight += 1
    student(torch.randn(5, 3))
    follow(teacher, student, 0.75)
    torch.testing.assert_close(teacher.weight.detach(), torch.full((3,), 1.25))
    assert not teacher.running_mean.any()
    assert teacher.weight.grad is None
