"""How scripts/ulp measures: rows evaluated by OpenCL implementations, each in a process of its own, and judged.

References and PyTorch's values are computed once for all implementations.
"""

import math
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import mpmath
import numpy as np
import torch
import ulp_operands as operands
from mpmath.libmp.libhyper import NoConvergence
from ulp_rows import DEFINED, Array, Row

ROOT = Path(__file__).resolve().parent.parent
HALF_TYPES = ("float16", "bfloat16")
ROWS_AT_ONCE = 20
SAMPLES_64 = 256
# Points of a float32 row at which its float64 reference is compared with many digits, and what it may be off, in float32's ULP.
CHECKED, REFERENCE_LIMIT = 48, 0.1


class Runtime:
    """One OpenCL implementation, or the reference plugin, behind evaluate_rows."""

    def __init__(self, name: str, tool: Path) -> None:
        self.name, self.tool = name, tool
        self.device = ""
        self.flushes = False  # subnormal numbers count as zero
        self.seconds = 0.0

    def run(self, rows: Sequence[Row], dtype: str, x: Sequence[Array]) -> dict[str, Array] | None:
        """Evaluate rows; nothing if the device declines the dtype. Results of halves are their bits."""
        begin = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            paths = [str(Path(folder) / f"in{k}") for k in range(len(x))]
            for path, values in zip(paths, x, strict=True):
                values.tofile(path)
            out = Path(folder) / "out"
            command = [str(self.tool), "--plugin", "reference" if self.name == "reference" else "opencl", "--dtype", dtype]
            command += ["--ops", ",".join(r.name for r in rows), "--in", *paths, "--out", str(out)]
            environment = dict(os.environ)
            if self.name != "reference":
                command = [str(ROOT / "scripts" / "with-runtime"), self.name, *command]
                for variable, cache in (("POCL_CACHE_DIR", "pocl"), ("ONCILLA_CACHE_DIR", "oncilla")):
                    # Caches of their own, since other tests may run beside this one.
                    if environment.get(variable) == str(ROOT / "build" / "cache" / cache):
                        environment[variable] = str(ROOT / "build" / "runtimes" / self.name / "ulp" / cache)
                        Path(environment[variable]).mkdir(parents=True, exist_ok=True)
            done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
            self.seconds += time.monotonic() - begin
            if done.returncode == 3:
                return None
            if done.returncode != 0:
                raise RuntimeError(f"{self.name}: {done.stderr.strip() or done.returncode}")
            self.device = done.stdout.strip()
            data, at, results = out.read_bytes(), 0, {}
            for row in rows:
                kind = np.dtype(np.uint8 if row.boolean else np.uint16 if dtype in HALF_TYPES else dtype)
                size = x[0].size * kind.itemsize
                results[row.name] = np.frombuffer(data[at : at + size], kind)
                at += size
            return results


@dataclass
class Truth:
    """What is known of a row at some operands before any implementation has spoken."""

    row: Row
    x: Sequence[Array]
    high: Array  # the reference
    low: Array | float  # what it lacks
    counts: Array  # where it is compared
    step: Array  # the unit of the last place
    theirs: Array | None  # PyTorch's result
    torch_error: float = 0.0


def truth(row: Row, x: Sequence[Array], high: Array, low: Array | float = 0.0) -> Truth:
    """Prepare the comparison; the dtype is that of the operands."""
    info = np.finfo(x[0].dtype)
    tiny, most = float(info.tiny), float(info.max)
    magnitude = np.abs(high)
    counts = (magnitude <= most * (1 - 1e-5)) & ((magnitude >= tiny) | (high == 0))
    magnitude = np.maximum(np.where(np.isfinite(magnitude), magnitude, 1.0), tiny)
    magnitude = np.maximum(magnitude, row.size([v.astype(np.float64) for v in x], info.nmant))
    step = np.ldexp(1.0, np.frexp(np.where(np.isfinite(magnitude), magnitude, 1.0))[1] - 1 - info.nmant)
    theirs = None
    known = Truth(row, x, high, low, counts, step, theirs)
    if row.theirs is not None:
        result = row.theirs(*[torch.from_numpy(np.ascontiguousarray(v)) for v in x])
        known.theirs = result.numpy().astype(np.float64)
        known.torch_error = float(np.max(errors(known, known.theirs, counts & np.isfinite(known.theirs)), initial=0.0))
    return known


def errors(known: Truth, value: Array, counts: Array) -> Array:
    """Give the errors in ULP, 0 where nothing counts."""
    error = np.where(counts, np.abs((value - known.high) - known.low) / known.step, 0.0)
    return np.where(np.isnan(error), np.inf, error)


@dataclass
class Worst:
    """The largest error of a row on a runtime, where, and PyTorch's."""

    count: int = 0
    error: float = 0.0
    at: tuple[float, ...] = ()
    torch: float = 0.0
    has_torch: bool = False
    astray: list[str] = field(default_factory=list)


