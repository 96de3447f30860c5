"""Spreading items changes nothing but the time."""

import itertools
import os

import pytest

from avloc.errors import DataError
from avloc.evaluation.spreading import CHUNK, spread


def square(number: int) -> tuple[int, int]:
    if number == 3 * CHUNK + 1:
        raise DataError(f"{number}: no such thing")
    return number * number, os.getpid()


@pytest.mark.parametrize("processes", [False, True])
@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("count", [0, 1, CHUNK, 3 * CHUNK])
def test_order_is_kept(count, workers, processes):
    found = [value for value, _ in spread(square, iter(range(count)), workers, processes)]
    assert found == [number * number for number in range(count)]


def test_processes_are_others():
    if not hasattr(os, "fork"):
        pytest.skip("this system cannot fork")
    places = {where for _, where in spread(square, iter(range(3 * CHUNK)), 2, processes=True)}
    assert len(places - {os.getpid()}) >= 1


@pytest.mark.parametrize("processes", [False, True])
def test_errors_arrive(processes):
    with pytest.raises(DataError, match="193: no such thing"):
        list(spread(square, iter(range(9 * CHUNK)), 2, processes))


@pytest.mark.parametrize("processes", [False, True])
def test_inputs_are_not_read_ahead_without_end(processes):
    read = itertools.count()
    results = spread(abs, read, 2, processes)
    for _ in range(10):
        next(results)
    assert next(read) <= 8 * CHUNK
    results.close()
