"""Matrix products."""

from __future__ import annotations

import torch

from oncilla_bench.kinds import Values, kind
from oncilla_bench.parameters import one_of, size
from oncilla_bench.workload import Workload, normal, pure, with_gradients


def _operand(rows: int, columns: int, batch: int, layout: str, v: Values, seed: int) -> torch.Tensor:
    """Lie in memory as `layout` says: n as it is used, t transposed."""
    shape = (columns, rows) if layout == "t" else (rows, columns)
    return normal(*((batch, *shape) if batch > 1 else shape), dtype=v.dtype, seed=seed)


@kind("matmul", m=size(), n=size(), k=size(), batch=size(1), a=one_of("n", "t", default="n"), b=one_of("n", "t", default="n"))
def matmul(v: Values) -> Workload:
    """Product of m x k and k x n, `batch` times; a=t: the left operand lies transposed."""
    left = _operand(v.m, v.k, v.batch, v.a, v, 1)
    right = _operand(v.k, v.n, v.batch, v.b, v, 2)

    def run(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return torch.matmul(x.mT if v.a == "t" else x, y.mT if v.b == "t" else y)

    elements = v.batch * (v.m * v.k + v.k * v.n + v.m * v.n)
    return pure(run, left, right, flops=2.0 * v.batch * v.m * v.n * v.k, moved=elements * left.element_size())


@kind(
    "linear",
    n=size(),
    i=size(),
    o=size(),
    act=one_of("none", "relu", "gelu", default="none"),
    grad=one_of("no", "yes", default="no"),
)
def linear(v: Values) -> Workload:
    """A layer with bias over n rows, i to o features, and an activation; grad=yes: its backward too."""
    x, w, b = (normal(*s, dtype=v.dtype) for s in ((v.n, v.i), (v.o, v.i), (v.o,)))
    w /= v.i**0.5
    act = {"none": lambda y: y, "relu": torch.relu, "gelu": torch.nn.functional.gelu}[v.act]

    def run(x: torch.Tensor, w: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return act(torch.nn.functional.linear(x, w, b))

    flops = 2.0 * v.n * v.i * v.o
    moved = (v.n * v.i + v.o * v.i + v.n * v.o) * x.element_size()
    return with_gradients(run, x, w, b, flops=3 * flops) if v.grad == "yes" else pure(run, x, w, b, flops=flops, moved=moved)
