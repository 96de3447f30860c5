"""The bundled model on scenes where two things sound strictly in turn."""

from avloc.evaluation.validation import on_turns, turning_scenes
from avloc.inference.localizer import Localizer
from avloc.inference.two_stream_engine import TwoStreamEngine


def test_the_map_follows_most_turns_within_half_a_second():
    """Most turns, of those it tells apart: late in the one and late in the next it is right."""
    localizer = Localizer(TwoStreamEngine.load(device="cpu"))

    def method(frame, wave, rate, time):
        return localizer.heatmap(frame, wave, rate, time).values

    found = on_turns(method, turning_scenes(20))
    assert found.told.sum() >= 5
    assert found.soon.sum() > found.told.sum() / 2
