"""Object-guided localization of a converted checkpoint: evaluated as EZ-VSL's script does, and
drawn."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn.functional import interpolate

from avloc.cli import app
from avloc.evaluation.canvas import Canvas
from avloc.evaluation.protocols import PROTOCOLS

BOX = [0.1, 0.2, 0.7, 0.9]


@pytest.fixture
def avloc(monkeypatch, capsys):
    def run(*words):
        monkeypatch.setattr("sys.argv", ["avloc", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            app.main()
        said = capsys.readouterr()
        return end.value.code, said.out, said.err

    return run


@pytest.fixture(scope="module")
def media(tmp_path_factory, checkpoint, make_clip, tone):
    """Converted weights, torchvision's ResNet-18, a clip, a list of two pictures with sounds."""
    import soundfile
    from torchvision.models import resnet18

    from avloc.models.published.converting import convert

    folder = tmp_path_factory.mktemp("ogl")
    convert([checkpoint("ezvsl")], folder / "ezvsl.safetensors", "ezvsl")
    torch.manual_seed(0)
    torch.save(resnet18(weights=None).state_dict(), folder / "resnet18.pth")
    make_clip(folder / "clip.mp4", sounds=[{"wave": tone(1.0, 16_000), "rate": 16_000}])
    rows = []
    for name, seed in (("a", 1), ("b", 2)):
        coarse = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), np.uint8)
        Image.fromarray(coarse).resize((320, 240)).save(folder / f"{name}.png")
        soundfile.write(folder / f"{name}.wav", tone(4.0, 22_050, 220.0 * seed), 22_050)
        rows.append({"id": name, "boxes": [BOX], "frame": f"{name}.png", "sound": f"{name}.wav"})
    (folder / "benchmark.json").write_text(json.dumps(rows))
    return folder


def asked(media, keep, *more, protocol="ezvsl,lvs"):
    words = ("evaluate", media / "ezvsl.safetensors", media / "benchmark.json", "--data", media)
    return (*words, "--protocol", protocol, "--json", "-", "-q", "--keep", keep, *more)


@torch.inference_mode()
def objects_by_hand(media, name):
    """Objectness (7, 7) of a picture: squeezed by Pillow, normalised, torchvision's network."""
    from torchvision import transforms
    from torchvision.models import resnet18

    network = resnet18(weights=None).eval()
    network.load_state_dict(torch.load(media / "resnet18.pth", weights_only=True))
    network.avgpool = torch.nn.Identity()
    network.fc = torch.nn.Unflatten(1, (512, 7, 7))
    to_tensor = transforms.Compose(
        [
            transforms.Resize((224, 224), transforms.InterpolationMode.BICUBIC),
            transforms.ToTensor(),
            transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
        ]
    )
    picture = to_tensor(Image.open(media / f"{name}.png").convert("RGB"))
    return network(picture[None]).abs().mean(1)[0].numpy()


def fused_by_hand(heat, objects, share=0.4):
    """The lines of EZ-VSL's validate."""

    def enlarged(values):
        tensor = torch.from_numpy(values)[None, None]
        return interpolate(tensor, (224, 224), mode="bilinear", align_corners=True)[0, 0].numpy()

    def ranged(values):
        return (values - values.min()) / (values.max() - values.min())

    heat, objects = ranged(enlarged(heat / np.float32(0.03))), ranged(enlarged(objects))
    return ranged(heat * share + objects * (1 - share))


