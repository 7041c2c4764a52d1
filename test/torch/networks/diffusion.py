"""Diffusion: a U-Net with time embedding and attention that predicts the noise (Ho et al., 2020).

forward(images, noise, time steps) is the loss: the draws belong to the batch, so that they are the same on every device.
"""

import math

import torch
from torch import nn
from torch.nn import functional


class TimedResidual(nn.Module):
    def __init__(self, c_in, c_out, time):
        super().__init__()
        self.before = nn.Sequential(nn.GroupNorm(4, c_in), nn.SiLU(), nn.Conv2d(c_in, c_out, 3, padding=1))
        self.time = nn.Sequential(nn.SiLU(), nn.Linear(time, c_out))
        self.after = nn.Sequential(nn.GroupNorm(4, c_out), nn.SiLU(), nn.Dropout(0), nn.Conv2d(c_out, c_out, 3, padding=1))
        self.shortcut = nn.Conv2d(c_in, c_out, 1) if c_in != c_out else nn.Identity()

    def forward(self, x, time):
        return self.shortcut(x) + self.after(self.before(x) + self.time(time)[:, :, None, None])


class PixelAttention(nn.Module):
    def __init__(self, channels, heads=2):
        super().__init__()
        self.norm, self.heads = nn.GroupNorm(4, channels), heads
        self.qkv, self.out = nn.Conv2d(channels, 3 * channels, 1), nn.Conv2d(channels, channels, 1)

    def forward(self, x):
        n, c, h, w = x.shape
        q, k, v = self.qkv(self.norm(x)).reshape(n, 3, self.heads, c // self.heads, h * w).mT.unbind(1)
        return x + self.out(functional.scaled_dot_product_attention(q, k, v).mT.reshape(n, c, h, w))


class Diffusion(nn.Module):
    def __init__(self, width=16, steps=100):
        super().__init__()
        time = 4 * width
        self.width = width
        self.register_buffer("kept", torch.linspace(1e-4, 0.02, steps).neg().add(1).cumprod(0))
        self.embed = nn.Sequential(nn.Linear(width, time), nn.SiLU(), nn.Linear(time, time))
        self.enter = nn.Conv2d(3, width, 3, padding=1)
        self.first = TimedResidual(width, width, time)
        self.down = nn.Conv2d(width, width, 3, 2, 1)
        self.second = TimedResidual(width, 2 * width, time)
        self.middle = nn.ModuleList([TimedResidual(2 * width, 2 * width, time), TimedResidual(2 * width, 2 * width, time)])
        self.attention = PixelAttention(2 * width)
        self.third = TimedResidual(4 * width, 2 * width, time)
        self.up = nn.Conv2d(2 * width, width, 3, padding=1)
        self.fourth = TimedResidual(2 * width, width, time)
        self.leave = nn.Sequential(nn.GroupNorm(4, width), nn.SiLU(), nn.Conv2d(width, 3, 3, padding=1))

    def forward(self, image, noise, step):
        kept = self.kept[step][:, None, None, None]
        x = kept.sqrt() * image + (1 - kept).sqrt() * noise
        half = self.width // 2
        rates = torch.exp(torch.arange(half, device=step.device, dtype=image.dtype) * (-math.log(1e4) / half))
        angles = step[:, None] * rates
        time = self.embed(torch.cat([angles.sin(), angles.cos()], 1))
        a = self.first(self.enter(x), time)
        b = self.second(self.down(a), time)
        x = self.middle[1](self.attention(self.middle[0](b, time)), time)
        x = self.third(torch.cat([x, b], 1), time)
        x = self.up(functional.interpolate(x, scale_factor=2, mode="nearest"))
        x = self.fourth(torch.cat([x, a], 1), time)
        return functional.mse_loss(self.leave(x), noise)
