"""The two streams: shapes, unit lengths, what counts as the middle of a window."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from avloc.models.two_stream import NetworkConfig, Tagger, TwoStream, correlate

CONFIG = NetworkConfig(embedding=12, hidden=10, lateral=4, tag_hidden=8, tags=5)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return TwoStream(CONFIG).eval()


@pytest.mark.parametrize(("height", "width"), [(64, 64), (32, 96)])
def test_a_cell_for_16_pixels_of_unit_length(network, height, width):
    with torch.no_grad():
        cells = network.see(torch.rand(2, 3, height, width) * 2 - 1)
    assert cells.shape == (2, 12, height // 16, width // 16)
    torch.testing.assert_close(cells.norm(dim=1), torch.ones(2, height // 16, width // 16))


@pytest.mark.parametrize(("frames", "steps"), [(201, 7), (64, 2), (32, 1)])
def test_a_step_of_sound_for_32_frames(network, frames, steps):
    with torch.no_grad():
        assert network.hear(torch.randn(3, 1, 128, frames)).shape == (3, steps, 5)


def test_steps_are_averaged_with_their_neighbours(network, monkeypatch):
    features = torch.randn(1, network.sound.channels, 4, 5)  # (b, c, f, t)
    monkeypatch.setattr(network.sound, "forward", lambda spectrogram: features)
    steps = features.mean(2)[0]  # (c, t)
    means = [steps[:, max(0, t - 1) : t + 2].mean(1) for t in range(5)]
    with torch.no_grad():
        heard = network.hear(torch.zeros(1, 1, 128, 160))[0]
        torch.testing.assert_close(heard, network.tagger(torch.stack(means)))


def test_middle_is_a_gaussian_mean_of_probabilities(network):
    logits = torch.randn(2, 7, 5)
    steps = CONFIG.window * ((np.arange(7) + 0.5) / 7 - 0.5)
    share = np.exp(-(steps**2) / (2 * CONFIG.focus**2))
    share /= share.sum()
    expected = np.zeros((2, 5))
    for b in range(2):
        for t in range(7):
            expected[b] += share[t] / (1 + np.exp(-logits[b, t].numpy().astype(float)))
    np.testing.assert_allclose(network.middle(logits).numpy(), expected, rtol=1e-5)


def test_a_wide_focus_hears_all_of_the_window():
    wide = TwoStream(replace(CONFIG, focus=1e4))
    logits = torch.randn(1, 6, 5)
    torch.testing.assert_close(wide.middle(logits), logits.sigmoid().mean(1))


def test_sounds_embed_to_unit_length(network):
    with torch.no_grad():
        sounds = network.embed(torch.rand(3, 2, 5))
    torch.testing.assert_close(sounds.norm(dim=-1), torch.ones(3, 2))


def test_strength_is_the_length_of_what_is_heard(network):
    probability = torch.rand(4, 5)
    with torch.no_grad():
        strength = network.strength(probability)
        heard = network.sound_head(probability) - network.sound_head.bias
    torch.testing.assert_close(strength, (heard**2).sum(-1).sqrt())
    assert float(network.strength(torch.zeros(5))) == 0


def test_correlation_is_a_dot_product_in_each_cell():
    cells, sounds = torch.randn(2, 4, 3, 5), torch.randn(2, 4)
    expected = torch.zeros(2, 3, 5)
    for b in range(2):
        for y in range(3):
            for x in range(5):
                expected[b, y, x] = sum(cells[b, c, y, x] * sounds[b, c] for c in range(4))
    torch.testing.assert_close(correlate(cells, sounds), expected)


def test_the_tagger_is_a_hardswish_network():
    tagger = Tagger(3, 4, 2)
    steps = torch.randn(6, 3)
    inner = steps @ tagger.inner.weight.T + tagger.inner.bias
    active = inner * torch.clamp(inner + 3, 0, 6) / 6
    expected = active @ tagger.outer.weight.T + tagger.outer.bias
    torch.testing.assert_close(tagger(steps), expected)
