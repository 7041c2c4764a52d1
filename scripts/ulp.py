"""Measure the error of every floating row of elementwise.def on OpenCL implementations, and write docs/numerics.md.

Rows of one operand are evaluated over all float32 values, every --stride-th of them (4096 by default; 1 is complete and takes an hour), others and
float64 over samples. float32 results are compared with float64 functions of NumPy and SciPy, float64 results with mpmath's at 50 digits. The unit is the
distance between neighbouring numbers at the exact result (ULP). PyTorch's own CPU functions are measured on the same operands.

The limit of a row is that of the OpenCL specification's full profile (section 7.4), for a row that OpenCL does not have the number in LIMITS, or PyTorch's own
error where that is larger. Where PyTorch has the function, NaN and infinities must be where PyTorch's are. Exits with 1 when a limit is passed.
"""

import argparse
import math
import os
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import mpmath
import numpy as np
import scipy.special as sp
import torch
from mpmath.libmp.libhyper import NoConvergence

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "numerics.md"
BEGIN, END = "<!-- scripts/ulp writes what follows -->", "<!-- until here -->"
Array = np.ndarray

# ULP in float32 and float64. First OpenCL's own; then quotients and sums of them; functions that OpenCL lacks have 16, as its erf and pow do.
OPENCL = {
    **dict.fromkeys(
        [
            "add",
            "sub",
            "mul",
            "fma",
            "neg",
            "abs",
            "sign",
            "maximum",
            "minimum",
            "square",
            "floor",
            "ceil",
            "trunc",
            "round",
            "fmod",
            "copysign",
            "nextafter",
        ],
        (0.5, 0.5),
    ),
    **dict.fromkeys(["heaviside", "frexp_mantissa", "frexp_exponent", "trunc_div", "floor_div", "remainder"], (0.5, 0.5)),
    **dict.fromkeys(["div", "reciprocal"], (2.5, 0.5)),
    **dict.fromkeys(["exp", "exp2", "expm1", "log", "log2", "log10"], (3, 3)),
    **dict.fromkeys(["sin", "cos", "asin", "acos", "sinh", "cosh", "asinh", "acosh", "hypot"], (4, 4)),
    **dict.fromkeys(["tan", "atan", "tanh", "atanh"], (5, 5)),
    **dict.fromkeys(["erf", "erfc", "pow"], (16, 16)),
    **dict.fromkeys(["repro_log", "repro_exp", "repro_sqrt", "repro_reciprocal", "repro_sinpi", "repro_cospi"], (2, 2)),
    "log1p": (2, 2),
    "atan2": (6, 6),
    "sqrt": (3, 0.5),
    "rsqrt": (6, 2),
    "sigmoid": (8, 8),
    "ldexp": (4, 4),
    **dict.fromkeys(["chebyshev_t", "chebyshev_u", "hermite_h", "hermite_he", "laguerre_l", "legendre_p"], (32, 32)),
}
OTHERS = (16, 16)
# Rows that have NaN elsewhere than PyTorch: I is infinite at infinity; zeta is 0 for a huge power, and not summed left of -10^6.
DEFINED = {"i0", "i1", "zeta"}
# A row's float64 reference stops after so long; what is left does not count.
SECONDS = 0.4

# Near a zero that is not a number of the type, a function's last place means nothing: there the unit is that of this size instead.
SIZE: dict[str, Callable[[Array], Array]] = {
    **dict.fromkeys(
        ["bessel_j0", "bessel_j1", "bessel_y0", "bessel_y1"],
        lambda x: np.where(np.abs(x) > 0.5, np.sqrt(2 / (np.pi * np.maximum(np.abs(x), 1))), 0),
    ),
    **dict.fromkeys(["lgamma", "digamma"], lambda x: np.where(x < 0, 1.0, 0.0)),
    **dict.fromkeys(
        ["chebyshev_t", "chebyshev_u", "chebyshev_v", "chebyshev_w", "legendre_p", "laguerre_l"], lambda x: np.ones_like(x)
    ),
    **dict.fromkeys(["hermite_h", "hermite_he"], lambda x: np.full_like(x, 32.0)),
    **dict.fromkeys(["logaddexp", "logaddexp2"], lambda x: np.abs(x)),
}


