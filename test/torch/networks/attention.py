"""Transformers from Hugging Face's configurations, initialised at random: nothing is downloaded. Dropout and drop path are 0."""

from torch import nn
from transformers import (
    BertConfig,
    BertForMaskedLM,
    ConvNextConfig,
    ConvNextForImageClassification,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    SwinConfig,
    SwinForImageClassification,
    T5Config,
    T5ForConditionalGeneration,
    ViTConfig,
    ViTForImageClassification,
    WhisperConfig,
    WhisperForConditionalGeneration,
)

VOCABULARY = 64
# What the encoders bert and vit have in common.
ENCODER = {
    "hidden_size": 32,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "hidden_dropout_prob": 0,
    "attention_probs_dropout_prob": 0,
}


class Loss(nn.Module):
    """forward(*batch) is the loss that the model computes of keyword arguments of these names."""

    def __init__(self, model, *names):
        super().__init__()
        self.model, self.names = model, names

    def forward(self, *batch):
        return self.model(**dict(zip(self.names, batch, strict=True))).loss


def bert():
    """Masked words; a padding mask, segments, output tied to the embedding."""
    config = BertConfig(vocab_size=VOCABULARY, num_hidden_layers=2, max_position_embeddings=32, **ENCODER)
    return Loss(BertForMaskedLM(config), "input_ids", "attention_mask", "token_type_ids", "labels")


def gpt2(vocabulary=VOCABULARY, width=32, depth=2, positions=32):
    """Causal; Conv1D's transposed weights, tanh GELU, output tied to the embedding."""
    config = GPT2Config(
        vocab_size=vocabulary,
        n_positions=positions,
        n_embd=width,
        n_layer=depth,
        n_head=4,
        embd_pdrop=0,
        attn_pdrop=0,
        resid_pdrop=0,
        bos_token_id=None,
        eos_token_id=None,
    )
    return Loss(GPT2LMHeadModel(config), "input_ids", "labels")


def llama():
    """Rotary positions, RMS norm, gated feed-forward, four query heads on two key heads."""
    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=32,
    )
    return Loss(LlamaForCausalLM(config), "input_ids", "labels")


def t5():
    """Encoder and decoder, relative position biases in buckets, gated GELU (version 1.1)."""
    config = T5Config(
        vocab_size=VOCABULARY,
        d_model=32,
        d_kv=8,
        d_ff=64,
        num_layers=2,
        num_heads=4,
        relative_attention_num_buckets=8,
        relative_attention_max_distance=16,
        dropout_rate=0,
        feed_forward_proj="gated-gelu",
        decoder_start_token_id=0,
    )
    return Loss(T5ForConditionalGeneration(config), "input_ids", "attention_mask", "labels")


def whisper():
    """Spectrograms through strided 1-D convolutions, cross attention to words."""
    config = WhisperConfig(
        vocab_size=VOCABULARY,
        num_mel_bins=16,
        d_model=32,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        encoder_ffn_dim=64,
        decoder_ffn_dim=64,
        max_source_positions=32,
        max_target_positions=32,
        dropout=0,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
        decoder_start_token_id=1,
        suppress_tokens=None,
        begin_suppress_tokens=None,
    )
    return Loss(WhisperForConditionalGeneration(config), "input_features", "labels")


def vit():
    config = ViTConfig(image_size=32, patch_size=8, num_hidden_layers=3, num_labels=10, **ENCODER)
    return Loss(ViTForImageClassification(config), "pixel_values", "labels")


def swin():
    """Shifted windows with relative position bias, patch merging."""
    config = SwinConfig(
        image_size=32,
        patch_size=2,
        embed_dim=16,
        depths=[2, 2],
        num_heads=[2, 4],
        window_size=4,
        num_labels=10,
        hidden_dropout_prob=0,
        attention_probs_dropout_prob=0,
        drop_path_rate=0,
    )
    return Loss(SwinForImageClassification(config), "pixel_values", "labels")


def convnext():
    """Depthwise 7x7 convolutions, layer norm of channels, layer scale."""
    config = ConvNextConfig(
        hidden_sizes=[16, 32, 64, 128], depths=[1, 1, 2, 1], num_labels=10, drop_path_rate=0, layer_scale_init_value=0.1
    )
    return Loss(ConvNextForImageClassification(config), "pixel_values", "labels")
