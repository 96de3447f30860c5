"""A published checkpoint all the way: converted, shown, localizing a video, evaluated."""

import json

import numpy as np
import pytest
from PIL import Image

from avloc.cli import app


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


@pytest.mark.parametrize(("method", "wide"), [("ezvsl", False), ("lvs", True)])
def test_from_a_checkpoint_to_scores(avloc, checkpoint, media, method, wide):
    weights = media / "weights.safetensors"
    avloc("models", "convert", checkpoint(method), "--method", method, "-o", weights, "-q")
    assert method in avloc("models", "show", weights)
    avloc("localize", media / "clip.mp4", "--model", weights, "--fps", "2", "-q")
    told = json.loads((media / "clip.avloc.json").read_text("utf-8"))
    assert told["model"].startswith(f"{method}-")
    assert len(told["heatmaps"]) >= 2
    assert (media / "clip.avloc.mp4").stat().st_size > 0

    report = avloc(
        "evaluate", weights, media / "benchmark.json", "--data", media, "--protocol", "ezvsl,lvs",
        "--json", "-", "-q", "--keep", media / "maps",
    )  # fmt: skip
    scores = json.loads(report)["protocols"]
    assert set(scores) == {"ezvsl", "lvs"}
    with np.load(next((media / "maps").glob("*.npz"))) as file:
        assert file["map 0"].shape == ((14, 14) if wide else (7, 7))
        assert np.ptp(file["map 0"]) > 1e-3
