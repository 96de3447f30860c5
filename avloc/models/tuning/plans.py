"""What a recipe says of the towers and of the rates of their parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from avloc.errors import UsageError
from avloc.options import Amount, Options, Positive, Rule

Rank = Annotated[int, Rule("a whole number from 0", lambda n: n >= 0)]
Decay = Annotated[float, Rule("a number above 0, to 1", lambda v: 0 < v <= 1)]

ALL = ("all",)
"""As names of what is frozen: the whole tower."""


@dataclass(frozen=True)
class Adapting(Options):
    """Where one tower begins, and what of it is trained.

    Names are those that the trunk's own library gives its parts, such as ``layer1`` of a ResNet or
    ``blocks.0`` of a ViT.

    Attributes:
        weights: a file; ``timm`` for those that timm has for the trunk's name, ``timm:TAG`` for
            those of a tag (``tv_in1k``: torchvision's); ``hub:ID`` for a repository with a model of
            transformers; "": random.
        frozen: names of parts that are not trained, each with all below it; ``all`` alone: nothing
            of the tower is. Frozen parts compute as in evaluation, normalisation too.
        lora_rank: of the low-rank terms that are trained beside frozen weights; 0: none.
        lora_alpha: the terms count alpha / rank.
        lora_on: patterns of names of linear and convolution layers, with ``*`` and ``?``.
        norms: ``frozen``: normalisation keeps its statistics and parameters.
    """

    weights: str = ""
    frozen: tuple[str, ...] = ()
    lora_rank: Rank = 0
    lora_alpha: Positive = 8.0
    lora_on: tuple[str, ...] = ("*qkv", "*q_proj", "*v_proj", "*query", "*value")
    norms: Literal["train", "frozen"] = "train"

    def __post_init__(self) -> None:
        super().__post_init__()
        for word in ("frozen", "lora_on"):
            if not all(isinstance(name, str) and name for name in getattr(self, word)):
                raise UsageError(f"option {word}: expected names, got {getattr(self, word)!r}")


@dataclass(frozen=True)
class Tuning(Options):
    """Learning rates and weight decay.

    Attributes:
        rate: of what is neither tower: projections, heads, the objective.
        image_rate, sound_rate: of the towers, as multiples of `rate`.
        layer_decay: each layer below the last of a tower learns that much slower than the next;
            the last that much slower than what stands on it (Bao et al. 2021, BEiT,
            arXiv 2106.08254).
        weight_decay: per step, as the optimiser understands it.
        decay_norms: whether biases, norms and position embeddings decay, too.
    """

    rate: Positive = 1e-4
    image_rate: Amount = 1.0
    sound_rate: Amount = 1.0
    layer_decay: Decay = 1.0
    weight_decay: Amount = 0.0
    decay_norms: bool = True
