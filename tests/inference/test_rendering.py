import numpy as np
import pytest

from avloc.inference import rendering
from avloc.inference.mapping import Mapped
from avloc.inference.rendering import Renderer
from avloc.inference.schedule import Step
from avloc.media.reader import Shown
from avloc.types import Heatmap


class Recorder:
    """A painter that notes what it was asked to draw."""

    def layer(self, heatmap):
        return heatmap.time

    def draw(self, frame, before, after, share, now):
        return now, before, after, share


@pytest.fixture(autouse=True)
def small_frames(monkeypatch):
    monkeypatch.setattr(rendering, "frame_bytes", lambda picture: 1)


def heatmap(time, shot=0):
    return Mapped(Heatmap(np.zeros((1, 1), np.float32), time, 1.0), shot)


def frame(time, shot=0, times=()):
    return Step(Shown(None, time), shot, times)


def mixed(drawn):
    """For every frame: its time, and the time its mixture of heatmaps stands for."""
    now, before, after, share = drawn.picture
    return now, before if after is None else before + share * (after - before)


def test_interpolates_between_neighbours():
    renderer = Renderer(Recorder(), 0.0)
    renderer.add_heatmap(heatmap(0.0))
    for time in (0.0, 0.05, 0.1, 0.15):
        renderer.add_frame(frame(time))
    assert [mixed(d)[0] for d in renderer.ready()] == [0.0]
    renderer.add_heatmap(heatmap(0.2))
    renderer.add_frame(frame(0.2))
    drawn = [mixed(d) for d in renderer.ready()]
    assert [now for now, _ in drawn] == [0.05, 0.1, 0.15, 0.2]
    assert [at for _, at in drawn] == pytest.approx([0.05, 0.1, 0.15, 0.2])


def test_never_across_a_cut():
    renderer = Renderer(Recorder(), 0.0)
    for mapped in (heatmap(0.0), heatmap(0.2), heatmap(0.3, 1), heatmap(0.4, 1)):
        renderer.add_heatmap(mapped)
    for time in (0.0, 0.1, 0.2, 0.25):
        renderer.add_frame(frame(time))
    for time in (0.3, 0.35, 0.45):
        renderer.add_frame(frame(time, 1))
    drawn = [mixed(d) for d in renderer.ready(all_known=True)]
    assert [at for _, at in drawn] == pytest.approx([0.0, 0.1, 0.2, 0.2, 0.3, 0.35, 0.4])


def test_holds_where_too_many_wait_and_goes_on_without_a_jump(monkeypatch):
    monkeypatch.setattr(rendering, "HARD_BYTES", 4)
    renderer = Renderer(Recorder(), 0.0)
    renderer.add_heatmap(heatmap(0.0))
    drawn = []
    for time in np.arange(0, 1.0, 0.1):
        renderer.add_frame(frame(float(time)))
        drawn += renderer.ready()
    assert len(drawn) > 3
    renderer.add_heatmap(heatmap(1.0))
    drawn += renderer.ready(all_known=True)
    at = [mixed(d)[1] for d in drawn]
    assert at == sorted(at)
    assert max(np.diff(at)) < 0.35


def test_tells_which_frame_shows_a_heatmap_first():
    renderer = Renderer(Recorder(), 0.0)
    for mapped in (heatmap(0.0), heatmap(0.2)):
        renderer.add_heatmap(mapped)
    for step in (frame(0.0, times=(0.0,)), frame(0.1), frame(0.2, times=(0.2,))):
        renderer.add_frame(step)
    told = [d.heatmap and d.heatmap.time for d in renderer.ready(all_known=True)]
    assert told == [0.0, None, 0.2]
