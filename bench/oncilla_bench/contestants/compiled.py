"""torch.compile on the CPU."""

from __future__ import annotations

import os
import shutil

import torch

from oncilla_bench.cases import Case
from oncilla_bench.contestants import Contestant, DeclinedError
from oncilla_bench.contestants.eager import OnCPU
from oncilla_bench.workload import Workload


class Compiled(Contestant):
    """Inductor's C++ code; needs a compiler."""

    name = "compile"
    about = "torch.compile (Inductor) on the CPU: one function, or the network of a step; the optimizer stays eager"
    default = False  # each case compiles for seconds to minutes

    def missing(self) -> str:
        """Say so where there is no C++ compiler."""
        compiler = os.environ.get("CXX") or "g++"
        return "" if shutil.which(compiler) else f"no C++ compiler: {compiler} is not in PATH"

    def versions(self) -> dict[str, str]:
        """Of PyTorch."""
        return {"torch": torch.__version__}

    def prepare(self, case: Case, workload: Workload) -> OnCPU:
        """Take what has a function to compile."""
        if case.group in ("launch", "optimizer", "copy"):
            raise DeclinedError("nothing to compile")
        torch._dynamo.reset()
        return OnCPU(workload, wrap=lambda function: torch.compile(function, dynamic=False))
