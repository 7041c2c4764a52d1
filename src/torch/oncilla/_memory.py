"""``torch.ocl.memory``: what the caching allocator holds and did. Names and keys are those of ``torch.cuda.memory``."""

from __future__ import annotations

import pickle
from typing import Any

import torch

from oncilla import _C
from oncilla._index import Device, device_index

__all__ = [
    "empty_cache",
    "get_per_process_memory_fraction",
    "max_memory_allocated",
    "max_memory_reserved",
    "mem_get_info",
    "memory_allocated",
    "memory_reserved",
    "memory_snapshot",
    "memory_stats",
    "memory_summary",
    "reset_accumulated_memory_stats",
    "reset_peak_memory_stats",
    "set_per_process_memory_fraction",
]

_fractions: dict[int, float] = {}


def memory_stats(device: Device = None) -> dict[str, Any]:
    """Return the counters of the caching allocator, with the keys of ``torch.cuda.memory_stats``."""
    return torch.accelerator.memory_stats(device_index(device))


def memory_allocated(device: Device = None) -> int:
    """Return the bytes of the blocks that live tensors occupy."""
    return memory_stats(device).get("allocated_bytes.all.current", 0)


def max_memory_allocated(device: Device = None) -> int:
    """Return the peak of :func:`memory_allocated` since the start or the last reset."""
    return memory_stats(device).get("allocated_bytes.all.peak", 0)


def memory_reserved(device: Device = None) -> int:
    """Return the bytes that the allocator holds, free blocks included."""
    return memory_stats(device).get("reserved_bytes.all.current", 0)


def max_memory_reserved(device: Device = None) -> int:
    """Return the peak of :func:`memory_reserved`."""
    return memory_stats(device).get("reserved_bytes.all.peak", 0)


def reset_peak_memory_stats(device: Device = None) -> None:
    """Start the peaks anew from the present."""
    torch.accelerator.reset_peak_memory_stats(device_index(device))


def reset_accumulated_memory_stats(device: Device = None) -> None:
    """Start the counts of what was allocated and freed anew."""
    torch.accelerator.reset_accumulated_memory_stats(device_index(device))


def mem_get_info(device: Device = None) -> tuple[int, int]:
    """Return the bytes that are not reserved by this process, and those of the device."""
    return torch.accelerator.get_memory_info(device_index(device))


def empty_cache() -> None:
    """Give cached memory that no tensor uses back to the driver."""
    torch.accelerator.empty_cache()


def set_per_process_memory_fraction(fraction: float, device: Device = None) -> None:
    """Cap what the allocator may reserve, as a fraction of the device's memory."""
    if not 0 <= fraction <= 1:
        raise ValueError(f"[ocl] a memory fraction lies between 0 and 1, not {fraction}")
    index = device_index(device)
    _C.set_memory_cap(index, max(1, int(mem_get_info(index)[1] * fraction)))
    _fractions[index] = fraction


def get_per_process_memory_fraction(device: Device = None) -> float:
    """Return what :func:`set_per_process_memory_fraction` set; 1 without it."""
    return _fractions.get(device_index(device), 1.0)


def memory_summary(device: Device = None, abbreviated: bool = False) -> str:
    """Return the counters of the allocator as a table."""
    stats = memory_stats(device)
    scales = {"_bytes": (2**20, "MiB"), "": (1, "")}
    rows = [
        ("allocated_bytes", "Allocated memory"),
        ("active_bytes", "Active memory"),
        ("requested_bytes", "Requested memory"),
        ("reserved_bytes", "Reserved memory"),
        ("inactive_split_bytes", "Unused parts of segments"),
        ("allocation", "Allocations"),
        ("active", "Active allocations"),
        ("segment", "Segments"),
        ("inactive_split", "Unused parts of segments"),
    ]
    index = device_index(device)
    line = "-" * 88
    lines = [
        line,
        f" Memory of ocl:{index}, {_C.properties(index)['name']}",
        f" out of memory: {stats.get('num_ooms', 0)}, flushes because memory was short: {stats.get('num_alloc_retries', 0)}",
        line,
        f" {'':28}{'now':>14}{'peak':>14}{'allocated':>14}{'freed':>14}",
    ]
    for key, title in rows:
        scale, unit = scales["_bytes" if key.endswith("_bytes") else ""]
        for pool, name in [("all", title)] + ([] if abbreviated else [("large_pool", "  large"), ("small_pool", "  small")]):
            values = [stats.get(f"{key}.{pool}.{column}", 0) for column in ("current", "peak", "allocated", "freed")]
            cells = [f"{value / scale:.1f} {unit}" if unit else str(value) for value in values]
            lines.append(f" {name:28}" + "".join(f"{cell:>14}" for cell in cells))
    return "\n".join([*lines, line])


def memory_snapshot() -> list[dict[str, Any]]:
    """Return every segment with its blocks, as ``torch.cuda.memory_snapshot``."""
    return _C.memory_snapshot()["segments"]


def _record_memory_history(enabled: str | bool | None = "all", max_entries: int = 100_000, stacks: str | None = "python") -> None:
    """Record what the allocator does, for :func:`_snapshot`; ``None`` or ``False`` ends it.

    Parameters
    ----------
    enabled
        ``"all"`` or ``True``: actions with the Python stacks that led to them; ``"state"`` is the same here.
    max_entries
        How many actions are kept; the oldest go first.
    stacks
        ``"python"``, or ``None`` for no stacks, which costs less. C++ frames are not recorded.
    """
    if enabled not in (None, False, True, "all", "state"):
        raise ValueError(f"[ocl] enabled is 'all', 'state' or None, not {enabled!r}")
    if stacks not in (None, "python"):
        raise ValueError(f"[ocl] stacks are 'python' or None, not {stacks!r}")
    _C.record_memory_history(int(max_entries) if enabled else 0, stacks == "python")


def _snapshot(device: Device = None) -> dict[str, Any]:
    """Return segments and recorded actions of all devices, in the format of ``torch.cuda.memory._snapshot``."""
    return _C.memory_snapshot()


def _dump_snapshot(filename: str = "dump_snapshot.pickle") -> None:
    """Save :func:`_snapshot` as a pickle that https://pytorch.org/memory_viz shows."""
    with open(filename, "wb") as file:
        pickle.dump(_snapshot(), file)
