"""Degraded pictures stay pictures of the same thing, and are worse."""

import numpy as np

from avloc.data.degrading import _compressed, _exposed, _softened, degraded


def stripes() -> np.ndarray:
    rows = np.where(np.arange(96) // 2 % 2, 220, 40).astype(np.uint8)
    return np.broadcast_to(rows[None, :, None], (64, 96, 3)).copy()


def detail(picture: np.ndarray) -> float:
    return float(np.abs(np.diff(picture.astype(float), axis=1)).mean())


def test_is_a_function_of_the_generator():
    first, second = (degraded(stripes(), np.random.default_rng(3)) for _ in range(2))
    assert np.array_equal(first, second)


def test_is_mostly_worse_and_always_the_same_size():
    made = [degraded(stripes(), np.random.default_rng(seed)) for seed in range(40)]
    assert {(one.shape, one.dtype.name) for one in made} == {((64, 96, 3), "uint8")}
    changed = [one for one in made if not np.array_equal(one, stripes())]
    assert len(changed) >= 30


def test_softening_takes_detail():
    assert detail(_softened(stripes(), 4)) < 0.2 * detail(stripes())


def test_exposure_keeps_the_order_of_greys():
    ramp = np.arange(256, dtype=np.uint8)[None, :, None].repeat(3, 2)
    dark, pale = _exposed(ramp, 2.0, 0.8), _exposed(ramp, 0.6, 1.0)
    assert (np.diff(dark[0, :, 0].astype(int)) >= 0).all()
    assert dark.mean() < ramp.mean() < pale.mean()


def test_compression_is_lossy_but_close():
    picture = stripes()
    error = np.abs(_compressed(picture, 10).astype(float) - picture).mean()
    assert 0.5 < error < 40
