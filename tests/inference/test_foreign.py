"""Items heard with other sounds: each kind is what it is called, and the rest is as without."""

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from avloc.data.benchmarks import read_benchmark
from avloc.data.benchmarks.media import with_media
from avloc.data.benchmarks.offscreen import offscreen
from avloc.inference.examining import examine, together
from avloc.inference.foreign import noise, silence, sounds
from avloc.inference.questions import own_sound


@pytest.fixture
def items(tmp_path, tone):
    """Three pictures of two classes, each sound louder than the one before."""
    import soundfile

    rows = []
    for number, label in enumerate(("dog", "dog", "cat")):
        Image.new("RGB", (32, 16), (200 - 50 * number,) * 3).save(tmp_path / f"i{number}.png")
        wave = tone(1.0, 8000) * (number + 1) / 4
        soundfile.write(tmp_path / f"i{number}.wav", wave, 8000)
        files = {"frame": f"i{number}.png", "sound": f"i{number}.wav"}
        rows.append({"id": f"i{number}", "label": label, "boxes": [[0, 0, 1, 1]], **files})
    (tmp_path / "benchmark.json").write_text(json.dumps(rows))
    return with_media(read_benchmark(tmp_path), tmp_path).items


def test_silence_and_noise(items):
    assert silence(items[0], 8000).shape == (24_000,)
    assert not silence(items[0], 8000).any()
    found = noise(items[0], 8000)
    assert found.dtype == np.float32
    assert (found.mean(), found.std()) == pytest.approx((0, 1), abs=0.03)
    assert np.array_equal(found, noise(items[0], 8000))
    assert not np.array_equal(found, noise(items[1], 8000))


def test_maps_under_other_sounds(fake_engine, items):
    heard = sounds(offscreen(items, "made"))
    parts = {kind: next(examine(fake_engine, items, sound=sound)) for kind, sound in heard.items()}
    own = next(examine(fake_engine, items))
    found = together(own, parts).maps
    for item in items:
        maps = found[item.id]
        assert np.array_equal(maps.values, own.maps[item.id].values)
        assert not maps.silence.any()  # the stand-in multiplies by the level
        luma = maps.noise.mean()
        assert luma == pytest.approx((200 - 50 * int(item.id[1])) / 255, rel=0.05)
        # As if the item had the other one's sound file.
        other = offscreen(items, "made")[item.id]
        swapped = replace(item, media={**item.media, "sound": other.media["sound"]})
        expected = next(examine(fake_engine, [swapped])).maps[item.id].values
        assert maps.offscreen == pytest.approx(expected)


def test_a_sound_that_cannot_be_read_is_told_of_its_picture(fake_engine, items, tmp_path):
    heard = sounds(offscreen(items, "made"))
    (tmp_path / "i2.wav").write_bytes(b"nothing")
    parts = {kind: next(examine(fake_engine, items, sound=sound)) for kind, sound in heard.items()}
    found = together(next(examine(fake_engine, items, sound=own_sound)), parts)
    assert found.maps == {}
    assert found.faults["i0"].startswith("offscreen: ")
    assert "i2.wav" in found.faults["i0"]
    assert not found.faults["i2"].startswith("offscreen: ")
