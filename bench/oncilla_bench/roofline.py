"""What the cores can do at most, measured on the spot: fused multiply-adds in registers, and a triad over memory that no cache holds."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import torch

# Enough chains of dependent operations to fill two units of four cycles' latency, and few enough for the registers.
SOURCE = """
typedef float v __attribute__((vector_size(64)));
float fma_peak(long count) {
  v x[12], a, b;
  for (int i = 0; i < 16; ++i) a[i] = 0.999f + count * 1e-30f, b[i] = 1e-3f;
  for (int j = 0; j < 12; ++j) x[j] = a + (float)j;
  for (long i = 0; i < count; ++i)
#pragma GCC unroll 12
    for (int j = 0; j < 12; ++j) x[j] = x[j] * a + b;
  for (int j = 1; j < 12; ++j) x[0] += x[j];
  return x[0][0];
}
"""
FLOPS = 12 * 16 * 2  # of one round of the loop


def _compiled(folder: str) -> ctypes.CDLL | None:
    compiler = shutil.which(os.environ.get("CC") or "cc")
    if not compiler:
        return None
    source, library = Path(folder) / "peak.c", Path(folder) / "peak.so"
    source.write_text(SOURCE)
    command = [compiler, "-O3", "-march=native", "-ffp-contract=fast", "-shared", "-fPIC", "-o", str(library), str(source)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        return None
    return ctypes.CDLL(str(library))


def fma_gflops(threads: int, rounds: int = 5) -> tuple[float, str]:
    """Return the peak of float32 multiply-adds, and how it was measured; without a compiler it is a matrix product's rate."""
    with tempfile.TemporaryDirectory() as folder:
        library = _compiled(folder)
        if library is None:
            return _product_gflops(rounds), "a product of 2048 x 2048 in PyTorch (no C compiler)"
        function = library.fma_peak
        function.argtypes, function.restype = [ctypes.c_long], ctypes.c_float
        count, best = 3_000_000, 0.0
        for _ in range(rounds):
            workers = [threading.Thread(target=function, args=(count,)) for _ in range(threads)]
            begin = time.perf_counter()
            for w in workers:
                w.start()
            for w in workers:
                w.join()
            best = max(best, threads * count * FLOPS / (time.perf_counter() - begin) / 1e9)
        return best, "fused multiply-adds in registers, compiled C"


def _product_gflops(rounds: int) -> float:
    a = torch.randn(2048, 2048)
    best = 0.0
    for _ in range(rounds):
        begin = time.perf_counter()
        torch.mm(a, a)
        best = max(best, 2 * 2048**3 / (time.perf_counter() - begin) / 1e9)
    return best


def triad_gbs(elements: int = 1 << 25, rounds: int = 7) -> float:
    """Return the bandwidth of a = b + s c over three arrays of 128 MiB, counted as STREAM does: 12 bytes an element."""
    b, c = torch.ones(elements), torch.ones(elements)
    a = torch.empty(elements)
    best = 0.0
    for _ in range(rounds):
        begin = time.perf_counter()
        torch.add(b, c, alpha=3.0, out=a)
        best = max(best, 12 * elements / (time.perf_counter() - begin) / 1e9)
    return best


def measure(threads: int) -> dict[str, Any]:
    """Measure both."""
    peak, how = fma_gflops(threads)
    return {"fma_gflops": peak, "fma_by": how, "triad_gbs": triad_gbs()}
