"""The two-stream network: a grid of image embeddings, a row of sound embeddings, their cosine."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from avloc.models.backbones import IMAGE_BACKBONES, SOUND_BACKBONES


@dataclass(frozen=True)
class NetworkConfig:
    """What a `TwoStream` is built from; stored in the header of its weights.

    Attributes:
        image: name in `IMAGE_BACKBONES`.
        sound: name in `SOUND_BACKBONES`.
        embedding: channels of the common space.
        hidden: units between image features and the common space.
        lateral: units of the branch that brings stride-16 detail into the grid.
        tag_hidden: units between sound features and class scores.
        tags: number of sound classes.
        window: seconds of sound that the sound network takes at once. Its squeeze-excitation
            pools over the whole input, so training and inference must agree on it.
        focus: seconds around the middle of a window that count as its moment (sigma of a
            Gaussian).
        area: pixels of the network's input, about; its shape follows the picture's.
    """

    image: str = "mobilenet_v2"
    sound: str = "mobilenet_v3_w04"
    embedding: int = 128
    hidden: int = 640
    lateral: int = 128
    tag_hidden: int = 512
    tags: int = 527
    window: float = 1.5
    focus: float = 0.2
    area: int = 288 * 288


class ImageHead(nn.Module):
    """Features at strides 32 and 16 -> embeddings (b, c, H/16, W/16), not normalised.

    The hidden units are thresholded directions (at the start: image classes), so that one sound
    class can be met by several looks. The bias of the last layer gives empty cells a direction of
    their own: a cosine then tells how much of a cell is object, which a bias-free one forgets.
    """

    def __init__(self, coarse: int, fine: int, hidden: int, lateral: int, embedding: int) -> None:
        super().__init__()
        self.looks = nn.Conv2d(coarse, hidden, 1)
        self.join = nn.Conv2d(hidden, embedding, 1)
        self.detail = nn.Conv2d(fine, lateral, 1)
        self.spread = nn.Conv2d(lateral, lateral, 3, padding=1, groups=lateral)
        self.refine = nn.Conv2d(lateral, embedding, 1)

    def forward(self, fine: Tensor, coarse: Tensor) -> Tensor:
        joined = self.join(functional.relu(self.looks(coarse)))
        detail = self.refine(functional.relu(self.spread(functional.relu(self.detail(fine)))))
        size = detail.shape[2:]
        return detail + functional.interpolate(joined, size, mode="bilinear", align_corners=False)


class Tagger(nn.Module):
    """Sound features (b, t, c) -> class logits (b, t, tags)."""

    def __init__(self, channels: int, hidden: int, tags: int) -> None:
        super().__init__()
        self.inner = nn.Linear(channels, hidden)
        self.outer = nn.Linear(hidden, tags)

    def forward(self, steps: Tensor) -> Tensor:
        return self.outer(functional.hardswish(self.inner(steps)))


class TwoStream(nn.Module):
    """Image backbone and sound backbone, each projected to one space.

    The sound embedding is a projection of the class probabilities at each time step and not of
    the features below them: what the sound network knows of a class reaches the common space
    also where no sound of that class is in the training data.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.image = IMAGE_BACKBONES[config.image]()
        self.sound = SOUND_BACKBONES[config.sound]()
        self.image_head = ImageHead(
            self.image.channels,
            self.image.fine_channels,
            config.hidden,
            config.lateral,
            config.embedding,
        )
        self.tagger = Tagger(self.sound.channels, config.tag_hidden, config.tags)
        self.sound_head = nn.Linear(config.tags, config.embedding)

    def see(self, frames: Tensor) -> Tensor:
        """Frames (b, 3, H, W), scaled to -1..1 -> unit embeddings (b, c, H/16, W/16)."""
        return functional.normalize(self.image_head(*self.image.pyramid(frames)), dim=1)

    def hear(self, spectrogram: Tensor) -> Tensor:
        """Log-mel windows (b, 1, f, t') -> class logits (b, t, tags), a step for 32 frames each.

        A step's features are averaged with those of its neighbours: a single step (0.3 s) is
        shorter than most sounds that the network was taught to name.
        """
        steps = self.sound(spectrogram).mean(2)
        steps = functional.avg_pool1d(steps, 3, 1, 1, count_include_pad=False).transpose(1, 2)
        return self.tagger(steps)

    def middle(self, logits: Tensor) -> Tensor:
        """What is heard in the middle of a window: logits (b, t, tags) -> probability (b, tags)."""
        steps = logits.shape[1]
        offset = (torch.arange(steps, device=logits.device) + 0.5) / steps - 0.5
        share = torch.softmax(-0.5 * (offset * self.config.window / self.config.focus) ** 2, 0)
        return torch.einsum("t,btk->bk", share, logits.sigmoid())

    def embed(self, probability: Tensor) -> Tensor:
        """Class probabilities (..., tags) -> unit embeddings (..., c)."""
        return functional.normalize(self.sound_head(probability), dim=-1)

    def strength(self, probability: Tensor) -> Tensor:
        """How much of what is heard could have a look: (..., tags) -> (...), about 1 for a dog.

        The length of what the classes add to the embedding of nothing; near 0 for noise.
        """
        return torch.linalg.vector_norm(probability @ self.sound_head.weight.T, dim=-1)


def correlate(cells: Tensor, sounds: Tensor) -> Tensor:
    """Cosine of every cell with one sound each: (b, c, h, w), (b, c) -> (b, h, w)."""
    return torch.einsum("bchw,bc->bhw", cells, sounds)
