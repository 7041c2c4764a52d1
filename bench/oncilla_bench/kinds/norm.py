"""Normalisations and softmax, forward and backward."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.nn import functional

from oncilla_bench.kinds import Values, kind
from oncilla_bench.parameters import one_of, shape, size
from oncilla_bench.workload import Workload, normal, pure, traffic, with_gradients

PASS = {"grad": one_of("no", "yes", default="no")}


def _either(v: Values, function: Callable[..., Any], *inputs: torch.Tensor, constants: Sequence[torch.Tensor] = ()) -> Workload:
    """With gradients where the case says so; the result is as large as the first input."""
    if v.grad == "yes":
        return with_gradients(function, *inputs, constants=constants)
    return pure(function, *inputs, *constants, moved=traffic(inputs) + traffic(inputs[:1]))


def _scale(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    return normal(count, seed=3), normal(count, seed=4)


@kind("batch_norm", shape=shape(), **PASS)
def batch_norm(v: Values) -> Workload:
    """Training mode, without running statistics."""
    return _either(
        v,
        lambda x, w, b: functional.batch_norm(x, None, None, w, b, training=True),
        normal(*v.shape, dtype=v.dtype),
        *_scale(v.shape[1]),
    )


@kind("layer_norm", shape=shape(), **PASS)
def layer_norm(v: Values) -> Workload:
    """Of the last dim."""
    return _either(
        v, lambda x, w, b: functional.layer_norm(x, x.shape[-1:], w, b), normal(*v.shape, dtype=v.dtype), *_scale(v.shape[-1])
    )


@kind("rms_norm", shape=shape(), **PASS)
def rms_norm(v: Values) -> Workload:
    """Of the last dim."""
    return _either(v, lambda x, w: functional.rms_norm(x, x.shape[-1:], w), normal(*v.shape, dtype=v.dtype), _scale(v.shape[-1])[0])


@kind("group_norm", shape=shape(), groups=size(), **PASS)
def group_norm(v: Values) -> Workload:
    """Of groups of channels."""
    return _either(
        v, lambda x, w, b: functional.group_norm(x, v.groups, w, b), normal(*v.shape, dtype=v.dtype), *_scale(v.shape[1])
    )


@kind("softmax", shape=shape(), log=one_of("no", "yes", default="no"), **PASS)
def softmax(v: Values) -> Workload:
    """Over the last dim; log=yes: its logarithm."""
    function = torch.log_softmax if v.log == "yes" else torch.softmax
    return _either(v, lambda x: function(x, -1), normal(*v.shape, dtype=v.dtype))


@kind("cross_entropy", n=size(), classes=size(), **PASS)
def cross_entropy(v: Values) -> Workload:
    """Mean over n rows of logits."""
    target = torch.randint(v.classes, (v.n,), generator=torch.Generator().manual_seed(1))
    return _either(v, functional.cross_entropy, normal(v.n, v.classes, dtype=v.dtype), constants=[target])
