import numpy as np

from avloc.inference.keeping import Album
from avloc.types import Heatmap, Tag


def test_keeps_copies_of_all_sizes():
    generator = np.random.default_rng(0)
    album, given = Album(), []
    for number in range(700):
        size = (16, 30) if number < 600 else (8, 8)
        values = generator.normal(size=size).astype(np.float32)
        given.append((number / 5, values.copy()))
        album.add(Heatmap(values, number / 5, 0.5, (Tag("Dog", 0.9),)))
        values[:] = 0
    kept = album.heatmaps()
    assert [h.time for h in kept] == [time for time, _ in given]
    assert kept[3].tags == (Tag("Dog", 0.9),)
    for heatmap, (_, values) in zip(kept, given, strict=True):
        np.testing.assert_array_equal(heatmap.values, values)
