"""Devices as users name them."""

from __future__ import annotations

import torch

from oncilla import _C

Device = int | str | torch.device | None


def device_index(device: Device = None) -> int:
    """The index of a device given as number, name or ``torch.device``; None is the current one."""
    if device is None:
        return _C.current_device()
    if isinstance(device, int):
        return device
    device = torch.device(device)
    if device.type != "ocl":
        raise ValueError(f"[ocl] expected an ocl device, but got {device}")
    return _C.current_device() if device.index is None else device.index
