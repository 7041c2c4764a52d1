"""PyTorch in eager mode: its CPU backend, which is the baseline, and Oncilla's device."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from oncilla_bench.cases import Case
from oncilla_bench.contestants import BASELINE, Contestant, Prepared
from oncilla_bench.workload import Workload, same


class OnCPU(Prepared):
    """Calls of PyTorch whose work is done when they return."""

    def __init__(self, workload: Workload, device: str = "cpu", wrap: Any = same) -> None:
        self.bound = workload.bind(device, wrap)

    def call(self) -> Sequence[torch.Tensor]:
        """Do the work."""
        return self.bound()

    def fetch(self, result: Sequence[torch.Tensor]) -> Sequence[torch.Tensor]:
        """Copy, so that a later call does not change them."""
        return [t.detach().to("cpu", copy=True) for t in result]


class CPU(Contestant):
    """The baseline."""

    name = BASELINE
    about = "PyTorch's CPU backend in eager mode (oneDNN and MKL inside)"

    def missing(self) -> str:
        """Nothing: the harness needs PyTorch."""
        return ""

    def versions(self) -> dict[str, str]:
        """Of PyTorch and of the libraries that it was built with."""
        parallel = torch.__config__.parallel_info()
        lines = {line.split(":")[0].strip(): line.strip() for line in torch.__config__.show().splitlines()}
        kept = [text.lstrip("- ") for key, text in lines.items() if "MKL" in key or "CPU capability" in key]
        threads = next((line.split(":")[1].strip() for line in parallel.splitlines() if "get_num_threads" in line), "")
        return {"torch": torch.__version__, "libraries": "; ".join(kept), "threads": threads}

    def prepare(self, case: Case, workload: Workload) -> OnCPU:
        """Take every case."""
        return OnCPU(workload)


class OnOcl(OnCPU):
    """The same calls on Oncilla's device."""

    def __init__(self, workload: Workload, wrap: Any = same) -> None:
        torch.ocl.reset_fallbacks()
        super().__init__(workload, "ocl", wrap)

    def finish(self) -> None:
        """Wait for the device."""
        torch.ocl.synchronize()

    def kernels(self, count: int) -> dict[str, float]:
        """Trace the calls; what is no kernel, as a copy, counts under its plan's name."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "trace.json"
            with torch.ocl.trace(str(path)):
                for _ in range(count):
                    self.call()
            events = json.loads(path.read_text(encoding="utf-8"))["traceEvents"]
        found: list[tuple[str, float]] = []
        within = False  # whether the last of `found` is a plan that no kernel has followed yet
        for event in events:
            if event.get("cat") not in ("device", "kernel"):
                continue
            if event["cat"] == "kernel" and within:
                found.pop()
            within = event["cat"] == "device"
            found.append((event["name"], event["dur"] * 1e-6 / count))
        total: dict[str, float] = {}
        for name, seconds in found:
            total[name] = total.get(name, 0.0) + seconds
        return dict(sorted(total.items(), key=lambda item: -item[1]))

    def start_peak(self) -> None:
        """Of the caching allocator."""
        torch.ocl.synchronize()
        torch.ocl.reset_peak_memory_stats()
        self.before = torch.ocl.memory_allocated()

    def peak_bytes(self) -> int:
        """What tensors took at most beyond what was there before."""
        return torch.ocl.max_memory_allocated() - self.before

    def notes(self) -> str:
        """Name the ops that ran on the CPU instead."""
        return ", ".join(f"on the CPU: {name}" for name in sorted(torch.ocl.fallbacks()))

    def close(self) -> None:
        """Empty the allocator."""
        self.bound = list
        torch.ocl.synchronize()
        torch.ocl.empty_cache()


class Ocl(Contestant):
    """What all this is about."""

    name = "ocl"
    about = "Oncilla's device in PyTorch, eager; each plan in the variant that the tuning rows choose"

    def missing(self) -> str:
        """Say what lacks: the package or a device."""
        if not hasattr(torch, "ocl"):
            return "PyTorch has no device ocl: the oncilla package is not installed, or its autoload is off"
        return "" if torch.ocl.is_available() else "; ".join(["no OpenCL device", *torch.ocl.problems()])

    def versions(self) -> dict[str, str]:
        """Of Oncilla and the driver."""
        import oncilla

        p = torch.ocl.get_device_properties()
        return {"oncilla": oncilla.__version__, "device": p.name, "platform": p.platform, "driver": p.driver}

    def prepare(self, case: Case, workload: Workload) -> OnOcl:
        """Take every case."""
        return OnOcl(workload)
