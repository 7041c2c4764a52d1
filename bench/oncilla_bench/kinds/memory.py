"""Copies, indexing, and what a launch costs."""

from __future__ import annotations

import torch
from torch.nn import functional

from oncilla_bench.kinds import Values, kind
from oncilla_bench.parameters import one_of, shape, size
from oncilla_bench.workload import DTYPE, Workload, normal, pure, traffic, with_gradients


@kind("copy", how=one_of("dense", "transpose", "strided", "cat", "to_f16", "to_f64", "channels_last", "fill"), shape=shape())
def copy(v: Values) -> Workload:
    """Copies within a device; transpose: of the last two dims."""
    x = normal(*v.shape, dtype=v.dtype)
    runs = {
        "dense": torch.clone,
        "transpose": lambda x: x.mT.contiguous(),
        "strided": lambda x: x[..., ::2].contiguous(),
        "cat": lambda x: torch.cat([x, x], -1),
        "to_f16": lambda x: x.to(torch.float16),
        "to_f64": lambda x: x.to(torch.float64),
        "channels_last": lambda x: x.contiguous(memory_format=torch.channels_last),
        "fill": lambda x: torch.full_like(x, 1.5),
    }
    factor = {"strided": 1.0, "cat": 3.0, "to_f16": 1.5, "to_f64": 3.0, "fill": 1.0}.get(v.how, 2.0)
    return pure(runs[v.how], x, moved=factor * traffic([x]))


@kind("transfer", to=one_of("device", "host"), elements=size())
def transfer(v: Values) -> Workload:
    """Between the host and the device; on the CPU it is a copy."""
    x = normal(v.elements, dtype=v.dtype)

    def bind(device: str, wrap: object) -> object:
        if v.to == "device":
            return lambda: [x.to(device, copy=True)]
        there = x.to(device)
        return lambda: [there.to("cpu", copy=True)]

    return Workload(bind, bytes=2 * traffic([x]), inputs=[x])


@kind("embedding", rows=size(), width=size(), words=size(), grad=one_of("no", "yes", default="no"))
def embedding(v: Values) -> Workload:
    """`words` rows of a table; grad=yes: the table's dense gradient too."""
    table = normal(v.rows, v.width, dtype=v.dtype)
    index = torch.randint(v.rows, (v.words,), generator=torch.Generator().manual_seed(1))
    moved = 2.0 * v.words * v.width * table.element_size()
    if v.grad == "yes":
        return with_gradients(lambda t, i: functional.embedding(i, t), table, constants=[index], moved=2 * moved + traffic([table]))
    return pure(lambda t, i: functional.embedding(i, t), table, index, moved=moved)


@kind("index", how=one_of("select", "gather", "scatter_add", "masked", "topk", "sort"), rows=size(), width=size())
def index(v: Values) -> Workload:
    """Reading and writing by index, and order, on rows x width."""
    x = normal(v.rows, v.width, dtype=v.dtype)
    generator = torch.Generator().manual_seed(1)
    rows = torch.randint(v.rows, (v.rows,), generator=generator)
    each = torch.randint(v.width, (v.rows, v.width), generator=generator)
    runs = {
        "select": (lambda x, i: x.index_select(0, i), (x, rows)),
        "gather": (lambda x, i: x.gather(1, i), (x, each)),
        "scatter_add": (lambda x, i: torch.zeros_like(x).index_add(0, i, x), (x, rows)),
        "masked": (lambda x: torch.where(x > 0, x, 0.0), (x,)),
        "topk": (lambda x: x.topk(min(8, v.width)).values, (x,)),
        "sort": (lambda x: x.sort(-1).values, (x,)),
    }
    function, inputs = runs[v.how]
    return pure(function, *inputs, moved=traffic(inputs) + traffic([x]))


@kind("launch", how=one_of("add", "views", "ten", "item", "empty", "matmul"))
def launch(v: Values) -> Workload:
    """Ops so small that only their cost on the host counts; item: the host waits for a number."""
    x, y = normal(16), normal(16, seed=1)
    square = normal(8, 8)

    def ten(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        for _ in range(10):
            x = x * 0.9 + y
        return x

    runs = {
        "add": (torch.add, (x, y)),
        "views": (lambda s: s.t()[1:5].unsqueeze(0).expand(3, -1, -1), (square,)),
        "ten": (ten, (x, y)),
        "item": (lambda x: torch.tensor(x.sum().item()), (x,)),
        "empty": (lambda x: torch.empty_like(x).fill_(1), (x,)),
        "matmul": (torch.mm, (square, square)),
    }
    function, inputs = runs[v.how]
    inputs = tuple(t.to(DTYPE[v.dtype]) for t in inputs)
    return pure(function, *inputs)
