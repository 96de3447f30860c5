"""Gradient caching: batches larger than memory, a chunk at a time.

Gao et al. 2021, Scaling Deep Contrastive Learning Batch Size under Memory Limited Setup
(arXiv 2101.06983): what a tower keeps for its gradient is thrown away after each chunk and computed
again, so that memory holds the activations of one chunk and the embeddings of all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint


def in_chunks(
    function: Callable[[Tensor], Tensor], inputs: Tensor, size: int, network: nn.Module
) -> Tensor:
    """`function(inputs)`, the first axis in chunks.

    Normalisation over the batch sees one chunk at a time, in the first pass and in the second, and
    its running statistics move in the first alone. Randomness is the same in both.

    Args:
        function: from inputs (b, ...) to embeddings (b, ...).
        size: rows of a chunk; 0: all at once, and nothing is computed twice.
        network: whose normalisation `function` uses.
    """
    if not size or len(inputs) <= size:
        return function(inputs)

    def contexts() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        return nullcontext(), _remembered(network)

    if not torch.is_grad_enabled():
        return torch.cat([function(chunk) for chunk in inputs.split(size)])
    return torch.cat(
        [
            checkpoint(function, chunk, use_reentrant=False, context_fn=contexts)
            for chunk in inputs.split(size)
        ]
    )


@contextmanager
def _remembered(network: nn.Module) -> Iterator[None]:
    """Batch normalisation of `network` does not count what it meets, for it has met it before."""
    norms = [m for m in network.modules() if isinstance(m, _BatchNorm) and m.track_running_stats]
    for norm in norms:
        norm.track_running_stats = False
    try:
        yield
    finally:
        for norm in norms:
            norm.track_running_stats = True
