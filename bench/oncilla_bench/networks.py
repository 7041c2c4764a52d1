"""The networks of whole steps: those of test/torch/networks at full width, and the small ones that only a benchmark wants."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType

import torch
from torch import nn

HERE = Path(__file__).resolve().parent
# In an installation they come along; in a checkout they are the tests'.
FOLDERS = (HERE / "networks_of_tests", HERE.parents[1] / "test/torch/networks")


def module(name: str) -> ModuleType:
    """Import one of the tests' modules; they import one another by their bare names."""
    folder = next((f for f in FOLDERS if f.is_dir()), None)
    if folder is None:
        raise FileNotFoundError(f"no networks: neither {FOLDERS[0]} nor {FOLDERS[1]} is a folder")
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    return importlib.import_module(name)


def _draws() -> torch.Generator:
    return torch.Generator().manual_seed(7)


def _images(batch: int, channels: int, size: int, classes: int) -> Sequence[torch.Tensor]:
    g = _draws()
    return torch.randn(batch, channels, size, size, generator=g), torch.randint(classes, (batch,), generator=g)


def _words(batch: int, length: int, vocabulary: int) -> torch.Tensor:
    return torch.randint(3, vocabulary, (batch, length), generator=_draws())


def _mlp() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 256), nn.ReLU(), nn.Linear(256, 10))


def _mnist() -> nn.Module:
    """32C3-64C3-P2-128-10."""
    return nn.Sequential(
        *(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
        *(nn.Linear(64 * 12 * 12, 128), nn.ReLU(), nn.Linear(128, 10)),
    )


def _classifier(
    build: Callable[[], nn.Module], channels: int, size: int, classes: int
) -> Callable[[int], tuple[nn.Module, Sequence]]:
    return lambda batch: (module("vision").Classifier(build()), _images(batch, channels, size, classes))


def _unet(batch: int) -> tuple[nn.Module, Sequence[torch.Tensor]]:
    x = torch.randn(batch, 3, 128, 128, generator=_draws())
    return module("generative").UNet(width=32, depth=4), (x, (x[:, 0] > 0).long() + (x[:, 1] > 1).long())


def _bert(batch: int) -> tuple[nn.Module, Sequence[torch.Tensor]]:
    """Four layers of 256, four heads: BERT-mini, with an output tied to 8,192 words."""
    attention = module("attention")
    import transformers

    config = transformers.BertConfig(
        vocab_size=8192, hidden_size=256, num_hidden_layers=4, num_attention_heads=4, intermediate_size=1024, max_position_embeddings=128,
        hidden_dropout_prob=0, attention_probs_dropout_prob=0,
    )  # fmt: skip
    tokens = _words(batch, 128, 8192)
    net = attention.Loss(transformers.BertForMaskedLM(config), "input_ids", "attention_mask", "token_type_ids", "labels")
    return net, (tokens, torch.ones_like(tokens), torch.zeros_like(tokens), tokens.masked_fill(torch.arange(128) % 7 != 0, -100))


def _gpt(batch: int) -> tuple[nn.Module, Sequence[torch.Tensor]]:
    tokens = _words(batch, 128, 4096)
    return module("attention").gpt2(4096, 384, 6, 128), (tokens, tokens)


def _lstm(batch: int) -> tuple[nn.Module, Sequence[torch.Tensor]]:
    return module("recurrent").Recurrent(nn.LSTM, 4096, 256), (_words(batch, 64, 4096),)


def _resnet50() -> nn.Module:
    vision = module("vision")
    return vision.resnet(vision.Bottleneck, (3, 4, 6, 3), 64, 1000)


def _resnet18_small() -> nn.Module:
    """For 32 x 32 images: the first layer is 3 x 3 at stride 1, without pooling."""
    vision = module("vision")
    net = vision.resnet18(64)
    return nn.Sequential(vision.conv_bn(3, 64, 3), *list(net)[2:])


NETWORKS: dict[str, Callable[[int], tuple[nn.Module, Sequence[torch.Tensor]]]] = {
    "mlp": _classifier(_mlp, 1, 28, 10),
    "mnist_cnn": _classifier(_mnist, 1, 28, 10),
    "resnet18_32": _classifier(_resnet18_small, 3, 32, 10),
    "resnet50": _classifier(_resnet50, 3, 224, 1000),
    "vgg16": _classifier(lambda: module("vision").vgg16(64, 4096, 1000), 3, 224, 1000),
    "mobilenet_v3": _classifier(lambda: module("vision").mobilenet_v3_small(1.0, 1000), 3, 224, 1000),
    "densenet121": _classifier(lambda: module("vision").densenet121(32, 1000), 3, 224, 1000),
    "unet": _unet,
    "bert_small": _bert,
    "gpt_small": _gpt,
    "lstm": _lstm,
}


def make(name: str, batch: int) -> tuple[nn.Module, Sequence[torch.Tensor]]:
    """Build a network, the same weights every time, and a batch. Its forward(*batch) is the loss."""
    torch.manual_seed(0)
    return NETWORKS[name](batch)
