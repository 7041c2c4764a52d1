"""Eigen, in a few lines of C++ that are compiled for this machine when they are first used."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import torch

from oncilla_bench.cases import Case
from oncilla_bench.contestants import Contestant, DeclinedError, Prepared
from oncilla_bench.workload import Workload

# out [m, n] = a [m, k] @ b [k, n], all row-major; the flags: the operand lies transposed.
SOURCE = """
#include <Eigen/Core>
using namespace Eigen;
template <class T, int A, int B>
void product(const T* a, const T* b, T* out, long m, long n, long k) {
  Map<const Matrix<T, Dynamic, Dynamic, A>> left(a, m, k);
  Map<const Matrix<T, Dynamic, Dynamic, B>> right(b, k, n);
  Map<Matrix<T, Dynamic, Dynamic, RowMajor>>(out, m, n).noalias() = left * right;
}
template <class T>
void any(const T* a, const T* b, T* out, long batch, long m, long n, long k, int ta, int tb) {
  auto run = ta ? (tb ? product<T, ColMajor, ColMajor> : product<T, ColMajor, RowMajor>)
                : (tb ? product<T, RowMajor, ColMajor> : product<T, RowMajor, RowMajor>);
  for (long i = 0; i < batch; ++i) run(a + i * m * k, b + i * k * n, out + i * m * n, m, n, k);
}
extern "C" {
void threads(int n) { setNbThreads(n); }
int version() { return EIGEN_WORLD_VERSION * 10000 + EIGEN_MAJOR_VERSION * 100 + EIGEN_MINOR_VERSION; }
void f32(const float* a, const float* b, float* out, long batch, long m, long n, long k, int ta, int tb) {
  any(a, b, out, batch, m, n, k, ta, tb);
}
void f64(const double* a, const double* b, double* out, long batch, long m, long n, long k, int ta, int tb) {
  any(a, b, out, batch, m, n, k, ta, tb);
}
}
"""
FLAGS = ("-std=c++17", "-O3", "-march=native", "-fopenmp", "-DNDEBUG", "-shared", "-fPIC")
HEADERS = (Path("/usr/include/eigen3"), Path("/usr/local/include/eigen3"), Path("/opt/homebrew/include/eigen3"))


def _compiler() -> str:
    return os.environ.get("CXX") or "g++"


def _headers() -> Path | None:
    return next((p for p in HEADERS if (p / "Eigen" / "Core").exists()), None)


@cache
def _library() -> ctypes.CDLL:
    with tempfile.TemporaryDirectory() as folder:
        source, made = Path(folder) / "products.cpp", Path(folder) / "products.so"
        source.write_text(SOURCE)
        command = [_compiler(), *FLAGS, f"-I{_headers()}", str(source), "-o", str(made)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise DeclinedError(f"{' '.join(command)}: {done.stderr.strip().splitlines()[-1:] or done.returncode}")
        return ctypes.CDLL(str(made))


class Product(Prepared):
    """A product into a tensor that stays; the matrices of a batch one after the other, each on all threads."""

    def __init__(self, case: Case, workload: Workload) -> None:
        a, b = (t.contiguous() for t in workload.inputs)
        ta, tb = case.values.a == "t", case.values.b == "t"
        m, k = (a.shape[-1], a.shape[-2]) if ta else (a.shape[-2], a.shape[-1])
        n = b.shape[-2] if tb else b.shape[-1]
        self.out = a.new_empty((*a.shape[:-2], m, n))
        self.operands = (a, b)
        self.run = getattr(_library(), case.values.dtype)
        self.arguments = (
            *(ctypes.c_void_p(t.data_ptr()) for t in (a, b, self.out)),
            *(ctypes.c_long(size) for size in (a.shape[:-2].numel(), m, n, k)),
            int(ta),
            int(tb),
        )

    def call(self) -> Any:
        """Multiply."""
        self.run(*self.arguments)
        return self.out

    def fetch(self, result: Any) -> Sequence[torch.Tensor]:
        """Copy the result."""
        return [result.clone()]


class Eigen(Contestant):
    """Header files and a compiler."""

    name = "eigen"
    about = "Eigen, compiled for this machine: matrix products in float32 and float64"
    default = False

    def missing(self) -> str:
        """Say so where there is no compiler, or no Eigen."""
        if not shutil.which(_compiler()):
            return f"no C++ compiler: {_compiler()} is not in PATH"
        return "" if _headers() else f"no Eigen in {', '.join(str(p) for p in HEADERS)}"

    def versions(self) -> dict[str, str]:
        """Of Eigen and of the compiler."""
        number = _library().version()
        compiler = subprocess.run([_compiler(), "--version"], capture_output=True, text=True).stdout.splitlines()
        return {"eigen": f"{number // 10000}.{number // 100 % 100}.{number % 100}", "compiler": compiler[0] if compiler else ""}

    def prepare(self, case: Case, workload: Workload) -> Product:
        """Take matrix products."""
        if case.kind.name != "matmul" or case.values.dtype not in ("f32", "f64"):
            raise DeclinedError("only matrix products in f32 and f64")
        product = Product(case, workload)
        _library().threads(torch.get_num_threads())
        return product
