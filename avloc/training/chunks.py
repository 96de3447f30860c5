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
from torch.utils.checkpoint import checkpoint


def in_chunks(
    function: Callable[[Tensor], Tensor], inputs: Tensor, size: int, network: nn.Module
) -> Tensor:
    """`function(inputs)`, the first axis in chunks.

    Normalisation over the batch sees one chunk at a time, in the first pass and in the second, and
    its running statistics move in the first alone. Randomness is the same in both.

    Args:
        function: from inputs (b, ...) to embeddings (b, ...).
        size: rows of a chunk at most; 0: all at once, and nothing is computed twice.
        network: whose normalisation `function` uses.
    """
    if not size or len(inputs) <= size:
        return function(inputs)

    def contexts() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        return nullcontext(), _remembered(network)

    # Of like sizes: a rest of one clip would have no statistics.
    chunks = inputs.tensor_split(-(-len(inputs) // size))
    if not torch.is_grad_enabled():
        return torch.cat([function(chunk) for chunk in chunks])
    return torch.cat(
        [checkpoint(function, chunk, use_reentrant=False, context_fn=contexts) for chunk in chunks]
    )


@contextmanager
def _remembered(network: nn.Module) -> Iterator[None]:
    """The running statistics of `network` do not count what they meet, for they have met it.

    Copies of them do: a layer told to keep none saves other tensors for its gradient.
    """
    buffers = [
        (module, name, buffer)
        for module in network.modules()
        for name, buffer in module.named_buffers(recurse=False)
    ]
    for module, name, buffer in buffers:
        setattr(module, name, buffer.clone())
    try:
        yield
    finally:
        for module, name, buffer in buffers:
            setattr(module, name, buffer)
