"""The device module: everything under ``torch.ocl``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import torch

from oncilla import _C, _memory
from oncilla._fuse import fuse  # noqa: F401  (part of torch.ocl)
from oncilla._index import Device as _Device
from oncilla._index import device_index as _index
from oncilla._memory import *  # noqa: F403
from oncilla._parallel import DataParallel  # noqa: F401

# --- Devices


def is_available() -> bool:
    """Whether at least one device can be used."""
    return _C.device_count() > 0


def device_count() -> int:
    """Count the devices of all plugins."""
    return _C.device_count()


def is_initialized() -> bool:
    """Whether a device was opened in this process."""
    return any(_C.is_open(i) for i in range(_C.device_count())) and not _C.in_bad_fork()


def __getattr__(name: str) -> Any:
    # torch.utils.checkpoint looks at this attribute: without it, random numbers drawn again in backward would be others.
    if name == "_initialized":
        return is_initialized()
    raise AttributeError(f"module 'torch.ocl' has no attribute {name!r}")


def init() -> None:
    """Do nothing: devices open when first used."""


def _lazy_init() -> None:
    if _C.in_bad_fork():
        raise RuntimeError(
            "Cannot re-initialize ocl in forked subprocess. To use ocl with multiprocessing, you must use the 'spawn' start method"
        )


def _is_in_bad_fork() -> bool:
    return _C.in_bad_fork()


def current_device() -> int:
    """Return the index of the current device."""
    return _C.current_device()


def set_device(device: _Device) -> None:
    """Make a device the current one of this thread."""
    _C.set_device(_index(device))


class device:  # noqa: N801  (the name that every backend's module has)
    """Context manager that changes the current device.

    Parameters
    ----------
    device
        Index, name or ``torch.device``; None changes nothing.
    """

    def __init__(self, device: _Device) -> None:
        self.idx = -1 if device is None else _index(device)
        self.prev_idx = -1

    def __enter__(self) -> device:
        self.prev_idx = _C.current_device()
        if self.idx >= 0:
            _C.set_device(self.idx)
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self.idx >= 0:
            _C.set_device(self.prev_idx)


class device_of(device):  # noqa: N801
    """Context manager that changes the current device to that of a tensor, if it is on one."""

    def __init__(self, tensor: torch.Tensor) -> None:
        super().__init__(tensor.device if tensor.device.type == "ocl" else None)


def synchronize(device: _Device = None) -> None:
    """Wait for all work of a device; its errors surface here."""
    _lazy_init()
    _C.synchronize(_index(device))


def get_device_properties(device: _Device = None) -> SimpleNamespace:
    """Return name, vendor, platform, driver, features, memory and limits of a device."""
    _lazy_init()
    return SimpleNamespace(**_C.properties(_index(device)))


def get_device_name(device: _Device = None) -> str:
    """Return the name of a device."""
    return get_device_properties(device).name


def get_device_capability(device: _Device = None) -> dict[str, Any]:
    """Return the probed features of a device, by name."""
    return {name: True for name in get_device_properties(device).features}


def problems() -> list[str]:
    """Return why plugins or devices were left out, as sentences."""
    return _C.problems()


# --- Streams and events


def Stream(device: _Device = None, priority: int = 0) -> torch.Stream:  # noqa: N802
    """Return a stream of a device, from its pool."""
    return torch.Stream(device=torch.device("ocl", _index(device)), priority=priority)


def Event(enable_timing: bool = False, blocking: bool = False, interprocess: bool = False) -> torch.Event:  # noqa: N802
    """Return an event; times are those of the device."""
    return torch.Event(device="ocl", enable_timing=enable_timing, blocking=blocking, interprocess=interprocess)


def current_stream(device: _Device = None) -> torch.Stream:
    """Return the current stream of a device."""
    return torch.accelerator.current_stream(_index(device))


def default_stream(device: _Device = None) -> torch.Stream:
    """Return the stream that a device uses unless another is made current."""
    current = torch.accelerator.current_stream(_index(device))
    return torch.Stream(stream_id=0, device_index=current.device_index, device_type=current.device_type)


def set_stream(stream: torch.Stream) -> None:
    """Make a stream the current one of its device in this thread."""
    torch.accelerator.set_stream(stream)


@contextmanager
def stream(stream: torch.Stream | None) -> Iterator[None]:
    """Context manager that makes a stream the current one."""
    if stream is None:
        yield
        return
    before = torch.accelerator.current_stream(stream.device_index)
    torch.accelerator.set_stream(stream)
    try:
        yield
    finally:
        torch.accelerator.set_stream(before)


# --- Random numbers


def manual_seed(seed: int) -> None:
    """Seed the generator of the current device."""
    if is_available():
        _C.default_generator(_C.current_device()).manual_seed(int(seed))


def manual_seed_all(seed: int) -> None:
    """Seed the generators of all devices."""
    for i in range(device_count()):
        _C.default_generator(i).manual_seed(int(seed))


def seed() -> None:
    """Seed the generator of the current device with a random number."""
    _C.default_generator(_C.current_device()).seed()


def seed_all() -> None:
    """Seed the generators of all devices with one random number."""
    if device_count():
        first = _C.default_generator(0).seed()
        manual_seed_all(first)


def initial_seed() -> int:
    """Return the seed of the current device's generator."""
    return _C.default_generator(_C.current_device()).initial_seed()


