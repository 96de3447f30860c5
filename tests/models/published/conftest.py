"""Checkpoints by formula, with the names, shapes and containers of published ones."""

import json
import zlib
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from avloc.cli import app
from avloc.models.dual_encoder import DualEncoder
from avloc.models.published.matching import match
from avloc.models.published.methods import METHODS
from avloc.models.weights import filled

GOLDENS = Path(__file__).parents[2] / "goldens" / "forward"

FILES = {
    "ezvsl": "EZ-VSL",
    "fnac": "FNAC",
    "marginnce": "EZ-VSL",
    "slavc": "SLAVC",
    "slavc-momentum": "SLAVC",
    "lvs": "LVS",
    "sslalign": "SSLalignment",
    "ssltie": "SSL-TIE",
    "heartheflow": "HearTheFlow",
    "sacl": "SACL",
    "sspl": "SSPL",
}
"""Method -> the golden file that tells of it; MarginNCE has EZ-VSL's network."""

MAPS = {"slavc": "SLAVC_student", "slavc-momentum": "SLAVC_momentum"}


@lru_cache(maxsize=300)  # most methods share the names of two trunks, and so their weights
def drawn(key, shape):
    """The tensor of a name, see the README of the goldens; None where there is no formula."""
    rng = np.random.RandomState(zlib.crc32(key.encode()) & 0xFFFFFFFF)
    kind = key.rpartition(".")[2] if shape else ""
    if kind == "running_var":
        values = 0.5 + rng.rand(*shape)
    elif kind == "running_mean":
        values = 0.1 * rng.randn(*shape)
    elif kind == "bias":
        values = 0.05 * rng.randn(*shape)
    elif kind == "weight" and len(shape) == 1:
        values = 1 + 0.1 * rng.randn(*shape)
    elif kind == "weight":
        values = rng.randn(*shape) * np.sqrt(2 / np.prod(shape[1:]))
    else:
        return None
    return torch.from_numpy(values.astype(np.float32))


@cache
def golden(method):
    return json.loads((GOLDENS / f"{FILES[method]}.json").read_text("utf-8"))


def golden_maps(method):
    return np.load(GOLDENS / f"{MAPS.get(method, FILES[method])}_maps.npy")


@pytest.fixture(scope="session")
def empty():
    """Method -> tensors with the names and shapes of its files, without memory of their own."""

    def of(method):
        parts = golden(method)["state_dict"]
        if len(parts) > 1 and len({len(part["entries"]) for part in parts}) == 1:
            parts = parts[:1]  # one network in two containers
        role = {part["where"]: f"{ROLES[Path(part['where']).stem]}." for part in parts[1:]}
        role |= {parts[0]["where"]: f"{ROLES[Path(parts[0]['where']).stem]}."} if role else {}
        return {
            role.get(part["where"], "") + key: torch.zeros(()).expand(shape)
            for part in parts
            for key, shape, _ in part["entries"]
        }

    return of


def states(method):
    """The state dicts of a method's files: container key or file name -> tensors."""
    found = {}
    for part in golden(method)["state_dict"]:
        tensors = {}
        for key, shape, dtype in part["entries"]:
            tensor = (
                drawn(key.removeprefix(part["prefix"]), tuple(shape)) if dtype != "int64" else None
            )
            if tensor is None:
                constant = part["constants"].get(key, 0)
                tensor = torch.full(shape, constant, dtype=getattr(torch, dtype))
            tensors[key] = tensor
        found[part["where"]] = tensors
    return found


ROLES = {"frame_best": "frame", "sound_best": "sound", "pcm_best": "pcm", "ssl_head_best": "head"}


def joined(method):
    """All tensors of a method's files, those of several files under their roles."""
    found = states(method)
    if len({len(part) for part in found.values()}) == 1:
        return next(iter(found.values()))
    return {
        f"{ROLES[Path(where).stem]}.{key}": tensor
        for where, part in found.items()
        for key, tensor in part.items()
    }


def written(method, folder):
    """Checkpoints as the method's training writes them; the file, or the folder of several."""
    for where, tensors in states(method).items():
        if "['" in where:
            path = folder / f"{method}.pth"
            torch.save({where.split("'")[1]: tensors, "epoch": 3}, path)
            return path
        torch.save(tensors, folder / where)
    return folder


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory):
    """Method -> a file of it, written once."""
    made = {}

    def of(method):
        name = FILES[method]
        if name not in made:
            made[name] = written(method, tmp_path_factory.mktemp(name))
        return made[name]

    return of


@pytest.fixture(scope="session")
def golden_of():
    """Method -> what its golden file says, and the maps in it."""
    return lambda method: (golden(method), golden_maps(method))


@pytest.fixture(scope="session")
def double_maps_of(golden_dir):
    """Method -> the maps of its own code in float64."""

    def of(method):
        name = MAPS.get(method, FILES[method])
        return np.load(golden_dir / "forward" / f"{name}_maps64.npy")

    return of


@pytest.fixture(scope="module")
def network(request):
    """The network of the method that a test is parametrized with, its weights by formula."""
    method = request.param
    with torch.device("meta"):
        built = DualEncoder(METHODS[method].config)
    return method, filled(built, match(joined(method), method).fit.state, Path(method))


@pytest.fixture
def avloc(monkeypatch, capsys):
    def run(*words):
        monkeypatch.setattr("sys.argv", ["avloc", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            app.main()
        said = capsys.readouterr()
        assert end.value.code == 0, said.err
        return said.out

    return run


@pytest.fixture
def media(tmp_path, make_clip, tone):
    """A wide clip, and a list of two pictures with sounds."""
    import soundfile

    make_clip(tmp_path / "clip.mp4", sounds=[{"wave": tone(1.0, 16_000), "rate": 16_000}])
    rows = []
    for name, seed in (("a", 1), ("b", 2)):
        coarse = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), np.uint8)
        Image.fromarray(coarse).resize((320, 240)).save(tmp_path / f"{name}.png")
        soundfile.write(tmp_path / f"{name}.wav", tone(4.0, 22_050, 220.0 * seed), 22_050)
        box = [0.1, 0.1, 0.9, 0.9]
        rows.append({"id": name, "boxes": [box], "frame": f"{name}.png", "sound": f"{name}.wav"})
    (tmp_path / "benchmark.json").write_text(json.dumps(rows))
    return tmp_path


@pytest.fixture
def through(avloc, media):
    """(files, method) -> a map of their weights, converted, shown, localizing and evaluated."""

    def run(files, method):
        weights = media / "weights.safetensors"
        avloc("models", "convert", files, "--method", method, "-o", weights, "-q")
        assert method in avloc("models", "show", weights)
        avloc("localize", media / "clip.mp4", "--model", weights, "--fps", "2", "-q")
        told = json.loads((media / "clip.avloc.json").read_text("utf-8"))
        assert told["model"].startswith(f"{method}-")
        assert len(told["heatmaps"]) >= 2
        assert (media / "clip.avloc.mp4").stat().st_size > 0

        report = avloc(
            "evaluate", weights, media / "benchmark.json", "--data", media, "--protocol",
            "ezvsl,lvs", "--json", "-", "-q", "--keep", media / "maps",
        )  # fmt: skip
        assert set(json.loads(report)["protocols"]) == {"ezvsl", "lvs"}
        with np.load(next((media / "maps").glob("*.npz"))) as file:
            return file["map 0"]

    return run
