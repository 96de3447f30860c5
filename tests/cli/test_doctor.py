import json

import av
import pytest
import torch

from avloc import __version__
from avloc.cli import doctor
from avloc.errors import EnvironmentProblem


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("AVLOC_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def values() -> dict[str, doctor.Finding]:
    return {finding.name: finding for finding in doctor.examine()}


def test_it_tells_what_is_installed(home):
    found = values()
    assert found["avloc"].value == __version__
    assert torch.__version__ in found["torch"].value
    assert av.__version__ in found["av"].value
    assert found["cache"].value == str(home)
    broken = [finding for finding in found.values() if finding.ok is False]
    assert not [finding for finding in broken if finding.name != "weights"]


def test_every_codec_is_told(home):
    found = values()
    for name in ("h264", "hevc", "vp9", "av1", "aac", "opus"):
        assert found[name].value.startswith("read") or found[name].value == "missing"


@pytest.mark.parametrize(
    ("package", "version", "told"),
    [
        ("torchaudio", "2.15.0", "2.15.0; does not go with torch 2.11"),
        ("torchvision", "0.24.1", "0.24.1; does not go with torch 2.11"),
        ("torchaudio", "", "missing; does not go with torch 2.11"),
    ],
)
def test_a_mismatched_set_is_broken(home, monkeypatch, package, version, told):
    numbers = {"torch": "2.11.0+cu130", "torchaudio": "2.11.0", "torchvision": "0.26.0+cpu"}
    monkeypatch.setattr(doctor, "_installed", lambda name: {**numbers, package: version}[name])
    found = {finding.name: finding for finding in doctor._companions()}
    assert found.pop(package) == (package, told, False)
    assert [finding.ok for finding in found.values()] == [True]


def test_something_broken_ends_with_3(home, monkeypatch, capsys):
    broken = [doctor.Finding("av", "missing", False), doctor.Finding("python", "3")]
    monkeypatch.setattr(doctor, "examine", lambda: broken)
    with pytest.raises(EnvironmentProblem, match="broken: av") as error:
        doctor.doctor()
    assert error.value.exit_code == 3
    assert capsys.readouterr().out == "av           missing  BROKEN\npython       3\n"


def test_a_check_that_falls_over_is_a_finding(home, monkeypatch):
    def falls() -> None:
        raise ImportError("libtorch is gone")

    monkeypatch.setattr(doctor, "_torch", falls)
    assert next(f for f in doctor.examine() if f.ok is False) == (
        "falls",
        "ImportError: libtorch is gone",
        False,
    )


def test_json(home, monkeypatch, capsys):
    monkeypatch.setattr(doctor, "examine", lambda: [doctor.Finding("av", "18", True)])
    doctor.doctor(as_json=True)
    assert json.loads(capsys.readouterr().out) == {"ok": True, "av": "18"}


def test_a_cache_that_cannot_be_written_says_so(monkeypatch, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("AVLOC_HOME", str(tmp_path / "file" / "home"))
    (finding,) = doctor._cache()
    assert "set AVLOC_HOME" in finding.value
