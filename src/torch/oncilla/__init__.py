"""Oncilla: OpenCL devices for PyTorch, as device ``ocl``.

``import torch`` finds this package by its entry point in the group ``torch.backends``. With ``TORCH_DEVICE_BACKEND_AUTOLOAD=0``, or where
the package is only on the path, ``import oncilla`` does the same.
"""

from __future__ import annotations

import re

__all__ = ["__version__"]
__version__ = "0.1.0"


def _minor(version: str) -> str:
    """The major.minor part of a version."""
    found = re.match(r"\d+\.\d+", version)
    return found.group() if found else version


def _check_version(built: str, found: str) -> None:
    """Refuse another minor version of torch than the one of the build.

    PyTorch's hooks for devices are not part of its stable ABI, so that another version would crash rather than fail.
    """
    if _minor(built) != _minor(found):
        raise ImportError(
            f"[oncilla] built for torch {_minor(built)}, but torch {found} is installed: "
            f"install torch=={_minor(built)}.* or build Oncilla again"
        )


def _autoload() -> None:
    """Register the device; what ``import torch`` calls at its end. Later calls do nothing."""
    import torch

    if hasattr(torch, "ocl"):
        return
    from oncilla import _build

    _check_version(_build.TORCH_VERSION, torch.__version__)
    from oncilla import _device

    _device.register()


# `import oncilla` without autoload. (Where torch is not imported yet this import calls _autoload itself: hence the last line.)
_autoload()
