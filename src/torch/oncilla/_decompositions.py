"""PyTorch's own decompositions as kernels of the device: one row an overload.

A row is allowed where the decomposition is a few ops on the device, without a loop over elements or a look at values on the host, and gives the
CPU's numbers; everything else is a kernel in ``src/torch/ops``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

ROWS = ("channel_shuffle",)

_library: list[torch.library.Library] = []


def _overload(name: str) -> torch._ops.OpOverload:
    packet, _, overload = name.partition(".")
    return getattr(getattr(torch.ops.aten, packet), overload or "default")


def _find(name: str) -> Callable[..., Any]:
    """Return what a row runs."""
    from torch._decomp import decomposition_table

    return decomposition_table[_overload(name)]


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
