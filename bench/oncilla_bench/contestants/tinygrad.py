"""tinygrad on its OpenCL device: products, convolutions, softmax and a few pointwise ops, each a captured and replayed graph (TinyJit)."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Sequence
from typing import Any

import torch

from oncilla_bench.cases import Case
from oncilla_bench.contestants import Contestant, DeclinedError, Prepared
from oncilla_bench.kinds import Values
from oncilla_bench.workload import Workload

UNARY = ("abs", "exp", "gelu", "relu", "sigmoid", "silu", "sin", "tanh")


def _matmul(v: Values) -> Callable[..., Any]:
    return lambda x, y: (x.transpose(-1, -2) if v.a == "t" else x) @ (y.transpose(-1, -2) if v.b == "t" else y)


def _conv(v: Values) -> Callable[..., Any]:
    if v.dir != "fwd":
        raise DeclinedError("only forwards")
    return lambda x, f: x.conv2d(f, None, v.groups, v.stride, v.dilation, v.pad)


def _unary(v: Values) -> Callable[..., Any]:
    if v.op not in UNARY or v.layout != "dense":
        raise DeclinedError("not among the ops that are written here")
    return lambda x: getattr(x, v.op)()


def _reduce(v: Values) -> Callable[..., Any]:
    if v.op not in ("sum", "mean"):
        raise DeclinedError("not among the ops that are written here")
    axis = {"first": 0, "last": -1, "all": None}[v.dim]
    return lambda x: getattr(x, v.op)(axis)


WRITTEN: dict[str, Callable[[Values], Callable[..., Any]]] = {
    "matmul": _matmul,
    "conv": _conv,
    "unary": _unary,
    "reduce": _reduce,
    "softmax": lambda v: lambda x: x.log_softmax(-1) if v.log == "yes" else x.softmax(-1),
}


class Captured(Prepared):
    """A function under TinyJit."""

    def __init__(self, function: Callable[..., Any], workload: Workload) -> None:
        from tinygrad import Device, Tensor, TinyJit

        self.device = Device["CL"]
        self.inputs = [Tensor(t.numpy(), device="CL").realize() for t in workload.inputs]
        self.run = TinyJit(lambda *tensors: function(*tensors).realize())

    def call(self) -> Any:
        """Replay; the first two calls capture."""
        return self.run(*self.inputs)

    def finish(self) -> None:
        """Wait for the device."""
        self.device.synchronize()

    def fetch(self, result: Any) -> Sequence[torch.Tensor]:
        """Copy to the CPU."""
        return [torch.from_numpy(result.numpy().copy())]


class Tinygrad(Contestant):
    """A peer on OpenCL."""

    name = "tinygrad"
    about = "tinygrad on OpenCL, captured and replayed: products, convolutions forwards, softmax, sums, some pointwise ops"
    default = False

    def missing(self) -> str:
        """Say so where it is not installed or finds no device."""
        if importlib.util.find_spec("tinygrad") is None:
            return "tinygrad is not installed"
        os.environ.setdefault("DISABLE_COMPILER_CACHE", "0")
        try:
            from tinygrad import Device

            Device["CL"]
        except Exception as error:
            return f"tinygrad finds no OpenCL device: {error}"
        return ""

    def versions(self) -> dict[str, str]:
        """Of tinygrad."""
        from importlib.metadata import version

        return {"tinygrad": version("tinygrad")}

    def prepare(self, case: Case, workload: Workload) -> Captured:
        """Take what is written above, in float32."""
        if case.kind.name not in WRITTEN or case.values.dtype != "f32" or getattr(case.values, "grad", "no") == "yes":
            raise DeclinedError("not among what is written for it")
        return Captured(WRITTEN[case.kind.name](case.values), workload)
