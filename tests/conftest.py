"""Media made for tests, and the folder with real data where there is one."""

import json
import os
from fractions import Fraction
from pathlib import Path

# Networks this small are fastest on one thread, and on a busy machine by far; and sums of several
# threads come in any order. Has to stand before the first import of NumPy and torch.
os.environ["OMP_NUM_THREADS"] = "1"

import av
import numpy as np
import pytest
from hypothesis import settings

# How long an example takes says more about the machine than about the code.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real data that AVLOC_DATA names; tests that need it are skipped without."""
    folder = os.environ.get("AVLOC_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("AVLOC_DATA names no folder")
    return Path(folder)


@pytest.fixture(scope="session")
def golden_dir() -> Path:
    """The folder of golden vectors with real annotations that AVLOC_GOLDEN names, else a skip."""
    folder = os.environ.get("AVLOC_GOLDEN")
    if not folder or not Path(folder).is_dir():
        pytest.skip("AVLOC_GOLDEN names no folder")
    return Path(folder)


@pytest.fixture(scope="session")
def tone():
    """Makes a sine, (n,) float32."""
    return _tone


def _tone(seconds: float, rate: int, hertz: float = 440.0, level: float = 0.5) -> np.ndarray:
    return (level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)).astype(
        np.float32
    )


def block_picture(number: int, width: int, height: int) -> np.ndarray:
    """(H, W, 3) RGB: grey with a bright block in the upper left and a mark of the number."""
    picture = np.full((height, width, 3), 60, np.uint8)
    picture[: height // 3, : width // 4] = (220, 40, 40)
    at = 4 + number % max(1, width - 12)
    picture[height // 2 : height // 2 + 6, at : at + 6] = 250
    return picture


@pytest.fixture(scope="session")
def make_clip():
    """Writes a clip: pictures at given ticks, sound tracks, tags; everything has a default."""

    def make(
        path,
        ticks=range(0, 1000, 40),
        base=Fraction(1, 1000),
        size=(64, 48),
        codec="libx264",
        options=None,
        pix_fmt="yuv420p",
        picture=block_picture,
        sounds=(),
        display=None,
        aspect=None,
        tags=None,
        language=None,
        color=None,
        flags=0,
        subtitles=(),
        container_options=None,
    ) -> Path:
        ticks = list(ticks)
        with av.open(str(path), "w", container_options=container_options or {}) as out:
            out.metadata.update(tags or {})
            stream = out.add_stream(
                codec, rate=25, options=options if options is not None else {"crf": "10"}
            )
            stream.width, stream.height, stream.pix_fmt = *size, pix_fmt
            stream.codec_context.time_base = base
            stream.time_base = base
            if flags:
                stream.codec_context.flags |= flags
            if aspect:
                stream.codec_context.sample_aspect_ratio = aspect
            if display:
                stream.set_display_matrix(display)
            for name, value in (color or {}).items():
                setattr(stream.codec_context, name, value)
            if language:
                stream.metadata["language"] = language
            tracks = [_sound(out, **sound) for sound in sounds]
            texts = _texts(out, subtitles)
            for number, tick in enumerate(ticks):
                rgb = picture(number, *size)
                frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(
                    format=pix_fmt, dst_colorspace="ITU601"
                )
                frame.pts, frame.time_base = tick, base
                if flags:
                    _mark_interlaced(frame)
                out.mux(stream.encode(frame))
            out.mux(stream.encode(None))
            for track in tracks:
                track()
            for packet in texts:
                out.mux(packet)
        return Path(path)

    return make


def _mark_interlaced(frame):
    if hasattr(frame, "interlaced_frame") and not frame.interlaced_frame:
        try:
            frame.interlaced_frame = True
        except AttributeError:
            return


def _sound(out, wave, rate, start=0.0, codec="aac", language=None, title=None, gap=None):
    """Adds a track; the function it gives encodes it. `gap` leaves out (from, to) seconds."""
    wave = np.atleast_2d(wave)
    stream = out.add_stream(codec, rate=rate)
    stream.layout = "mono" if len(wave) == 1 else "stereo"
    if language:
        stream.metadata["language"] = language
    if title:
        stream.metadata["title"] = title

    def encode():
        size = 1024
        for first in range(0, wave.shape[1], size):
            if gap and gap[0] <= first / rate < gap[1]:
                continue
            part = np.ascontiguousarray(wave[:, first : first + size], np.float32)
            frame = av.AudioFrame.from_ndarray(part, format="fltp", layout=stream.layout.name)
            frame.sample_rate = rate
            frame.pts, frame.time_base = first + round(start * rate), Fraction(1, rate)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))

    return encode


def _texts(out, subtitles):
    if not subtitles:
        return []
    stream = out.add_stream("srt")
    stream.codec_context.subtitle_header = b"[Script Info]\n\n[V4+ Styles]\n\n[Events]\n"
    stream.codec_context.time_base = stream.time_base = Fraction(1, 1000)
    packets = []
    for begin, end, text in subtitles:
        packet = av.Packet(text.encode())
        packet.stream = stream
        packet.time_base = Fraction(1, 1000)
        packet.pts = packet.dts = round(begin * 1000)
        packet.duration = round((end - begin) * 1000)
        packets.append(packet)
    return packets