def get_rng_state(device: _Device = "ocl") -> torch.Tensor:
    """Return the state of a device's generator as a CPU byte tensor."""
    return _C.default_generator(_index(device)).get_state()


def get_rng_state_all() -> list[torch.Tensor]:
    """Return the states of all devices' generators."""
    return [get_rng_state(i) for i in range(device_count())]


def set_rng_state(new_state: torch.Tensor, device: _Device = "ocl") -> None:
    """Set the state of a device's generator."""
    _C.default_generator(_index(device)).set_state(new_state)


def set_rng_state_all(new_states: list[torch.Tensor]) -> None:
    """Set the states of all devices' generators."""
    for i, state in enumerate(new_states):
        set_rng_state(state, i)


# --- Mixed precision


def get_amp_supported_dtype() -> list[torch.dtype]:
    """Return the dtypes that autocast may choose."""
    return [torch.float16, torch.bfloat16]


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """Whether bfloat16 tensors can be computed with (in float32 arithmetic)."""
    return including_emulation


# --- Fallbacks, traces


def fallbacks() -> dict[str, int]:
    """Return how often each op ran on the CPU since the start or the last reset."""
    return _C.fallbacks()


def reset_fallbacks() -> None:
    """Clear the counts of :func:`fallbacks`."""
    _C.reset_fallbacks()


def set_fallback_mode(mode: str) -> None:
    """Choose what an op without a kernel does.

    Parameters
    ----------
    mode
        ``"warn"``: one warning an op; ``"error"``: raise ``NotImplementedError``; ``"silent"``. The environment variable ``ONCILLA_FALLBACK``
        sets it at the start.
    """
    _C.set_fallback_mode(mode)


@contextmanager
def fallback_mode(mode: str) -> Iterator[None]:
    """Context manager around :func:`set_fallback_mode`."""
    before = _C.fallback_mode()
    _C.set_fallback_mode(mode)
    try:
        yield
    finally:
        _C.set_fallback_mode(before)


def plan_stats(device: _Device = None) -> dict[str, int]:
    """Return hits, misses, evictions and size of a device's plan cache, which is bounded."""
    return _C.plan_stats(_index(device))


@contextmanager
def trace(path: str) -> Iterator[None]:
    """Context manager that writes what ran inside as a Chrome trace."""
    synchronize()  # what was enqueued before belongs to nobody here
    _C.trace_start()
    try:
        yield
    finally:
        try:
            synchronize()  # may raise what ops left behind
        finally:
            _C.trace_stop()
            _C.trace_write(path)


memory = _memory


def register() -> None:
    """Name the device ``ocl`` and put this module in its place."""
    import sys

    torch.utils.rename_privateuse1_backend("ocl")
    torch._register_device_module("ocl", sys.modules[__name__])
    sys.modules["torch.ocl"], sys.modules["torch.ocl.memory"] = sys.modules[__name__], _memory
    torch.utils.generate_methods_for_privateuse1_backend(
        for_tensor=True, for_module=True, for_packed_sequence=True, for_storage=True
    )