def wave(first: bool, second: Callable[[Array], Array], order: int) -> Callable[[Array], Array]:
    """SciPy's Bessel function, and the first terms of Hankel's form where its phase would be rounded (beyond 10^4)."""

    def value(x: Array) -> Array:
        a = np.abs(x)
        s, c = np.sin(a), np.cos(a)
        plus, minus = (c + s, s - c) if order == 0 else (s - c, -(s + c))
        q = (-1.0 if order == 0 else 3.0) / (8 * np.maximum(a, 1))
        far = ((plus - q * minus) if first else (minus + q * plus)) / np.sqrt(np.pi * np.maximum(a, 1))
        far = np.where(np.isinf(a), 0.0, far)
        odd = np.sign(x) if first and order == 1 else 1.0
        return np.where(a > 1e4, np.where((x < 0) & (not first), np.nan, odd * far), second(x))

    return value


@dataclass
class Row:
    """One row: its reference in float64, in many digits, and PyTorch's function."""

    name: str
    arity: int
    boolean: bool
    wide: Callable[..., Array]
    exact: Callable[..., object] | None = None
    theirs: Callable[..., torch.Tensor] | None = None
    limits: tuple[float, float] = field(init=False)

    def __post_init__(self) -> None:
        """Look the limits up."""
        self.limits = OPENCL.get(self.name, OTHERS)


def sinpi(x: Array) -> Array:
    """sin(pi x), reduced exactly."""
    r = x - 2 * np.round(x / 2)
    return np.sin(np.pi * np.where(np.abs(r) > 0.5, np.sign(r) - r, r))


def cospi(x: Array) -> Array:
    """cos(pi x), reduced exactly."""
    r = np.abs(x - 2 * np.round(x / 2))
    return np.sin(np.pi * (0.5 - r))


def floor_div(a: Array, b: Array) -> Array:
    """The quotient rounded down, without rounding up first."""
    return np.where(b == 0, a / b, np.round((a - np.mod(a, b)) / b))


