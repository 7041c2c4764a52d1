"""Oncilla with one variant forced: `--variant matmul=rows` adds the contestant ocl:matmul=rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from oncilla_bench.cases import Case
from oncilla_bench.contestants import DeclinedError
from oncilla_bench.contestants.eager import Ocl, OnOcl
from oncilla_bench.workload import Workload


class OnVariant(OnOcl):
    """Calls on the device, all plans of one op in one variant."""

    def __init__(self, workload: Workload, op: str, variant: str) -> None:
        from oncilla import _C

        self.force, self.count = _C.force_variant, _C.forced_plans
        self.op, self.variant, self.known = op, variant, False
        super().__init__(workload)

    def call(self) -> Sequence[torch.Tensor]:
        """Force, call, lift; the first call finds out whether the case has such plans."""
        before = self.count()
        self.force(self.op, self.variant)
        try:
            result = self.bound()
        except RuntimeError as error:
            if not self.known and f"variant '{self.variant}'" in str(error):
                raise DeclinedError(str(error).splitlines()[0]) from None
            raise
        finally:
            self.force(self.op, "")
        if not self.known and self.count() == before:
            raise DeclinedError(f"the case has no {self.op}")
        self.known = True
        return result


class OclVariant(Ocl):
    """The device with a variant."""

    default = False

    def __init__(self, choice: str) -> None:
        self.op, equals, self.variant = choice.partition("=")
        if not equals or not self.op or not self.variant:
            raise ValueError(f'--variant "{choice}" is not OP=NAME, as matmul=rows')
        self.name, self.about = f"ocl:{choice}", f"Oncilla, every plan of {self.op} in the variant {self.variant}"

    def missing(self) -> str:
        """Say so for an op that there is not, too."""
        if lacks := super().missing():
            return lacks
        from oncilla import _C

        try:
            _C.force_variant(self.op, "")
        except RuntimeError as error:
            return str(error).splitlines()[0]
        return ""

    def versions(self) -> dict[str, str]:
        """Those of ocl."""
        return {}

    def prepare(self, case: Case, workload: Workload) -> Any:
        """Take every case; the first call declines one without such plans."""
        return OnVariant(workload, self.op, self.variant)
