import pytest

from avloc.media.closing import Closing


class Recorded(Closing):
    def __init__(self):
        self.calls = []

    def close(self):
        self.calls.append("close")

    def abandon(self):
        self.calls.append("abandon")


def test_a_block_that_ends_well_closes():
    with Recorded() as thing:
        assert thing.calls == []
    assert thing.calls == ["close"]


def test_an_error_abandons_and_goes_on():
    thing = Recorded()
    with pytest.raises(KeyError), thing:
        raise KeyError
    assert thing.calls == ["abandon"]


def test_what_only_reads_is_closed_either_way():
    class Reader(Closing):
        closed = False

        def close(self):
            self.closed = True

    reader = Reader()
    with pytest.raises(KeyError), reader:
        raise KeyError
    assert reader.closed