@pytest.fixture(scope="session")
def made_data(tmp_path_factory) -> Path:
    """A data folder in the layout of the real one: noise for photos, tones for recordings, and
    random weights in the shape of the pretrained ones."""
    root = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    _photos(root, rng)
    _recordings(root, rng)
    _weights(root)
    return root


def _photos(root, rng):
    from PIL import Image

    rows = []
    for number in range(16):
        things = [
            {"label": "dog", "box": [0.1, 0.2, 0.5, 0.9]},
            {"label": ("person", "clock")[number % 2], "box": [0.55, 0.1, 1.0002, 0.6]},
        ]
        # Every fourth is held out: a dog, a person, both, a person.
        kept = things if number % 4 or number == 8 else things[number % 8 // 4 :][:1]
        licence = ("Attribution License", "Attribution-NonCommercial-NoDerivs License")[
            number % 5 == 3
        ]
        rows.append({"source": "coco2017", "objects": kept, "licence": licence})
    for label in ("Faces", "dalmatian", "pizza"):
        box = [[0.2, 0.2, 0.8, 0.7]] if label != "pizza" else []
        rows.append({"source": "caltech101", "label": label, "boxes": box, "licence": "CC BY 4.0"})
    terms = "ImageNet terms (research)"
    for index in (207, 409, 999):
        row = {"source": "imagenet-sample-images", "label": "x", "imagenet_index": index}
        rows.append({**row, "boxes": [], "licence": terms})
    rows.append({"source": "ImageHear", "label": "cat", "boxes": [], "licence": "unknown"})
    (root / "images").mkdir()
    for number, row in enumerate(rows):
        row["file"] = f"images/{number:02}.{('png', 'jpg')[number % 2]}"
        coarse = Image.fromarray(rng.integers(0, 256, (6, 8, 3), np.uint8))
        coarse.resize((96, 72)).save(root / row["file"])
    (root / "images.json").write_text(json.dumps(rows))


def _recordings(root, rng):
    import soundfile

    rows = []
    for fold in (1, 2, 3, 4):
        for label in ("dog bark", "baby cry", "clock tick"):
            rows.append({"label": label, "source": "ESC-10", "fold": fold, "licence": "CC BY 3.0"})
    for number in (7, 7, 30, 200, 1000, 2000):
        row = {"label": "car horn", "source": "UrbanSound8K", "fold": 1, "number": number}
        rows.append({**row, "licence": "CC BY-NC 3.0"})
    rows.append(
        {
            "label": "banjo",
            "source": "Philharmonia samples",
            "licence": "free use, not resold as is",
        }
    )
    rows.append(
        {
            "label": "lion roar",
            "source": "Animal-Sound-Dataset",
            "licence": "unknown (research only)",
        }
    )
    (root / "sounds").mkdir()
    for number, row in enumerate(rows):
        row["file"] = f"sounds/{row.pop('number', 1)}-{number}.{('ogg', 'wav')[number % 2]}"
        wave = _tone(0.5 + 0.3 * (number % 4), 16_000, 200 + 97 * number)
        noise = 0.05 * rng.standard_normal(len(wave))
        soundfile.write(root / row["file"], wave + noise, 16_000)
    (root / "sounds.json").write_text(json.dumps(rows))


def _weights(root):
    import torch
    from safetensors.torch import save_file

    from avloc.data.synthetic_classes import CLASSES
    from avloc.models.mobile import mobilenet_v2, mobilenet_v3
    from avloc.models.pretrained import timm_names, torchvision_names

    torch.manual_seed(0)
    image, sound = mobilenet_v2(), mobilenet_v3()
    with torch.no_grad():  # give the norms statistics, or nothing comes out at the end
        for network, example in ((image, (4, 3, 64, 64)), (sound, (4, 1, 128, 64))):
            for module in network.modules():
                if isinstance(module, torch.nn.BatchNorm2d):
                    module.momentum = None
            network.train()(torch.randn(example))
    tensors = _under(image, timm_names(image))
    tensors |= {"classifier.weight": torch.randn(1001, 1280), "classifier.bias": torch.zeros(1001)}
    heard = _under(sound, torchvision_names(sound))
    heard |= {
        "classifier.0.weight": torch.randn(512, 384) / 20,
        "classifier.0.bias": torch.zeros(512),
    }
    heard |= {
        "classifier.3.weight": torch.randn(527, 512) / 20,
        "classifier.3.bias": torch.zeros(527),
    }
    (root / "weights").mkdir()
    save_file(tensors, root / "weights/image_mobilenetv2_100_imagenet.safetensors")
    save_file(heard, root / "weights/audio_mobilenetv3_large_w040_audioset.safetensors")
    known = [kind.audioset[0] for kind in CLASSES.values()]
    names = known + [f"sound {i}" for i in range(len(known), 527)]
    (root / "weights/labels.json").write_text(json.dumps({"audioset": names}))


def _under(network, names):
    """The weights of a network under the names that another library gives them."""
    state = network.state_dict()
    found = {}
    for ours, theirs in names:
        conv, _, norm = theirs.partition("|")
        pairs = [(f"{ours}.conv", conv), (f"{ours}.norm", norm)] if norm else [(ours, conv)]
        for prefix, name in pairs:
            for key in [key for key in state if key.rpartition(".")[0] == prefix]:
                if not key.endswith("num_batches_tracked"):
                    found[f"{name}.{key.rpartition('.')[2]}"] = state[key].contiguous()
    return found
