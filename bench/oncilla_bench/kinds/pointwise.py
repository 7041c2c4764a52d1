"""Pointwise ops, chains of them, and reductions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional

from oncilla_bench.kinds import Values, kind
from oncilla_bench.parameters import one_of, shape
from oncilla_bench.workload import Workload, normal, pure, traffic, with_gradients

UNARY: dict[str, Callable[..., Any]] = {
    "abs": torch.abs,
    "exp": torch.exp,
    "gelu": functional.gelu,
    "log1p": lambda x: torch.log1p(x.abs()),
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "silu": functional.silu,
    "sin": torch.sin,
    "sqrt": lambda x: x.abs().sqrt(),
    "tanh": torch.tanh,
    "clamp": lambda x: x.clamp(-1, 1),
    "scale": lambda x: x * 1.5,
}
BINARY: dict[str, Callable[..., Any]] = {
    "add": torch.add,
    "div": lambda x, y: x / (y.abs() + 1),
    "maximum": torch.maximum,
    "mul": torch.mul,
    "lt": torch.lt,
}
# Chains of at least four pointwise ops, as networks and losses have them. The ops are PyTorch's, one by one: who can fuses them.
CHAINS: dict[str, tuple[int, Callable[..., Any]]] = {
    "bias_gelu_scale_residual": (2, lambda x, y: functional.gelu(x + 0.1) * 0.5 + y),
    "swish_gate": (2, lambda x, y: x * torch.sigmoid(x) * y + x),
    "tanh_gelu": (1, lambda x: 0.5 * x * (1 + torch.tanh(0.79788456 * (x + 0.044715 * x * x * x)))),
    "smooth_l1": (2, lambda x, y: torch.where((x - y).abs() < 1, 0.5 * (x - y) * (x - y), (x - y).abs() - 0.5)),
    "normalise_clip_tanh": (2, lambda x, y: torch.tanh(((x - 0.1) * 1.7 + y).clamp(-3, 3))),
    "eight_affine": (1, lambda x: (((x * 1.1 + 0.1) * 0.9 - 0.2) * 1.2 + 0.3) * 0.8 - 0.1),
}
REDUCTIONS: dict[str, Callable[..., Any]] = {
    "sum": torch.sum,
    "mean": torch.mean,
    "amax": torch.amax,
    "argmax": torch.argmax,
    "var": torch.var,
    "logsumexp": torch.logsumexp,
    "cumsum": torch.cumsum,
    "norm": lambda x, dim: torch.linalg.vector_norm(x, dim=dim),
}


@kind("unary", op=one_of(*UNARY), shape=shape(), layout=one_of("dense", "transposed", "strided", default="dense"))
def unary(v: Values) -> Workload:
    """One op; layout: of the input."""
    function = UNARY[v.op]
    if v.layout == "strided":
        x = normal(*v.shape[:-1], 2 * v.shape[-1], dtype=v.dtype)
        return pure(lambda x: function(x[..., ::2]), x, moved=traffic([x]))
    x = normal(*v.shape, dtype=v.dtype)
    view = (lambda x: function(x.mT)) if v.layout == "transposed" else function
    return pure(view, x, moved=2 * traffic([x]))


@kind("binary", op=one_of(*BINARY), shape=shape(), other=shape(()))
def binary(v: Values) -> Workload:
    """Two operands; other: the shape of the second, where it is broadcast."""
    x, y = normal(*v.shape, dtype=v.dtype), normal(*(v.other or v.shape), dtype=v.dtype, seed=1)
    return pure(BINARY[v.op], x, y, moved=2 * traffic([x]) + traffic([y]))


@kind("chain", op=one_of(*CHAINS), shape=shape(), grad=one_of("no", "yes", default="no"))
def chain(v: Values) -> Workload:
    """Several pointwise ops in a row; traffic is that of one fused kernel."""
    count, function = CHAINS[v.op]
    inputs = [normal(*v.shape, dtype=v.dtype, seed=i) for i in range(count)]
    if v.grad == "yes":
        return with_gradients(function, *inputs)
    return pure(function, *inputs, moved=traffic(inputs) + traffic(inputs[:1]))


@kind("reduce", op=one_of(*REDUCTIONS), shape=shape(), dim=one_of("first", "last", "all", default="last"))
def reduce(v: Values) -> Workload:
    """Over the first dim, the last one or all."""
    function, x = REDUCTIONS[v.op], normal(*v.shape, dtype=v.dtype)
    if v.dim == "all":
        if v.op in ("cumsum", "logsumexp"):
            raise ValueError(f"{v.op} wants a dim")
        run = (lambda x: function(x, None)) if v.op in ("norm", "argmax") else function
        return pure(run, x)
    dim = 0 if v.dim == "first" else -1
    return pure(lambda x: function(x, dim=dim), x, moved=traffic([x]) * (2 if v.op == "cumsum" else 1))
