"""What a case computes, in PyTorch: inputs on the CPU, a function, and how much work and traffic it is at least."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

DTYPE = {"f32": torch.float32, "f64": torch.float64, "f16": torch.float16, "bf16": torch.bfloat16}
# How far a result may be from the baseline's: the largest difference by the largest value. Wide enough for another order of summation over the longest
# sums of the tables, far too narrow for a wrong element.
TOLERANCE = {torch.float32: 1e-4, torch.float64: 1e-10, torch.float16: 1e-2, torch.bfloat16: 5e-2}

Call = Callable[[], Sequence[torch.Tensor]]
Wrap = Callable[[Any], Any]  # what torch.compile does to a function or a module


def same(thing: Any) -> Any:
    """Wrap nothing."""
    return thing


@dataclass
class Workload:
    """A case, ready to be placed on a device.

    Attributes
    ----------
    bind
        Of a device and a wrapper of functions: the call to time. The tensors that it returns stay on the device.
    flops, bytes
        Arithmetic and least traffic of one call; 0 where there is nothing to say.
    tolerance
        How far results may differ.
    checks
        How many first calls are compared.
    inputs
        Tensors on the CPU, for contestants that are not PyTorch.
    model
        The module of an inference, likewise.
    """

    bind: Callable[[str, Wrap], Call]
    flops: float = 0
    bytes: float = 0
    tolerance: float = 1e-4
    checks: int = 1
    inputs: Sequence[torch.Tensor] = ()
    model: torch.nn.Module | None = None


def normal(*size: int, dtype: str = "f32", seed: int = 0) -> torch.Tensor:
    """Draw a tensor; the shape is part of the seed, so that operands differ."""
    generator = torch.Generator().manual_seed(seed + 31 * math.prod(size) + len(size))
    return torch.randn(size, generator=generator).to(DTYPE[dtype])


def listed(result: Any) -> list[torch.Tensor]:
    """The tensors of what a function returned."""
    if isinstance(result, torch.Tensor):
        return [result]
    return [t for t in result if t is not None]


def traffic(tensors: Sequence[torch.Tensor]) -> float:
    """Bytes of these tensors, each touched once."""
    return float(sum(t.numel() * t.element_size() for t in tensors))


def pure(function: Callable[..., Any], *inputs: torch.Tensor, flops: float = 0, moved: float = 0) -> Workload:
    """Make a workload of a function of tensors that changes nothing; `moved` is in bytes, the inputs' where it is 0."""

    def bind(device: str, wrap: Wrap) -> Call:
        there = [t.to(device) for t in inputs]
        run = wrap(function)
        return lambda: listed(run(*there))

    return Workload(bind, flops, moved or traffic(inputs), tolerance(inputs), inputs=inputs)


def with_gradients(
    function: Callable[..., torch.Tensor],
    *inputs: torch.Tensor,
    flops: float = 0,
    moved: float = 0,
    constants: Sequence[torch.Tensor] = (),
) -> Workload:
    """Make a workload of forward and backward; gradients are those of `inputs`, `constants` follow them as arguments."""
    with torch.no_grad():
        out = function(*inputs, *constants)
    weight = normal(*out.shape, seed=5).to(out.dtype)

    def bind(device: str, wrap: Wrap) -> Call:
        there = [t.to(device).requires_grad_() for t in inputs]
        fixed = [t.to(device) for t in constants]
        grad = weight.to(device)
        run = wrap(function)

        def call() -> list[torch.Tensor]:
            result = run(*there, *fixed)
            return [result.detach(), *torch.autograd.grad(result, there, grad)]

        return call

    least = 3 * traffic(inputs) + 2 * traffic([out])
    return Workload(bind, flops, moved or least, tolerance(inputs), inputs=[*inputs, *constants])


def tolerance(inputs: Sequence[torch.Tensor]) -> float:
    """Return the tolerance of the coarsest floating dtype among these."""
    return max((TOLERANCE[t.dtype] for t in inputs if t.dtype in TOLERANCE), default=1e-4)
