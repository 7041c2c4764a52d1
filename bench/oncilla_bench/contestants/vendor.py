"""PyTorch's own backend of the GPU in the machine, where the installed PyTorch has one: CUDA or ROCm, XPU, MPS."""

from __future__ import annotations

import torch

from oncilla_bench.cases import Case
from oncilla_bench.contestants import Contestant
from oncilla_bench.contestants.eager import OnCPU
from oncilla_bench.workload import Workload

DEVICES = ("cuda", "xpu", "mps")


def _found() -> str:
    return next((name for name in DEVICES if getattr(torch, name).is_available()), "")


class OnVendor(OnCPU):
    """The same calls on the vendor's device."""

    def __init__(self, workload: Workload) -> None:
        self.module = getattr(torch, _found())
        super().__init__(workload, _found())

    def finish(self) -> None:
        """Wait for the device."""
        self.module.synchronize()

    def close(self) -> None:
        """Empty the allocator."""
        self.bound = list
        self.module.synchronize()
        self.module.empty_cache()


class Vendor(Contestant):
    """What a GPU's owner would use if PyTorch supported it."""

    name = "vendor"
    about = "PyTorch on the GPU through its vendor's backend (CUDA or ROCm, XPU, MPS), eager"

    def missing(self) -> str:
        """Say so where this PyTorch finds no GPU."""
        return "" if _found() else f"PyTorch {torch.__version__} finds no device of {', '.join(DEVICES)}"

    def versions(self) -> dict[str, str]:
        """Of PyTorch, the device and its toolkit."""
        name = _found()
        module = getattr(torch, name)
        device = module.get_device_name() if hasattr(module, "get_device_name") else name
        return {"torch": torch.__version__, "device": device, "toolkit": str(torch.version.hip or torch.version.cuda or "")}

    def prepare(self, case: Case, workload: Workload) -> OnVendor:
        """Take every case."""
        return OnVendor(workload)