def ciou_by_hand(fused):
    inside = np.zeros((224, 224))
    x0, y0, x1, y1 = (int(224 * side) for side in BOX)
    inside[y0:y1, x0:x1] = 1
    called = fused >= np.sort(fused.ravel())[224 * 224 // 2]
    return (called * inside).sum() / (inside.sum() + (called * (inside == 0)).sum())


def test_evaluated_as_the_original_does(avloc, media, tmp_path):
    ogl = f"resnet18:{media / 'resnet18.pth'}"
    code, out, err = avloc(*asked(media, tmp_path / "maps", "--ogl", ogl))
    assert code == 0, err
    report = json.loads(out)
    assert report["method"].endswith("ezvsl.safetensors + OGL resnet18:resnet18.pth")
    assert report["ogl"]["backbone"] == "resnet18:resnet18.pth"
    assert len(report["ogl"]["sha256"]) == 64
    assert report["ogl"]["weight"] is None
    found = report["protocols"]["ezvsl"]
    assert found["protocol"]["fusion"]["share"] == 0.4
    assert not any("ogl" in key for key in report["protocols"]["lvs"]["metrics"])
    with np.load(tmp_path / "maps" / "000000.npz") as file:
        kept = {key: file[key] for key in file}
    for number, name in enumerate(("a", "b")):
        heat, objects = kept[f"map {number}"], kept[f"objects {number}"]
        np.testing.assert_allclose(objects, objects_by_hand(media, name), rtol=1e-5)
        fused = fused_by_hand(heat, objects)
        view = PROTOCOLS["ezvsl"].views(Canvas(heat, "cosine"), Canvas(objects))["ogl"]
        np.testing.assert_allclose(view.values, fused, atol=1e-6)
        item = found["items"][name]
        assert item["ogl_ciou"] == pytest.approx(ciou_by_hand(fused), abs=1e-9)
        assert item["objects_ciou"] == pytest.approx(ciou_by_hand(fused_by_hand(objects, objects)))
        assert item["ogl_ciou"] != item["ciou"]
    mean = np.mean([item["ogl_ciou"] for item in found["items"].values()])
    assert found["metrics"]["ogl_mean_ciou"] == pytest.approx(mean)

    # The same folder again: nothing is made anew, and another weight needs no other maps.
    before = (tmp_path / "maps" / "000000.npz").stat().st_mtime_ns
    code, out, _ = avloc(*asked(media, tmp_path / "maps", "--ogl", ogl, "--ogl-weight", "0.9"))
    assert code == 0
    assert (tmp_path / "maps" / "000000.npz").stat().st_mtime_ns == before
    report = json.loads(out)
    assert report["ogl"]["weight"] == 0.9
    assert report["protocols"]["ezvsl"]["protocol"]["fusion"]["share"] == 0.9
    fused = fused_by_hand(kept["map 0"], kept["objects 0"], 0.9)
    item = report["protocols"]["ezvsl"]["items"]["a"]
    assert item["ogl_ciou"] == pytest.approx(ciou_by_hand(fused), abs=1e-9)

    for other in ((), ("--ogl", "bundled")):
        code, _, err = avloc(*asked(media, tmp_path / "maps", *other))
        assert code == 2
        assert "or --ogl; name another folder" in err


def test_what_it_is_not_for(avloc, media, tmp_path):
    code, _, err = avloc(*asked(media, tmp_path, "--ogl", "bundled", protocol="lvs"))
    assert code == 2
    assert "none of these protocols mixes objectness in; add one that does, such as ezvsl" in err
    np.savez(tmp_path / "maps.npz", a=np.eye(7), b=np.eye(7))
    base = ("evaluate", "--maps", tmp_path / "maps.npz", "--annotations", media / "benchmark.json")
    for words, told in (
        (("--ogl", "bundled"), "those of --maps bring theirs along"),
        (("--ogl-weight", "0.5"), "bring no ID/objectness to weigh"),
    ):
        code, _, err = avloc(*base, *words)
        assert code == 2
        assert told in err
    code, _, err = avloc(
        *base[:1], media / "benchmark.json", "--baselines-only", "--ogl", "bundled"
    )
    assert code == 2
    code, _, err = avloc(*asked(media, tmp_path / "k", "--ogl-weight", "0.5"))
    assert "there is none without --ogl or --maps" in err


def test_maps_that_bring_objectness_are_weighed(avloc, media, tmp_path):
    rng = np.random.default_rng(0)
    maps = {name: rng.standard_normal((7, 7)).astype(np.float32) for name in ("a", "b")}
    things = {f"{name}/objectness": rng.random((7, 7)).astype(np.float32) for name in maps}
    np.savez(tmp_path / "maps.npz", **maps, **things)
    words = ("evaluate", "--maps", tmp_path / "maps.npz", "--annotations", media / "benchmark.json")
    words += ("--protocol", "ezvsl", "--scale", "cosine", "--json", "-", "-q")
    for more, share in (((), 0.4), (("--ogl-weight", "0.8"), 0.8)):
        code, out, err = avloc(*words, *more)
        assert code == 0, err
        items = json.loads(out)["protocols"]["ezvsl"]["items"]
        for name, heat in maps.items():
            expected = ciou_by_hand(fused_by_hand(heat, things[f"{name}/objectness"], share))
            assert items[name]["ogl_ciou"] == pytest.approx(expected, abs=1e-9)


def test_drawn(avloc, media, tmp_path):
    """The clip shows other maps, and the results say what they were mixed with."""
    outs = {}
    for name, more in (("plain", ()), ("ogl", ("--ogl", f"resnet18:{media / 'resnet18.pth'}"))):
        words = ("localize", media / "clip.mp4", "--model", media / "ezvsl.safetensors", "-q")
        save = ("--fps", "2", "--save", "video,json,npz", "-o", tmp_path / name)
        code, _, err = avloc(*words, *save, *more)
        assert code == 0, err
        outs[name] = tmp_path / name / "clip.avloc"
    told = {n: json.loads(p.with_suffix(".avloc.json").read_text()) for n, p in outs.items()}
    assert told["ogl"]["model"] == told["plain"]["model"] + " + OGL resnet18:resnet18.pth 0.4"
    assert told["ogl"]["heatmaps"][0]["peak"] != told["plain"]["heatmaps"][0]["peak"]
    confident = [[one["confidence"] for one in told[name]["heatmaps"]] for name in outs]
    assert confident[0] == confident[1]
    assert outs["ogl"].with_suffix(".avloc.mp4").read_bytes() != (
        outs["plain"].with_suffix(".avloc.mp4").read_bytes()
    )
    maps = {n: np.load(p.with_suffix(".avloc.npz"))["heatmaps"] for n, p in outs.items()}
    assert maps["ogl"].shape == maps["plain"].shape
    assert (maps["ogl"].min(), maps["ogl"].max()) == (0, 1)
    # What is left of the heatmap and objectness is one map for all of the same picture.
    assert np.abs(maps["ogl"] - maps["plain"]).max() > 0.1

    code, _, err = avloc("localize", media / "clip.mp4", "--ogl-weight", "0.5")
    assert code == 2
    assert "name what sees it (--ogl BACKBONE)" in err
