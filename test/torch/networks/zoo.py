"""Every network of these tests by name: how it is built, and which batches it sees."""

from collections.abc import Callable
from dataclasses import dataclass

import attention
import detection
import diffusion
import generative
import graph
import recurrent
import torch
import vision
from torch import nn


def draws(seed):
    return torch.Generator().manual_seed(seed)


def images(seed, batch=4, size=32, classes=10):
    g = draws(seed)
    return torch.randn(batch, 3, size, size, generator=g), torch.randint(classes, (batch,), generator=g)


def words(seed, batch=4, length=16):
    """Sequences that can be learnt: each word follows from the one before, by a rule with exceptions."""
    g = draws(seed)
    out = [torch.randint(3, attention.VOCABULARY, (batch,), generator=g)]
    for _ in range(length - 1):
        stray = torch.randint(3, attention.VOCABULARY, (batch,), generator=g)
        follows = (out[-1] * 5 + 7) % (attention.VOCABULARY - 3) + 3
        out.append(torch.where(torch.rand(batch, generator=g) < 0.1, stray, follows))
    return torch.stack(out, 1)


def padding_mask(tokens):
    """The last quarter of every second sequence is padding."""
    mask = torch.ones_like(tokens)
    mask[::2, -(tokens.shape[1] // 4) :] = 0
    return mask


def masked_words(seed):
    tokens = words(seed)
    mask, segments = padding_mask(tokens), torch.zeros_like(tokens)
    segments[:, tokens.shape[1] // 2 :] = 1
    hidden = (torch.rand(tokens.shape, generator=draws(seed + 1)) < 0.2) & (mask == 1)
    hidden[:, 1] = True
    return tokens.masked_fill(hidden, 1), mask, segments, tokens.masked_fill(~hidden, -100)


def translation(seed):
    tokens = words(seed)
    mask = padding_mask(tokens)
    return tokens.masked_fill(mask == 0, 0), mask, tokens[:, :12].flip(1)


def speech(seed):
    return torch.randn(4, 16, 64, generator=draws(seed)), words(seed, length=12)


def segmentation(seed, size=32):
    x, _ = images(seed, 2, size)
    return x, (x[:, 0] > 0).long() + (x[:, 1] > 1).long()


def image_pairs(seed):
    g = draws(seed)
    return tuple(torch.rand(2, 3, 32, 32, generator=g) * 2 - 1 for _ in range(2))


def image_and_noise(seed, *shape):
    g = draws(seed)
    return torch.rand(4, 3, 32, 32, generator=g) * 2 - 1, torch.randn(shape, generator=g)


def image_noise_and_step(seed):
    image, noise = image_and_noise(seed, 4, 3, 32, 32)
    return image, noise, torch.randint(100, (4,), generator=draws(seed + 1))


def boxes(seed):
    """Three boxes an image, in columns of their own, so that no cell has two duties."""
    g = draws(seed)
    rows = []
    for image in range(2):
        for third in range(3):
            x, y, w, h = (
                torch.rand(4, generator=g) * torch.tensor([0.2, 0.8, 0.3, 0.3]) + torch.tensor([0.07 + third / 3, 0.1, 0.2, 0.2])
            ).tolist()
            rows.append([image, int(torch.randint(4, (), generator=g)), x, y, w, h])
    return torch.randn(2, 3, 64, 64, generator=g), torch.tensor(rows)


def a_graph(seed):
    g = draws(seed)
    features = torch.randn(40, 16, generator=g)
    # The last node has no edge that ends in it.
    edges = torch.stack([torch.randint(40, (160,), generator=g), torch.randint(39, (160,), generator=g)])
    return features, edges, torch.randint(5, (40,), generator=g), torch.rand(40, generator=g) < 0.6


@dataclass(frozen=True)
class Network:
    build: Callable[[], nn.Module]  # forward(*batch) of what it returns is the loss
    batch: Callable[[int], tuple[torch.Tensor, ...]]  # of a seed
    lr: float = 1e-3  # of AdamW; smaller where normalisation over small batches makes training chaotic
    steps: int = 50


def classifier(build):
    return Network(lambda: vision.Classifier(build()), lambda seed: images(seed, size=64), lr=1e-4)


NETWORKS = {
    "resnet18": classifier(vision.resnet18),
    "resnet50": classifier(vision.resnet50),
    "vgg16": classifier(vision.vgg16),
    "mobilenet_v3": classifier(vision.mobilenet_v3_small),
    "densenet121": classifier(vision.densenet121),
    "efficientnet_b0": classifier(vision.efficientnet_b0),
    "convnext": Network(attention.convnext, lambda seed: images(seed, size=64)),
    "vit": Network(attention.vit, images),
    "swin": Network(attention.swin, images),
    "unet": Network(generative.UNet, segmentation, lr=3e-4),
    "cyclegan": Network(generative.CycleGAN, image_pairs),
    "style_transfer": Network(generative.StyleTransfer, image_pairs),
    "dcgan": Network(generative.DCGAN, lambda seed: image_and_noise(seed, 4, 16, 1, 1)),
    "vae": Network(generative.VAE, lambda seed: image_and_noise(seed, 4, 8)),
    "diffusion": Network(diffusion.Diffusion, image_noise_and_step),
    "detector": Network(detection.Detector, boxes, lr=3e-4),
    "lstm": Network(lambda: recurrent.Recurrent(nn.LSTM), lambda seed: (words(seed),)),
    "gru": Network(lambda: recurrent.Recurrent(nn.GRU), lambda seed: (words(seed),)),
    "bert": Network(attention.bert, masked_words),
    "gpt2": Network(attention.gpt2, lambda seed: (words(seed),) * 2),
    "llama": Network(attention.llama, lambda seed: (words(seed),) * 2),
    "t5": Network(attention.t5, translation),
    "whisper": Network(attention.whisper, speech),
    "graph": Network(graph.GraphNetwork, a_graph),
}

# Large enough for the allocator's segments to be large ones; compared with the CPU by `pytest --long` alone.
LARGER = {
    "resnet50_large": Network(lambda: vision.Classifier(vision.resnet50(64)), lambda seed: images(seed, size=64), lr=1e-4),
    "unet_large": Network(lambda: generative.UNet(width=32, depth=4), lambda seed: segmentation(seed, 128), lr=1e-4),
    "gpt2_large": Network(lambda: attention.gpt2(4096, 384, 6, 128), lambda seed: (words(seed, 2, 128),) * 2),
}
