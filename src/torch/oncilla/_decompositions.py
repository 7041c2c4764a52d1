"""PyTorch's own decompositions as kernels of the device: one row an overload.

A row is allowed where the decomposition is a few ops on the device, without a loop over elements or a look at values on the host, and gives the
CPU's numbers; everything else is a kernel in ``src/torch/ops``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

# Functional overloads run their decomposition, out= overloads the functional one, whatever serves it, and copy.
ROWS = (
    "_batch_norm_with_update.out",
    "_native_batch_norm_legit.no_stats_out",
    "_native_batch_norm_legit.out",
    "channel_shuffle",
    "narrow_copy.out",
    "native_batch_norm.out",
)

_library: list[torch.library.Library] = []


def _overload(name: str) -> torch._ops.OpOverload:
    packet, _, overload = name.partition(".")
    return getattr(getattr(torch.ops.aten, packet), overload or "default")


def _outputs(overload: torch._ops.OpOverload) -> list[str]:
    """Return the names of the arguments of an out= overload that it writes to."""
    return [a.name for a in overload._schema.arguments if a.is_out]


def _functional(overload: torch._ops.OpOverload) -> torch._ops.OpOverload:
    """Return the overload that takes what this one takes besides its outputs."""
    taken = [(a.name, str(a.type)) for a in overload._schema.arguments if not a.is_out]
    packet = overload._overloadpacket
    for name in packet.overloads():
        other = getattr(packet, name)
        if [(a.name, str(a.type)) for a in other._schema.arguments] == taken:
            return other
    raise LookupError(f"[ocl] {overload} has no functional overload")


def _copy_out(out: torch.Tensor, result: torch.Tensor) -> torch.Tensor:
    torch._check(
        out.device == result.device,
        lambda: f"Expected all tensors to be on the same device, but found {out.device} and {result.device}!",
    )
    torch._check(
        torch.can_cast(result.dtype, out.dtype),
        lambda: f"result type {result.dtype} can't be cast to the desired output type {out.dtype}",
    )
    if out.shape != result.shape:
        out.resize_(result.shape)
    return out.copy_(result)


def _find(name: str) -> Callable[..., Any]:
    """Return what a row runs."""
    overload = _overload(name)
    outputs = _outputs(overload)
    if not outputs:
        from torch._decomp import decomposition_table

        return decomposition_table[overload]
    functional = _functional(overload)

    def run(*args: Any, **kwargs: Any) -> Any:
        outs = [kwargs.pop(key) for key in outputs]
        results = functional(*args, **kwargs)
        if len(outs) == 1:
            return _copy_out(outs[0], results)
        return tuple(_copy_out(out, result) for out, result in zip(outs, results, strict=True))

    return run


def _kernel(name: str) -> Callable[..., Any]:
    """Return a kernel that looks for its decomposition at its first call, so that a row costs ``import torch`` some µs."""
    found: Callable[..., Any] | None = None

    def kernel(*args: Any, **kwargs: Any) -> Any:
        nonlocal found
        if found is None:
            found = _find(name)
        return found(*args, **kwargs)

    return kernel


def register() -> None:
    """Register all rows."""
    library = torch.library.Library("aten", "IMPL", "PrivateUse1")
    for name in ROWS:
        library.impl(name, _kernel(name))
    _library.append(library)  # it lives as long as its kernels
