"""A batch spread over processes has the loss and the gradient of the same batch on one."""

import threading
from dataclasses import replace

import pytest
import torch

from avloc.objectives import OBJECTIVES
from avloc.objectives.several import Several
from avloc.options import configured

N, C = 6, 8
OPTIONS = {
    "alignment": {"channels": C},
    "senocak2018": {"channels": C, "features": C},
    "denseav": {"heads": 2},
    "ssltie": {"side": 32},
}


class Exchange:
    """Joins what threads bring, in their order, as processes would; gradient flows to each."""

    def __init__(self, count):
        self.barrier = threading.Barrier(count, timeout=60)
        self.brought = [None] * count

    def gather(self, place):
        def join(tensor):
            self.brought[place] = tensor
            self.barrier.wait()
            joined = torch.cat(self.brought)
            self.barrier.wait()
            return joined

        return join


def part(pairs, rows, gather):
    """What the process with these rows has of a batch: its pictures, all sounds."""
    return replace(
        pairs,
        maps=pairs.maps[rows],
        cells=pairs.cells[rows],
        offset=rows.start,
        gather=gather,
        extras={k: x if k in OF_SOUNDS else x[rows] for k, x in pairs.extras.items()},
        views={k: part(view, rows, gather) for k, view in pairs.views.items()},
    )


OF_SOUNDS = ("sound_features", "heard", "spliced")


def together(objective, pairs, sizes):
    """The mean of the losses of threads that have `sizes` pictures each."""
    exchange = Exchange(len(sizes))
    starts = [sum(sizes[:k]) for k in range(len(sizes))]
    losses = [None] * len(sizes)

    def work(place):
        rows = slice(starts[place], starts[place] + sizes[place])
        losses[place] = objective(part(pairs, rows, exchange.gather(place))).total

    threads = [threading.Thread(target=work, args=(k,)) for k in range(len(sizes))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return torch.stack(losses).mean()


def same(objective, made):
    pairs = made.pairs()
    of = [*made.leaves, *objective.parameters()]
    whole = objective(pairs).total
    slopes = torch.autograd.grad(whole, of, retain_graph=True, allow_unused=True)
    for sizes in ((3, 3), (2, 2, 2)):
        spread = together(objective, pairs, sizes)
        torch.testing.assert_close(spread, whole, rtol=1e-12, atol=1e-12)
        found = torch.autograd.grad(spread, of, retain_graph=True, allow_unused=True)
        for one, other in zip(found, slopes, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("strangers", [1, 3])
@pytest.mark.parametrize("name", OBJECTIVES)
def test_the_loss_is_that_of_one_process(name, strangers, made):
    torch.manual_seed(0)
    objective = configured(OBJECTIVES, name, **OPTIONS.get(name, {})).double()
    same(objective, made(N, C, (3, 4), strangers, 5 if name == "denseav" else None, 4))


def test_several_at_once(made):
    torch.manual_seed(0)
    parts = {
        "easy": (1.0, configured(OBJECTIVES, "ezvsl")),
        "yes": (0.3, configured(OBJECTIVES, "supervised")),
    }
    same(Several(parts).double(), made(N, C, (3, 4), 1))