def judge(known: Truth, got: Array, worst: Worst, flushes: bool) -> None:
    """Add one batch of results."""
    row, x = known.row, known.x
    counts = known.counts & operands.normal(x, float(np.finfo(x[0].dtype).tiny)) if flushes else known.counts
    value = got.astype(np.float64)
    worst.count += value.size
    if known.theirs is not None:  # a reference may continue a function beyond PyTorch's domain
        counts = counts & ~(np.isnan(value) & np.isnan(known.theirs))
    error = errors(known, value, counts)
    i = int(np.argmax(error))
    if error[i] > worst.error:
        worst.error, worst.at = float(error[i]), tuple(float(v[i]) for v in x)
    if known.theirs is None:
        return
    worst.has_torch, worst.torch = True, max(worst.torch, known.torch_error)
    # NaN and infinities belong where PyTorch has them, unless PyTorch itself is wrong there.
    their = known.theirs
    odd = (np.isnan(value) != np.isnan(their)) | (np.isinf(their) & np.isinf(known.high) & (value != their))
    odd &= ~(known.counts & (error <= row.limits[x[0].dtype == np.float64]))
    odd &= ~((np.isnan(known.high) & np.isnan(value)) | (np.isinf(known.high) & (value == known.high)))
    if row.name in DEFINED:
        odd &= ~(np.isnan(their) | np.isnan(value))
    if flushes:
        odd &= operands.normal(x, float(np.finfo(x[0].dtype).tiny))
    for i in np.flatnonzero(odd)[:3]:
        worst.astray.append(f"{row.name}({', '.join(repr(float(v[i])) for v in x)}) is {value[i]}, PyTorch's is {their[i]}")


# ---- references


def wide_values(row: Row, x: Sequence[Array]) -> Array:
    """Give the float64 reference of float32 operands."""
    if row.name == "nextafter":
        return np.nextafter(x[0], x[1]).astype(np.float64)
    return np.asarray(row.wide(*[v.astype(np.float64) for v in x]), np.float64)


def exact_value(row: Row, x: Sequence[float]) -> mpmath.mpf:
    """Give one result in many digits; NaN where there is none."""
    try:
        if isinstance(row.exact, np.ufunc) or row.name.startswith("frexp"):
            return mpmath.mpf(float(row.exact(*x)))
        if row.name in ("trunc_div", "floor_div") and x[1] == 0:
            return mpmath.nan
        whole = {0: row.name == "polygamma", 1: row.name in operands.WHOLE and row.name != "polygamma"}
        y = row.exact(*[int(v) if whole.get(k) else mpmath.mpf(float(v)) for k, v in enumerate(x)])
        return mpmath.mpf(y.real) if getattr(y, "imag", 0) == 0 else mpmath.nan
    except (ValueError, ZeroDivisionError, OverflowError, TypeError, RecursionError, NoConvergence):
        return mpmath.nan


def exact_values(row: Row, x: Sequence[Array]) -> tuple[Array, Array]:
    """Give results to 40 digits, as two float64 that add up to them."""
    high, low = np.full(x[0].size, np.nan), np.zeros(x[0].size)
    for i in range(x[0].size):
        y = exact_value(row, [v[i] for v in x])
        high[i] = float(y)
        if math.isfinite(high[i]):
            low[i] = float(y - mpmath.mpf(high[i]))
    return high, low


def reference_error(row: Row) -> float:
    """Say how far the float64 reference is from many digits at some float32 operands, in float32's ULP."""
    x = [v.astype(np.float32) for v in operands.samples64(row, CHECKED)]
    high, low = exact_values(row, x)
    wide = wide_values(row, x)
    known = truth(Row(**{k: getattr(row, k) for k in ("name", "arity", "boolean", "domain", "wide", "exact")}), x, high, low)
    return float(np.max(errors(known, wide, known.counts & np.isfinite(wide)), initial=0.0))


def reference_doubt(row: Row, at: Sequence[float]) -> float | None:
    """Say how far the float64 reference is off where an error was the largest; nothing if many digits take more than two seconds."""

    def late(*_: object) -> None:
        raise TimeoutError

    signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, 2)
    try:
        x = [np.array([v], np.float32) for v in at]
        high, low = exact_values(row, x)
    except TimeoutError:
        return None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    wide = wide_values(row, x)
    known = truth(Row(**{k: getattr(row, k) for k in ("name", "arity", "boolean", "domain", "wide", "exact")}), x, high, low)
    return float(errors(known, wide, known.counts)[0])


# ---- everything


@dataclass
class Result:
    """All that was measured."""

    worst: dict[tuple[str, str, str], Worst] = field(default_factory=dict)  # by row, dtype and runtime
    halves: dict[tuple[str, str, str], list[str]] = field(default_factory=dict)  # where one is not float32's result rounded once
    references: dict[str, float] = field(default_factory=dict)  # how far a row's reference is off, in float32's ULP


