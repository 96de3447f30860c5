"""VGGish, which hears examples of a second each, and not one spectrogram."""

from __future__ import annotations

from torch import Tensor, nn

from avloc.models.trunks.plain import CHANNELS, plain_convolutions


class VGGish(nn.Module):
    """VGGish with two layers on top (Hershey et al. 2017, arXiv 1609.09430).

    (b, k, 1, 96, 64) log-mel examples -> (b, 128) and (b, 512), means over the k examples.
    """

    plain, channels = 128, CHANNELS

    def __init__(self) -> None:
        super().__init__()
        self.features = plain_convolutions(1, [64, 0, 128, 0, 256, 256, 0, 512, 512, 0])
        self.embeddings = nn.Sequential(
            nn.Linear(6 * 4 * 512, 4096),
            nn.ReLU(),
            nn.Linear(4096, 4096),
            nn.ReLU(),
            nn.Linear(4096, self.plain),
            nn.ReLU(),
        )
        self.top = nn.Sequential(
            nn.Linear(self.plain, 512), nn.ReLU(), nn.Linear(512, self.channels)
        )

    def forward(self, examples: Tensor) -> tuple[Tensor, Tensor]:
        count = examples.shape[1]
        # The layers above were made for channels last.
        grid = self.features(examples.flatten(0, 1)).permute(0, 2, 3, 1)
        plain = self.embeddings(grid.flatten(1))
        both = plain.unflatten(0, (-1, count)), self.top(plain).unflatten(0, (-1, count))
        return both[0].mean(1), both[1].mean(1)
