"""What of a picture counts, told by what moves: the attention of HearTheFlow."""

from __future__ import annotations

import math

from torch import Tensor, nn


class FlowAttention(nn.Module):
    """Cells of a picture gather other cells whose motion fits them.

    Fedorishin et al. 2023, Hear The Flow (arXiv 2211.03019), section 3.2: queries and values come
    from the picture, keys from the optical flow.

    Args:
        channels: of both grids.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.query = nn.Conv2d(channels, channels // 8, 1)
        self.key = nn.Conv2d(channels, channels // 8, 1)
        self.value = nn.Conv2d(channels, channels, 1)

    def forward(self, cells: Tensor, motion: Tensor) -> Tensor:
        """Features of the picture and of its flow, (b, c, h, w) each -> (b, c, h, w)."""
        query, key = self.query(cells).flatten(2), self.key(motion).flatten(2)
        fit = (query.transpose(1, 2) @ key / math.sqrt(query.shape[1])).softmax(-1)
        gathered = self.value(cells).flatten(2) @ fit.transpose(1, 2)
        return gathered.unflatten(2, cells.shape[2:])