def measure(runtimes: Sequence[Runtime], rows: Sequence[Row], stride: int) -> Result:
    """Measure everything; prints a line for each step."""
    mpmath.mp.dps = 40
    result = Result()
    for runtime in runtimes:
        tiny = np.array([1e-40], np.float32)
        runtime.flushes = bool(
            runtime.run([Row("add", 2, False, "any", np.add, np.add)], "float32", [tiny, 0 * tiny])["add"][0] == 0
        )
    unary = [r for r in rows if r.arity == 1]
    groups: dict[tuple[int, int, int], list[Row]] = {}
    for row in rows:
        if row.arity > 1:
            groups.setdefault(operands.kind(row), []).append(row)
    for part in range(operands.parts(stride)):
        x = operands.sweep(stride, part)
        for first in range(0, len(unary), ROWS_AT_ONCE):
            batch(result, runtimes, unary[first : first + ROWS_AT_ONCE], [x], part == 0)
    for kind, group in groups.items():
        batch(result, runtimes, group, operands.samples32(*kind), False)
    measure_64(result, runtimes, rows)
    begin = time.monotonic()
    for row in rows:
        result.references[row.name] = reference_error(row)
    print(f"references at {CHECKED} operands each: {time.monotonic() - begin:.1f} s", flush=True)
    return result


def batch(result: Result, runtimes: Sequence[Runtime], group: Sequence[Row], x: Sequence[Array], halves: bool) -> None:
    """Measure rows at float32 operands, and whether halves are float32's results rounded once."""
    begin = time.monotonic()
    got = {runtime.name: runtime.run(group, "float32", x) for runtime in runtimes}
    middle = time.monotonic()
    for row in group:
        known = truth(row, x, wide_values(row, x))
        for runtime in runtimes:
            worst = result.worst.setdefault((row.name, "float32", runtime.name), Worst())
            judge(known, got[runtime.name][row.name], worst, runtime.flushes)
    end = time.monotonic()
    print(
        f"{group[0].name} … {group[-1].name}, float32, {x[0].size} operands: {middle - begin:.1f} s to evaluate, {end - middle:.1f} s to judge",
        flush=True,
    )
    if not halves:
        return
    for k, dtype in enumerate(HALF_TYPES):
        here = slice(k * operands.HALVES, (k + 1) * operands.HALVES)
        bits = np.arange(operands.HALVES, dtype=np.uint16)
        for runtime in runtimes:
            small = runtime.run(group, dtype, [bits])
            for row in group:
                ours = small[row.name]
                result.halves[row.name, dtype, runtime.name] = unequal(
                    row, dtype, x[0][here], got[runtime.name][row.name][here], ours, runtime.flushes
                )
    print(f"  halves: {time.monotonic() - end:.1f} s", flush=True)


def unequal(row: Row, dtype: str, x: Array, single: Array, bits: Array, flushes: bool) -> list[str]:
    """Say where a half's result is not that of float32, rounded once."""
    if row.boolean:
        wrong, shown = single != bits, bits
    else:
        shown = bits.view(np.float16).astype(np.float32) if dtype == "float16" else (bits.astype(np.uint32) << 16).view(np.float32)
        wrong = rounded_differs(single, bits, shown, dtype)
        if flushes:
            wrong &= operands.normal([x, single, shown], float(np.finfo(np.float32).tiny))
    return [f"{row.name}({float(x[i])!r}) is {shown[i]} in {dtype}, {single[i]} in float32" for i in np.flatnonzero(wrong)]


def rounded_differs(single: Array, bits: Array, shown: Array, dtype: str) -> Array:
    """Say where halves' bits are not float32 values' rounded; any NaN is NaN."""
    return np.where(np.isnan(shown), np.uint16(0xFFFF), bits) != operands.rounded(single, dtype)


def measure_64(result: Result, runtimes: Sequence[Runtime], rows: Sequence[Row]) -> None:
    """Measure float64 against many digits. Each row has operands of its own, which lie side by side for one call of a runtime."""
    for arity in (1, 2, 3):
        group = [r for r in rows if r.arity == arity]
        if not group:
            continue
        begin = time.monotonic()
        own = [operands.samples64(r, SAMPLES_64) for r in group]
        x = [np.concatenate([v[k] for v in own]) for k in range(arity)]
        got = {runtime.name: runtime.run(group, "float64", x) for runtime in runtimes}
        middle = time.monotonic()
        for i, row in enumerate(group):
            here = slice(i * SAMPLES_64, (i + 1) * SAMPLES_64)
            known = truth(row, own[i], *exact_values(row, own[i]))
            for runtime in runtimes:
                if (values := got[runtime.name]) is not None:
                    worst = result.worst.setdefault((row.name, "float64", runtime.name), Worst())
                    judge(known, values[row.name][here], worst, runtime.flushes)
        print(
            f"float64, {arity} operands: {middle - begin:.1f} s to evaluate, {time.monotonic() - middle:.1f} s to judge", flush=True
        )