def rows(listing: str) -> dict[str, Row]:
    """Give the floating rows, with what they are compared to."""
    t, s, m = torch, torch.special, mpmath
    phi = lambda x: m.log1p(-m.erfc(x / m.sqrt(2)) / 2) if x > 0 else m.log(m.erfc(-x / m.sqrt(2)) / 2)  # noqa: E731
    known: dict[str, tuple] = {
        "add": (np.add, lambda a, b: a + b, t.add),
        "sub": (np.subtract, lambda a, b: a - b, t.sub),
        "mul": (np.multiply, lambda a, b: a * b, t.mul),
        "div": (np.divide, lambda a, b: a / b, t.div),
        "neg": (np.negative, lambda a: -a, t.neg),
        "abs": (np.abs, abs, t.abs),
        "sign": (np.sign, m.sign, t.sign),
        "maximum": (np.maximum, max, t.maximum),
        "minimum": (np.minimum, min, t.minimum),
        "fma": (lambda a, b, c: a * b + c, lambda a, b, c: a * b + c, None),
        "reciprocal": (lambda a: 1 / a, lambda a: 1 / a, t.reciprocal),
        "square": (np.square, lambda a: a * a, t.square),
        "hypot": (np.hypot, m.hypot, t.hypot),
        "copysign": (np.copysign, None, t.copysign),
        "heaviside": (lambda a, b: np.where(a == 0, b, (a > 0) * 1.0), None, t.heaviside),
        "nextafter": (None, None, t.nextafter),
        "ldexp": (lambda a, b: a * np.exp2(b).astype(np.float32), None, t.ldexp),
        "frexp_mantissa": (lambda a: np.frexp(a)[0], None, lambda a: t.frexp(a)[0]),
        "frexp_exponent": (lambda a: np.where(np.isfinite(a), np.frexp(a)[1], 0).astype(np.float64), None, None),
        "sqrt": (np.sqrt, m.sqrt, t.sqrt),
        "rsqrt": (lambda a: 1 / np.sqrt(a), lambda a: 1 / m.sqrt(a), t.rsqrt),
        "exp": (np.exp, m.exp, t.exp),
        "exp2": (np.exp2, lambda a: m.mpf(2) ** a, t.exp2),
        "expm1": (np.expm1, m.expm1, t.expm1),
        "log": (np.log, m.log, t.log),
        "log2": (np.log2, lambda a: m.log(a) / m.log(2), t.log2),
        "log10": (np.log10, m.log10, t.log10),
        "log1p": (np.log1p, m.log1p, t.log1p),
        "pow": (np.power, lambda a, b: m.power(a, b), t.pow),
        "logaddexp": (np.logaddexp, lambda a, b: m.log(m.exp(a) + m.exp(b)), t.logaddexp),
        "logaddexp2": (np.logaddexp2, lambda a, b: m.log(m.mpf(2) ** a + m.mpf(2) ** b) / m.log(2), t.logaddexp2),
        "xlogy": (sp.xlogy, lambda a, b: a * m.log(b), t.xlogy),
        "xlog1py": (sp.xlog1py, lambda a, b: a * m.log1p(b), s.xlog1py),
        "entr": (sp.entr, lambda a: -a * m.log(a), s.entr),
        "repro_log": (np.log, m.log, t.log),
        "repro_exp": (np.exp, m.exp, t.exp),
        "repro_sqrt": (np.sqrt, m.sqrt, t.sqrt),
        "repro_reciprocal": (lambda a: 1 / a, lambda a: 1 / a, t.reciprocal),
        "repro_sinpi": (sinpi, m.sinpi, None),
        "repro_cospi": (cospi, m.cospi, None),
        "sin": (np.sin, m.sin, t.sin),
        "cos": (np.cos, m.cos, t.cos),
        "tan": (np.tan, m.tan, t.tan),
        "asin": (np.arcsin, m.asin, t.asin),
        "acos": (np.arccos, m.acos, t.acos),
        "atan": (np.arctan, m.atan, t.atan),
        "atan2": (np.arctan2, m.atan2, t.atan2),
        "sinh": (np.sinh, m.sinh, t.sinh),
        "cosh": (np.cosh, m.cosh, t.cosh),
        "tanh": (np.tanh, m.tanh, t.tanh),
        "asinh": (np.arcsinh, m.asinh, t.asinh),
        "acosh": (np.arccosh, m.acosh, t.acosh),
        "atanh": (np.arctanh, m.atanh, t.atanh),
        "erf": (sp.erf, m.erf, t.erf),
        "erfc": (sp.erfc, m.erfc, t.erfc),
        "erfinv": (sp.erfinv, m.erfinv, t.erfinv),
        "erfcx": (sp.erfcx, lambda a: m.exp(a * a) * m.erfc(a), s.erfcx),
        "sinc": (lambda a: np.where(a == 0, 1.0, sinpi(a) / (np.pi * np.where(a == 0, 1, a))), m.sincpi, t.sinc),
        "sigmoid": (sp.expit, lambda a: 1 / (1 + m.exp(-a)), t.sigmoid),
        "log_sigmoid": (sp.log_expit, lambda a: -m.log1p(m.exp(-a)), torch.nn.functional.logsigmoid),
        "softsign": (lambda a: a / (1 + np.abs(a)), lambda a: a / (1 + abs(a)), torch.nn.functional.softsign),
        "floor": (np.floor, m.floor, t.floor),
        "ceil": (np.ceil, m.ceil, t.ceil),
        "trunc": (np.trunc, None, t.trunc),
        "round": (np.round, None, t.round),
        "fmod": (np.fmod, None, t.fmod),
        "remainder": (lambda a, b: np.mod(a, b), None, t.remainder),
        "trunc_div": (lambda a, b: np.trunc(a / b), None, lambda a, b: t.div(a, b, rounding_mode="trunc")),
        "floor_div": (floor_div, None, t.floor_divide),
        "lgamma": (sp.gammaln, lambda a: m.loggamma(a).real, t.lgamma),
        "digamma": (sp.digamma, m.digamma, t.digamma),
        "trigamma": (lambda a: sp.polygamma(1, a), lambda a: m.polygamma(1, a), lambda a: t.polygamma(1, a)),
        "polygamma": (lambda n, a: sp.polygamma(np.trunc(n).astype(int), a), lambda n, a: m.polygamma(int(n), a), None),
        "zeta": (sp.zeta, m.zeta, s.zeta),
        "igamma": (sp.gammainc, lambda a, b: m.gammainc(a, 0, b, regularized=True), s.gammainc),
        "igammac": (sp.gammaincc, lambda a, b: m.gammainc(a, b, m.inf, regularized=True), s.gammaincc),
        "i0": (sp.i0, lambda a: m.besseli(0, a), t.i0),
        "i0e": (sp.i0e, lambda a: m.besseli(0, a) * m.exp(-abs(a)), s.i0e),
        "i1": (sp.i1, lambda a: m.besseli(1, a), s.i1),
        "i1e": (sp.i1e, lambda a: m.besseli(1, a) * m.exp(-abs(a)), s.i1e),
        "bessel_j0": (wave(True, sp.j0, 0), lambda a: m.besselj(0, a), s.bessel_j0),
        "bessel_j1": (wave(True, sp.j1, 1), lambda a: m.besselj(1, a), s.bessel_j1),
        "bessel_y0": (wave(False, sp.y0, 0), lambda a: m.bessely(0, a), s.bessel_y0),
        "bessel_y1": (wave(False, sp.y1, 1), lambda a: m.bessely(1, a), s.bessel_y1),
        "modified_bessel_k0": (sp.k0, lambda a: m.besselk(0, a), s.modified_bessel_k0),
        "modified_bessel_k1": (sp.k1, lambda a: m.besselk(1, a), s.modified_bessel_k1),
        "scaled_modified_bessel_k0": (sp.k0e, lambda a: m.besselk(0, a) * m.exp(a), s.scaled_modified_bessel_k0),
        "scaled_modified_bessel_k1": (sp.k1e, lambda a: m.besselk(1, a) * m.exp(a), s.scaled_modified_bessel_k1),
        "spherical_bessel_j0": (
            lambda a: np.where(a == 0, 1.0, np.where(np.isinf(a), 0.0, np.sin(a) / a)),
            m.sinc,
            s.spherical_bessel_j0,
        ),
        "ndtri": (sp.ndtri, lambda a: m.sqrt(2) * m.erfinv(2 * a - 1), s.ndtri),
        "log_ndtr": (sp.log_ndtr, phi, s.log_ndtr),
        "chebyshev_t": (lambda a, n: sp.eval_chebyt(np.trunc(n).astype(int), a), None, s.chebyshev_polynomial_t),
        "chebyshev_u": (lambda a, n: sp.eval_chebyu(np.trunc(n).astype(int), a), None, s.chebyshev_polynomial_u),
        "hermite_h": (lambda a, n: sp.eval_hermite(np.trunc(n).astype(int), a), None, s.hermite_polynomial_h),
        "hermite_he": (lambda a, n: sp.eval_hermitenorm(np.trunc(n).astype(int), a), None, s.hermite_polynomial_he),
        "laguerre_l": (lambda a, n: sp.eval_laguerre(np.trunc(n).astype(int), a), None, s.laguerre_polynomial_l),
        "legendre_p": (lambda a, n: sp.eval_legendre(np.trunc(n).astype(int), a), None, s.legendre_polynomial_p),
    }
    table = {}
    for line in listing.splitlines():
        _, name, arity, result, floating, _, _ = line.split()
        if floating == "1" and name in known:
            table[name] = Row(name, int(arity), result == "boolean", *known[name])
    return table


