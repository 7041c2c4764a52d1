"""OpenBLAS, through NumPy's matrix product."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from typing import Any

import torch

from oncilla_bench.cases import Case
from oncilla_bench.contestants import Contestant, DeclinedError, Prepared
from oncilla_bench.workload import Workload


class Product(Prepared):
    """numpy.matmul into an array that stays; a transposed operand is a view, which BLAS takes as it is."""

    def __init__(self, case: Case, workload: Workload) -> None:
        import numpy as np

        a, b = (t.numpy() for t in workload.inputs)
        self.a = a.swapaxes(-1, -2) if case.values.a == "t" else a
        self.b = b.swapaxes(-1, -2) if case.values.b == "t" else b
        self.out = np.empty((*a.shape[:-2], self.a.shape[-2], self.b.shape[-1]), a.dtype)
        self.multiply = np.matmul

    def call(self) -> Any:
        """Multiply."""
        return self.multiply(self.a, self.b, out=self.out)

    def fetch(self, result: Any) -> Sequence[torch.Tensor]:
        """Copy the array."""
        return [torch.from_numpy(result.copy())]


class OpenBLAS(Contestant):
    """The one that NumPy's wheels carry."""

    name = "openblas"
    about = "OpenBLAS as NumPy's wheel has it: matrix products in float32 and float64"

    def missing(self) -> str:
        """Say so where NumPy lacks, or has another BLAS."""
        if importlib.util.find_spec("numpy") is None:
            return "NumPy is not installed"
        found = self.versions()["blas"]
        return "" if "openblas" in found.lower() else f"NumPy's BLAS is {found}"

    def versions(self) -> dict[str, str]:
        """Of NumPy and its BLAS."""
        import numpy as np

        blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
        return {"numpy": np.__version__, "blas": f"{blas['name']} {blas['version']}"}

    def prepare(self, case: Case, workload: Workload) -> Product:
        """Take matrix products."""
        if case.kind.name != "matmul" or case.values.dtype not in ("f32", "f64"):
            raise DeclinedError("only matrix products in f32 and f64")
        return Product(case, workload)
