"""The path that nn.TransformerEncoder and nn.MultiheadAttention take in inference."""

import copy

import pytest
import torch
from common import assert_same, draw
from torch import nn


@pytest.mark.parametrize("norm_first", [False, True])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_encoder_in_inference(activation, norm_first):
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(16, 4, 32, batch_first=True, activation=activation, norm_first=norm_first)
    encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=not norm_first).eval()
    moved = copy.deepcopy(encoder).to("ocl")
    x = draw((3, 5, 16))
    padding = torch.arange(5) >= torch.tensor([[5], [3], [4]])
    with torch.inference_mode():
        for options in ({}, {"mask": nn.Transformer.generate_square_subsequent_mask(5)}, {"src_key_padding_mask": padding}):
            got = moved(x.to("ocl"), **{key: value.to("ocl") for key, value in options.items()}).cpu()
            wanted = encoder(x, **options)
            if "src_key_padding_mask" in options:  # the CPU leaves zeros where nothing is
                got, wanted = got[~padding], wanted[~padding]
            assert_same(got, wanted)


def test_attention_in_inference():
    torch.manual_seed(0)
    attention = nn.MultiheadAttention(16, 4, batch_first=True).eval()
    moved, x = copy.deepcopy(attention).to("ocl"), draw((3, 5, 16))
    padding = torch.arange(5) >= torch.tensor([[5], [3], [4]])
    with torch.inference_mode():
        for average in (True, False):
            on_ocl = x.to("ocl")
            got = moved(on_ocl, on_ocl, on_ocl, key_padding_mask=padding.to("ocl"), average_attn_weights=average)
            assert_same(got, attention(x, x, x, key_padding_mask=padding, average_attn_weights=average))