# ---- operands

# Rows with an operand that is a degree: which.
WHOLE = {"polygamma": 0, **dict.fromkeys(["chebyshev_t", "chebyshev_u", "hermite_h", "hermite_he", "laguerre_l", "legendre_p"], 1)}
SPECIAL = [
    math.nan,
    math.inf,
    -math.inf,
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    -0.5,
    2.0,
    -2.0,
    3.0,
    -3.0,
    100.0,
    -100.0,
    1e-30,
    -1e-30,
    1e30,
    -1e30,
]


def sweep(stride: int, part: int) -> Array:
    """Give part of all float32 values, every stride-th but for a random step, so that no low bit is always 0. A part is 2^20 values."""
    index = np.arange(part << 20, min((part + 1) << 20, (1 << 32) // stride), dtype=np.uint64) * np.uint64(stride)
    index += np.random.default_rng(part).integers(0, stride, index.size).astype(np.uint64)
    return index.astype(np.uint32).view(np.float32)


def samples(arity: int, whole: int, dtype: type, count: int) -> list[Array]:
    """Give operands of moderate size, of all sizes, and special ones; operand `whole` is a degree."""
    rng = np.random.default_rng(arity)
    moderate = rng.uniform(-6, 6, (arity, count // 2))
    sizes = 10.0 ** rng.uniform(-20, 20, (arity, count // 4)) * rng.choice([-1, 1], (arity, count // 4))
    positive = rng.uniform(0, 40, (arity, count // 4))
    if dtype == np.float64:  # a reference of 50 digits may take minutes at huge operands
        x = np.hstack([moderate, positive])
        if whole >= 0:
            x[whole] = rng.integers(0, 8, x.shape[1])
        if whole == 1:
            x[0] = np.clip(x[0], -3, 3)
        return list(np.ascontiguousarray(x))
    grid = np.array(np.meshgrid(*[SPECIAL] * min(arity, 2))).reshape(min(arity, 2), -1)
    if arity == 3:
        grid = np.vstack([grid, np.roll(grid[:1], 7)])
    x = np.hstack([moderate, sizes, positive, grid])
    if whole == 0:  # left of 0 it crosses zero between any two poles
        x[1] = np.abs(x[1])
    if whole >= 0:
        x[whole] = rng.integers(0, 8, x.shape[1])
    if whole == 1:
        x[0] = np.clip(x[0], -3, 3)
    return [np.ascontiguousarray(v, dtype) for v in x]


# ---- results


class Runtime:
    """One OpenCL implementation, or the reference plugin, behind evaluate_rows."""

    def __init__(self, name: str, tool: Path) -> None:
        self.name, self.tool = name, tool
        self.device = ""

    def run(self, names: Sequence[str], dtype: type, operands: Sequence[Array], booleans: set[str]) -> dict[str, Array] | None:
        """Evaluate rows; nothing if the device declines the dtype."""
        with tempfile.TemporaryDirectory() as folder:
            paths = []
            for k, x in enumerate(operands):
                paths.append(str(Path(folder) / f"in{k}"))
                x.tofile(paths[-1])
            out = Path(folder) / "out"
            plugin = "reference" if self.name == "reference" else "opencl"
            command = [
                str(self.tool),
                "--plugin",
                plugin,
                "--dtype",
                np.dtype(dtype).name,
                "--ops",
                ",".join(names),
                "--in",
                *paths,
            ]
            command += ["--out", str(out)]
            if self.name != "reference":
                command = [str(ROOT / "scripts" / "with-runtime"), self.name, *command]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode == 3:
                return None
            if done.returncode != 0:
                raise RuntimeError(f"{self.name}: {done.stderr.strip() or done.returncode}")
            self.device = done.stdout.strip()
            data, at, results = out.read_bytes(), 0, {}
            for name in names:
                kind = np.dtype(np.uint8) if name in booleans else np.dtype(dtype)
                size = operands[0].size * kind.itemsize
                results[name] = np.frombuffer(data[at : at + size], kind)
                at += size
            return results


def unit(reference: Array, size: Array | float, dtype: type) -> Array:
    """Give the distance of neighbours at the reference, or at `size` where that is larger."""
    info = np.finfo(dtype)
    magnitude = np.maximum(np.maximum(np.abs(reference), size), float(info.tiny))
    return np.exp2(np.floor(np.log2(np.where(np.isfinite(magnitude), magnitude, 1))) - info.nmant)


@dataclass
class Worst:
    """The largest error so far, where, and PyTorch's."""

    error: float = 0.0
    at: tuple[float, ...] = ()
    torch: float = 0.0
    has_torch: bool = False
    astray: list[str] = field(default_factory=list)


def judge(
    row: Row,
    dtype: type,
    x: Sequence[Array],
    got: Array,
    reference: Array,
    rounding: Array,
    theirs: Array | None,
    worst: Worst,
    flushes: bool,
) -> None:
    """Add one batch: `reference` as float64, `rounding` what is to be added to a result's difference from it (its own low part)."""
    info = np.finfo(dtype)
    tiny, most = float(info.tiny), float(info.max)
    counts = np.isfinite(reference) & (np.abs(reference) <= most * (1 - 1e-5)) & ((np.abs(reference) >= tiny) | (reference == 0))
    if flushes:
        counts &= np.logical_and.reduce([(np.abs(v) >= tiny) | (v == 0) for v in x])
    size = (
        SIZE[row.name](
            np.maximum.reduce([np.abs(v) for v in x])
            if row.name.startswith("logadd")
            else x[row.name == "polygamma"].astype(np.float64)
        )
        if row.name in SIZE
        else 0.0
    )
    step = unit(reference, size, dtype)
    value = got.astype(np.float64)
    if theirs is not None:  # a reference may continue a function beyond PyTorch's domain
        counts &= ~(np.isnan(value) & np.isnan(theirs))
    error = np.where(counts, np.abs((value - reference) - rounding) / step, 0.0)
    error = np.where(np.isnan(error), np.inf, error)
    i = int(np.argmax(error))
    if error[i] > worst.error:
        worst.error, worst.at = float(error[i]), tuple(float(v[i]) for v in x)
    if theirs is None:
        return
    worst.has_torch = True
    their = theirs.astype(np.float64)
    error = np.where(counts & np.isfinite(their), np.abs((their - reference) - rounding) / step, 0.0)
    worst.torch = max(worst.torch, float(np.max(error)))
    # NaN and infinities belong where PyTorch has them, unless PyTorch itself is wrong there.
    odd = (np.isnan(value) != np.isnan(their)) | (np.isinf(their) & np.isinf(reference) & (value != their))
    right = np.isfinite(reference) & counts & (np.abs(value - reference) <= row.limits[dtype == np.float64] * step)
    right |= (np.isnan(reference) & np.isnan(value)) | (np.isinf(reference) & (value == reference))
    odd &= ~right
    if row.name in DEFINED:
        odd &= ~(np.isnan(their) | np.isnan(value))
    if flushes:
        odd &= np.logical_and.reduce([(np.abs(v) >= tiny) | (v == 0) for v in x])
    for i in np.flatnonzero(odd)[:3]:
        worst.astray.append(f"{row.name}({', '.join(repr(float(v[i])) for v in x)}) is {value[i]}, PyTorch's is {their[i]}")


def their_values(row: Row, x: Sequence[Array]) -> Array | None:
    """Give PyTorch's results on the CPU."""
    if row.theirs is None:
        return None
    return row.theirs(*[torch.from_numpy(np.ascontiguousarray(v)) for v in x]).numpy()


def exact_values(row: Row, x: Sequence[Array]) -> tuple[Array, Array]:
    """Give results to 50 digits, as two float64 that add up to them."""
    high, low = np.full(x[0].size, np.nan), np.zeros(x[0].size)

    def late(*_: object) -> None:
        raise TimeoutError

    # One evaluation alone may take minutes, so that a look at the clock between them would not do.
    signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        for i in range(x[0].size):
            try:
                y = row.exact(*[mpmath.mpf(float(v[i])) for v in x])
                y = mpmath.mpf(y.real) if getattr(y, "imag", 0) == 0 else mpmath.nan
            except (ValueError, ZeroDivisionError, OverflowError, TypeError, NoConvergence):
                continue
            if math.isfinite(float(y)):
                low[i] = float(y - mpmath.mpf(float(y)))
            high[i] = float(y)
    except TimeoutError:
        pass
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return high, low


Table = dict[tuple[str, str, str], Worst]


def measure(runtimes: Sequence[Runtime], table: dict[str, Row], stride: int, only: set[str]) -> Table:
    """Measure everything; prints a line for each step."""
    mpmath.mp.dps = 50
    result: Table = {}
    chosen = [r for r in table.values() if not r.boolean and (not only or r.name in only)]
    booleans = {r.name for r in table.values() if r.boolean}
    flushes = {}
    for runtime in runtimes:
        tiny = np.array([1e-40], np.float32)
        flushes[runtime.name] = runtime.run(["add"], np.float32, [tiny, 0 * tiny], booleans)["add"][0] == 0

    def batch(batch_rows: Sequence[Row], dtype: type, x: Sequence[Array], references: dict[str, tuple[Array, Array]]) -> None:
        theirs = {r.name: their_values(r, x) for r in batch_rows}
        for runtime in runtimes:
            begin = time.monotonic()
            got = runtime.run([r.name for r in batch_rows], dtype, x, booleans)
            if got is None:
                continue
            for row in batch_rows:
                worst = result.setdefault((row.name, np.dtype(dtype).name, runtime.name), Worst())
                high, low = references[row.name]
                judge(row, dtype, x, got[row.name], high, low, theirs[row.name], worst, flushes[runtime.name])
            print(
                f"{runtime.name}: {len(batch_rows)} rows, {np.dtype(dtype).name}, {x[0].size} operands, {time.monotonic() - begin:.1f} s",
                flush=True,
            )

    def wide(row: Row, x: Sequence[Array]) -> tuple[Array, Array]:
        if row.name == "nextafter":
            y = np.nextafter(x[0], x[1]).astype(np.float64)
        else:
            y = np.asarray(row.wide(*[v.astype(np.float64) for v in x]), np.float64)
        return y, np.zeros_like(y)

    unary = [r for r in chosen if r.arity == 1]
    parts = max(1, ((1 << 32) // stride) >> 20)
    for part in range(parts):
        x = [sweep(stride, part)]
        if part == 0:
            dense = np.random.default_rng(1).uniform(-12, 12, 1 << 15)
            x = [np.concatenate([x[0], dense, dense / 12, SPECIAL, np.arange(-40, 41) / 4]).astype(np.float32)]
        for first in range(0, len(unary), 20):
            group = unary[first : first + 20]
            batch(group, np.float32, x, {r.name: wide(r, x) for r in group})
    groups: dict[tuple[int, int], list[Row]] = {}
    for row in chosen:
        if row.arity > 1:
            groups.setdefault((row.arity, WHOLE.get(row.name, -1)), []).append(row)
    for (arity, whole), group in groups.items():
        x = samples(arity, whole, np.float32, 1 << 14)
        batch(group, np.float32, x, {r.name: wide(r, x) for r in group})
    groups[1, -1] = unary
    for (arity, whole), group in groups.items():
        x = samples(arity, whole, np.float64, 256)
        known = [r for r in group if r.exact is not None]
        if known:
            batch(known, np.float64, x, {r.name: exact_values(r, x) for r in known})
    return result


# ---- the page


def number(error: float) -> str:
    """Give an error with two or three digits."""
    return "inf" if math.isinf(error) else f"{error:.2f}" if error < 10 else f"{error:.0f}" if error < 1e4 else f"{error:.1e}"


def write(page: Path, runtimes: Sequence[Runtime], table: dict[str, Row], result: Table, stride: int) -> None:
    """Replace the generated part of the page."""
    lines = [
        BEGIN,
        "",
        f"Every {stride}-th float32 value for rows of one operand."
        if stride > 1
        else "All float32 values for rows of one operand.",
        "",
    ]
    lines += [f"- **{r.name}**: {r.device}" for r in runtimes]
    for dtype, k in (("float32", 0), ("float64", 1)):
        names = [n for n in table if any((n, dtype, r.name) in result for r in runtimes)]
        if not names:
            continue
        lines += ["", f"## {dtype}", "", "| row | " + " | ".join(r.name for r in runtimes) + " | PyTorch CPU | limit |"]
        lines.append("| --- |" + " ---: |" * (len(runtimes) + 2))
        for name in names:
            cells = []
            for runtime in runtimes:
                worst = result.get((name, dtype, runtime.name))
                cells.append("–" if worst is None else number(worst.error))
            any_worst = next(w for r in runtimes if (w := result.get((name, dtype, r.name))))
            theirs = number(any_worst.torch) if any_worst.has_torch else "–"
            lines.append(f"| {name} | " + " | ".join(cells) + f" | {theirs} | {number(table[name].limits[k])} |")
    lines += ["", END, ""]
    text = page.read_text()
    head = text[: text.index(BEGIN)]
    page.write_text(head + "\n".join(lines))


def main() -> int:
    """Measure, write, and say which limits are passed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--runtime",
        action="append",
        choices=["pocl", "intel", "rusticl", "reference"],
        help="one to measure; may repeat (default: pocl)",
    )
    parser.add_argument("--stride", type=int, default=4096, help="every how many float32 values; 1 is all (default: %(default)s)")
    parser.add_argument("--op", action="append", default=[], help="only this row; may repeat")
    parser.add_argument(
        "--tool", type=Path, default=ROOT / "build" / "release" / "bin" / "evaluate_rows", help="the program that evaluates rows"
    )
    parser.add_argument("--write", action="store_true", help="write docs/numerics.md")
    args = parser.parse_args()
    if args.stride < 1 or args.stride & (args.stride - 1):
        parser.error("--stride is a power of two")
    if not args.tool.exists():
        parser.error(f"{args.tool} is not built: run scripts/test build first, or give --tool")
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    torch.set_num_threads(os.cpu_count() or 1)
    runtimes = [Runtime(name, args.tool) for name in args.runtime or ["pocl"]]
    listing = subprocess.run([args.tool, "--list"], capture_output=True, text=True, check=True).stdout
    table = rows(listing)
    unknown = [w[1] for line in listing.splitlines() if (w := line.split())[4] == "1" and w[3] == "same" and w[1] not in table]
    if unknown:
        print("not compared, no reference: " + ", ".join(unknown))
    result = measure(runtimes, table, args.stride, set(args.op))
    failures = 0
    for (name, dtype, runtime), worst in result.items():
        limit = max(table[name].limits[dtype == "float64"], worst.torch)
        bad = worst.error > limit or worst.astray
        failures += bool(bad)
        if bad or args.op:
            at = ", ".join(repr(v) for v in worst.at)
            print(
                f"{'PASSED LIMIT' if bad else 'ok'}: {name} {dtype} {runtime}: {worst.error:.4g} ULP at {at}; limit {limit:.4g}, PyTorch {worst.torch:.4g}"
            )
            for line in worst.astray:
                print(f"  {line}")
    print(f"{len(result)} measurements, {failures} beyond their limits")
    if args.write:
        write(PAGE, runtimes, table, result, args.stride)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
