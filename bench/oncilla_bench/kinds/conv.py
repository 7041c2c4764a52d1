"""Convolutions, in three directions."""

from __future__ import annotations

import torch

from oncilla_bench.kinds import Values, kind
from oncilla_bench.parameters import one_of, size
from oncilla_bench.workload import Workload, normal, pure

DIRECTIONS = ("fwd", "bwd-data", "bwd-weights")


@kind(
    "conv",
    dir=one_of(*DIRECTIONS),
    n=size(),
    c=size(),
    h=size(),
    w=size(0),
    k=size(),
    r=size(),
    s=size(0),
    stride=size(1),
    pad=size(0, least=0),
    dilation=size(1),
    groups=size(1),
)
def conv(v: Values) -> Workload:
    """Two dims: images n x c x h x w (w=h where left out), k filters of r x s (s=r)."""
    h, w, r, s = v.h, v.w or v.h, v.r, v.s or v.r
    x = normal(v.n, v.c, h, w, dtype=v.dtype)
    weight = normal(v.k, v.c // v.groups, r, s, dtype=v.dtype, seed=1)
    stride, pad, dilation = [v.stride] * 2, [v.pad] * 2, [v.dilation] * 2
    height, width = ((size + 2 * v.pad - v.dilation * (taps - 1) - 1) // v.stride + 1 for size, taps in ((h, r), (w, s)))
    if min(height, width) < 1 or v.c % v.groups or v.k % v.groups:
        raise ValueError("the taps do not fit the image, or the groups the channels")
    y = normal(v.n, v.k, height, width, dtype=v.dtype, seed=2)
    flops = 2.0 * y.numel() * weight[0].numel()
    moved = (x.numel() + weight.numel() + y.numel()) * x.element_size()
    if v.dir == "fwd":
        return pure(lambda x, f: torch.conv2d(x, f, None, stride, pad, dilation, v.groups), x, weight, flops=flops, moved=moved)

    mask = [v.dir == "bwd-data", v.dir == "bwd-weights", False]

    def backward(y: torch.Tensor, x: torch.Tensor, f: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        return torch.ops.aten.convolution_backward(y, x, f, None, stride, pad, dilation, False, [0, 0], v.groups, mask)

    return pure(backward, y, x, weight, flops=flops, moved=moved)
