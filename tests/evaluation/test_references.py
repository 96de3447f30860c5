"""What stands beside scores: hand loops, and FIELD's numbers from the authors' files."""

import numpy as np
import pytest

from avloc.data.benchmarks import read_benchmark
from avloc.evaluation.choosing import panel
from avloc.evaluation.own import OWN
from avloc.evaluation.protocols import HALF, PIXELS
from avloc.evaluation.references import (
    DRAWN,
    Masks,
    Ranking,
    best_half,
    best_size,
    canvases,
    disc,
)
from avloc.evaluation.run import evaluate
from avloc.evaluation.truth import rasterise


def truths():
    rng = np.random.default_rng(3)
    for count in (0, 1, 2, 3):
        for votes in (False, True):
            corners = np.sort(rng.random((count, 2, 2)), axis=1).reshape(count, 4)
            yield rasterise(corners, votes=votes)
    yield rasterise(np.array([[0, 0, 1, 1]]))
    yield rasterise(np.array([[0, 0, 1, 0.9], [0, 0.3, 1, 1]]), votes=True)


@pytest.mark.parametrize("truth", list(truths()))
def test_the_best_half_is_the_best_of_all_halves(truth):
    weight = truth.weight.ravel()
    mask = np.zeros(PIXELS, bool)
    mask[np.argsort(-weight, kind="stable")[:HALF]] = True
    assert best_half(truth) == pytest.approx(truth.ciou(mask.reshape(224, 224)))
    assert 0 <= best_size(truth) <= 1


@pytest.mark.parametrize("truth", list(truths()))
def test_many_masks_at_once_score_as_one_by_one(truth):
    rng = np.random.default_rng(0)
    masks = Masks()
    given = [rng.random((224, 224)) < share for share in (0, 0.1, 0.5, 1)]
    given += [truth.inside, given[1]]
    numbers = [masks.add(mask) for mask in given]
    assert numbers[1] == numbers[-1]
    found = masks.cious(truth)[numbers]
    assert found.tolist() == pytest.approx([truth.ciou(mask) for mask in given], nan_ok=True)


def test_the_disc_is_round():
    values = disc()
    assert values.max() <= 1
    assert values.min() == -1
    for turned in (values.T, values[::-1], values[:, ::-1]):
        assert np.array_equal(values, turned)
    y, x = np.mgrid[:224, :224] + 0.5 - 112
    order = np.argsort(-(np.hypot(x, y).ravel()), kind="stable")
    assert (np.diff(values.ravel()[order]) >= 0).all()


@pytest.mark.parametrize("name", DRAWN)
def test_references_score_as_their_maps_do(name):
    """Under avloc's own protocol, whose numbers references get by a shorter way."""
    for truth in list(truths())[2:]:
        for canvas in canvases(name)[:2]:
            view = canvas.view(OWN.kernel, OWN.scale)
            ranking = Ranking(view.values)
            slow = OWN.score(canvas, truth).values
            assert truth.ciou(ranking.first(truth.pixels)) == slow["true_size"]
            assert ranking.ap(truth.inside) == pytest.approx(slow["pixel_ap"], abs=0.003)


FIELD = {
    ("vggss", "ezvsl", "centre"): {"ciou": 34.0, "auc": 37.4},
    ("vggss", "ezvsl", "half_oracle"): {"ciou": 50.5, "auc": 49.5},
    ("vggss", "lvs", "centre"): {"ciou": 34.0, "auc": 37.4},
    ("flickr", "ezvsl", "centre"): {"ciou": 67.6, "auc": 54.3},
    ("flickr", "ezvsl", "half_oracle"): {"ciou": 94.4, "auc": 80.5},
    ("flickr", "ezvsl", "whole"): {"ciou": 48.0, "auc": 48.9},
    ("is3", "sslalign", "half_oracle"): {"ciou": 58.6, "auc": 55.5, "iiou": 30.5},
    ("is3", "sslalign", "centre"): {"ciou": 34.1, "auc": 39.4, "ciou_adap": 38.5},
    ("vpo-ss", "sslalign", "half_oracle"): {"ciou": 43.3, "auc": 39.5},
    ("vpo-ms", "sslalign", "half_oracle"): {"ciou": 39.2, "auc": 38.3},
    ("avsbench-s4", "sslalign", "half_oracle"): {"ciou": 58.9, "auc": 53.8},
    ("avsbench-ms3", "sslalign", "half_oracle"): {"ciou": 52.5, "auc": 48.1},
}


@pytest.fixture(scope="module")
def published(data_dir):
    """References on the authors' files, by list and protocol, each worked out once."""
    kept = {}

    def of(name, protocol):
        if name not in kept:
            names = [p for n, p, _ in FIELD if n == name]
            listed = read_benchmark(name, data_dir)
            kept[name] = evaluate(None, listed, panel(list(dict.fromkeys(names)), listed))
        return kept[name].protocols[protocol].baselines

    return of


@pytest.mark.parametrize(("name", "protocol", "reference"), list(FIELD))
def test_published_references_come_out_of_the_lists_alone(published, name, protocol, reference):
    found = published(name, protocol)[reference]
    for metric, value in FIELD[name, protocol, reference].items():
        assert round(100 * found[metric], 1) == value
