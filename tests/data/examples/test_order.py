"""The same batches for any number of ranks, from any batch on."""

from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avloc.data.examples.order import Order
from avloc.errors import DataError, UsageError

SHAPES = st.tuples(st.integers(1, 5), st.integers(1, 4), st.integers(0, 30)).map(
    lambda s: (s[0] * s[1] + s[2], s[0] * s[1], s[1])
)
"""Examples, examples in a batch, ranks."""


@given(SHAPES, st.integers(0, 2**40), st.integers(0, 40))
def test_ranks_share_the_batch_of_one(shape, seed, step):
    length, batch, ranks = shape
    alone = next(iter(Order(length, batch, seed, start=step)))
    parts = [
        next(iter(Order(length, batch, seed, rank, ranks, start=step))) for rank in range(ranks)
    ]
    assert [place for part in parts for place in part] == alone
    assert {len(part) for part in parts} == {batch // ranks}


@given(SHAPES, st.integers(0, 1000), st.integers(0, 25))
def test_going_on_is_as_if_it_had_never_stopped(shape, seed, step):
    length, batch, _ = shape
    whole = list(Order(length, batch, seed, steps=step + 5))
    assert list(Order(length, batch, seed, start=step, steps=step + 5)) == whole[step:]
    assert len(Order(length, batch, seed, start=step, steps=step + 5)) == 5


@given(SHAPES, st.integers(0, 1000))
def test_an_epoch_takes_each_once_in_an_order_of_its_own(shape, seed):
    length, batch, _ = shape
    order = Order(length, batch, seed)
    for epoch in range(2):
        places = [
            p
            for part in islice(
                Order(length, batch, seed, start=epoch * order.epoch_steps), order.epoch_steps
            )
            for p in part
        ]
        assert {one for one, _ in places} == {epoch}
        indices = [index for _, index in places]
        assert len(set(indices)) == len(indices) == length // batch * batch
        assert set(indices) <= set(range(length))


def test_seeds_and_epochs_shuffle_otherwise():
    first, second = islice(Order(100, 100, 1), 2)
    other = next(iter(Order(100, 100, 2)))
    assert len({tuple(index for _, index in part) for part in (first, second, other)}) == 3


def test_what_cannot_be():
    with pytest.raises(DataError, match="7 clips do not fill a batch of 8"):
        Order(7, 8, 0)
    with pytest.raises(UsageError, match="split over 3 processes; take a multiple of 3, as 9"):
        Order(100, 10, 0, 0, 3)
