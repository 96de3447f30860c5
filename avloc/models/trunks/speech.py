"""HuBERT, a speech network on plain waves, from torchaudio (Hsu et al. 2021, arXiv 2106.07447).

transformers has one, too, but is an extra, and names that may change lie behind its configurations.
"""

from __future__ import annotations

from typing import Any

from torch import nn
from torch.nn.utils import parametrize

HEAD = 64
"""Channels of each attention head."""

HOP = 320
"""Samples between its steps: 50 a second at 16 kHz."""


def hubert(width: int, depth: int, hidden: int, convolutions: int) -> nn.Module:
    """A HuBERT of the large kind: normalised in every layer, and before attention.

    Waves (b, n) at 16 kHz of mean 0 and deviation 1 -> (b, t, width) and None. The weights of its
    positional convolution are plain, not split into length and direction.

    Args:
        width: channels of its steps, a multiple of `HEAD`; 1024 in the published one.
        depth: layers of its transformer; 24.
        hidden: channels inside of each; 4096.
        convolutions: channels of its convolutions; 512.
    """
    from torchaudio.models import wav2vec2_model

    strides = [(10, 5), *[(3, 2)] * 4, *[(2, 2)] * 2]
    network: Any = wav2vec2_model(
        extractor_mode="layer_norm",
        extractor_conv_layer_config=[(convolutions, *pair) for pair in strides],
        extractor_conv_bias=True,
        encoder_embed_dim=width,
        encoder_projection_dropout=0.0,
        encoder_pos_conv_kernel=128,
        encoder_pos_conv_groups=16,
        encoder_num_layers=depth,
        encoder_num_heads=width // HEAD,
        encoder_attention_dropout=0.0,
        encoder_ff_interm_features=hidden,
        encoder_ff_interm_dropout=0.0,
        encoder_dropout=0.0,
        encoder_layer_norm_first=True,
        encoder_layer_drop=0.0,
        aux_num_out=None,
    )
    convolution = network.encoder.transformer.pos_conv_embed.conv
    parametrize.remove_parametrizations(convolution, "weight")
    return network
