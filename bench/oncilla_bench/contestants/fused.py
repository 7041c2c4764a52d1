"""Oncilla with a chain of pointwise ops as one kernel: torch.ocl.fuse."""

from __future__ import annotations

import torch

from oncilla_bench.cases import Case
from oncilla_bench.contestants import DeclinedError
from oncilla_bench.contestants.eager import Ocl, OnOcl
from oncilla_bench.workload import Workload


class OclFused(Ocl):
    """The device, each chain a fused function."""

    name = "ocl:fused"
    about = "Oncilla, a chain of pointwise ops as one kernel (torch.ocl.fuse)"

    def versions(self) -> dict[str, str]:
        """Those of ocl."""
        return {}

    def prepare(self, case: Case, workload: Workload) -> OnOcl:
        """Take the chains."""
        if case.kind.name != "chain":
            raise DeclinedError("no chain of pointwise ops")
        return OnOcl(workload, torch.ocl.fuse)
