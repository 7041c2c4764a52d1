"""What scripts/ulp compares each row of elementwise.def with: references in float64 and in many digits, PyTorch's function, and the limits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import mpmath
import numpy as np
import scipy.special as sp
import torch

Array = np.ndarray
Reference = Callable[..., Array]

# Rows with an operand that is a degree: which.
POLYNOMIALS = ["chebyshev_t", "chebyshev_u", "chebyshev_v", "chebyshev_w", "hermite_h", "hermite_he", "laguerre_l", "legendre_p"]
WHOLE = {"polygamma": 0, **dict.fromkeys(POLYNOMIALS, 1)}
# Limits in ULP for float32 and float64. Exact rows first, which only rearrange or compare; then OpenCL's own.
EXACT = [
    "abs",
    "neg",
    "sign",
    "maximum",
    "minimum",
    "floor",
    "ceil",
    "trunc",
    "round",
    "fmod",
    "copysign",
    "nextafter",
    "heaviside",
    "frexp_mantissa",
    "frexp_exponent",
    "isnan",
    "isinf",
    "isfinite",
    "signbit",
    "logical_not",
    "logical_and",
    "logical_or",
    "logical_xor",
    "eq",
    "ne",
    "lt",
    "le",
    "gt",
    "ge",
]
OPENCL: dict[str, tuple[float, float]] = {
    **dict.fromkeys(EXACT, (0, 0)),
    **dict.fromkeys(["add", "sub", "mul", "fma", "square"], (0.5, 0.5)),
    **dict.fromkeys(["div", "reciprocal"], (2.5, 0.5)),
    **dict.fromkeys(["exp", "exp2", "expm1", "log", "log2", "log10"], (3, 3)),
    **dict.fromkeys(["sin", "cos", "asin", "acos", "sinh", "cosh", "asinh", "acosh", "hypot"], (4, 4)),
    **dict.fromkeys(["tan", "atan", "tanh", "atanh"], (5, 5)),
    **dict.fromkeys(["erf", "erfc", "pow"], (16, 16)),
    "log1p": (2, 2),
    "atan2": (6, 6),
    "sqrt": (3, 0.5),
    "rsqrt": (2, 2),
}
# Functions that OpenCL lacks: as its erf and pow, but where the row promises more, or has OpenCL's own parts. Quotients that are rounded to whole numbers
# are off by one at most. Polynomials add up the roundings of their recurrences.
OURS: dict[str, tuple[float, float]] = {
    **dict.fromkeys(["repro_log", "repro_exp", "repro_sqrt", "repro_reciprocal", "repro_sinpi", "repro_cospi"], (2, 2)),
    **dict.fromkeys(["trunc_div", "floor_div"], (1, 1)),
    "remainder": (0.5, 0.5),
    "ldexp": (4, 4),
    "sigmoid": (6, 4),
    **dict.fromkeys(POLYNOMIALS, (32, 32)),
}
OTHERS = (16.0, 16.0)
# Rows that have NaN elsewhere than PyTorch: I is infinite at infinity; zeta is 0 for a huge power, and not summed left of -10^6; Ai is 0 for what PyTorch's
# powers overflow.
DEFINED = {"i0", "i1", "zeta", "airy_ai"}
# Rows that add term after term from a negative operand up: which, of what number.
FOLDED = {"zeta": 1}
# Where an implementation is proven wrong (docs/runtimes.md): what its row may have instead.
EXCEPTIONS = {("erfc", "float32", "rusticl"): 80.0}
# Ai oscillates so fast left of this that neighbouring float32 numbers are a radian apart.
AIRY_LEFT = -4e4

# Near a zero that is not a number of the type, a function's last place means nothing: there the unit is that of this size instead.
Size = Callable[..., Array]
SIZE: dict[str, Size] = {
    **dict.fromkeys(
        ["bessel_j0", "bessel_j1", "bessel_y0", "bessel_y1"],
        lambda x: np.where(np.abs(x) > 0.5, np.sqrt(2 / (np.pi * np.maximum(np.abs(x), 1))), 0),
    ),
    "airy_ai": lambda x: np.where(x < -2, np.maximum(-x, 1) ** -0.25 / np.sqrt(np.pi), 0),
    **dict.fromkeys(["lgamma", "digamma"], lambda x: np.where(x < 0, 1.0, 0.0)),
    **dict.fromkeys([p for p in POLYNOMIALS if not p.startswith("hermite")], lambda x, n: np.ones_like(x)),
    "hermite_h": lambda x, n: np.where(x * x < 2 * n + 1, np.exp(x * x / 2) * np.sqrt(np.exp2(n) * sp.gamma(n + 1)), 0),
    "hermite_he": lambda x, n: np.where(x * x < 4 * n + 2, np.exp(x * x / 4) * np.sqrt(sp.gamma(n + 1)), 0),
    **dict.fromkeys(["logaddexp", "logaddexp2"], lambda x, y: np.maximum(np.abs(x), np.abs(y))),
}


@dataclass
class Row:
    """One row: its reference in float64, in many digits, and PyTorch's function."""

    name: str
    arity: int
    boolean: bool
    domain: str
    wide: Reference
    exact: Callable[..., object]
    theirs: Callable[..., torch.Tensor] | None = None
    limits: tuple[float, float] = field(init=False)
    whose: str = field(init=False)

    def __post_init__(self) -> None:
        """Look the limits up, and whose they are."""
        self.whose = "OpenCL" if self.name in OPENCL else "ours"
        self.limits = OPENCL.get(self.name) or OURS.get(self.name, OTHERS)

    def size(self, x: Sequence[Array], mantissa: int) -> Array | float:
        """Give the least size that counts for the unit, of float64 operands."""
        if self.name in ("trunc_div", "floor_div"):
            return 2.0**mantissa
        return SIZE[self.name](*x) if self.name in SIZE else 0.0


def wave(first: bool, second: Reference, order: int) -> Reference:
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


def product_with_power(a: Array, b: Array) -> Array:
    """Multiply a by 2^b where that is a normal float32, or infinite, or 0."""
    power, info = np.exp2(b), np.finfo(np.float32)
    power = np.where(power > float(info.max), np.inf, np.where(power < float(info.smallest_subnormal) / 4, 0.0, power))
    return a * np.where((power > 0) & (power < float(info.tiny)), np.nan, power)


def trigamma(x: Array) -> Array:
    """SciPy's on the right, which sums term by term on the left; there by reflection."""
    right = sp.polygamma(1, np.where(x < 0.5, 1 - x, x))
    return np.where(x < 0.5, (np.pi / sinpi(x)) ** 2 - right, np.where(np.isnan(x), x, right))


def airy(x: Array) -> Array:
    """SciPy's Ai near 0; on the left the asymptotic form to z^-7, its phase in extended precision; NaN where it is not resolved."""
    y = np.full(x.shape, np.nan)
    near, left, right = np.abs(x) < 30, (x <= -30) & (x >= AIRY_LEFT), (x >= 30) & (x < np.inf)
    y[near] = sp.airy(x[near])[0]
    beyond = np.minimum(x[right], 1e4)
    y[right] = sp.airye(beyond)[0] * np.exp(-beyond * np.sqrt(beyond) / 1.5)
    a = -x[left].astype(np.longdouble)
    z = a * np.sqrt(a) / np.longdouble(1.5)
    u = [1.0]
    for k in range(1, 8):
        u.append(u[-1] * (6 * k - 5) * (6 * k - 3) * (6 * k - 1) / (216 * k * (2 * k - 1)))
    p = u[0] - u[2] / z**2 + u[4] / z**4 - u[6] / z**6
    q = u[1] / z - u[3] / z**3 + u[5] / z**5 - u[7] / z**7
    s, c = np.sin(z), np.cos(z)
    y[left] = ((s + c) * p - (c - s) * q) / np.sqrt(2 * np.pi * np.sqrt(a))
    return y


def exact_zeta(s: mpmath.mpf, q: mpmath.mpf) -> mpmath.mpf:
    """mpmath's, which is right to so many digits after the point: with those that a small result needs."""
    with mpmath.workdps(mpmath.mp.dps + 10 + int(abs(s) * mpmath.log10(2 + abs(q)))):
        return mpmath.zeta(s, q)


def incomplete(a: mpmath.mpf, x: mpmath.mpf) -> tuple[mpmath.mpf, mpmath.mpf]:
    """P(a, x) and Q(a, x) by the series of P, with digits to spare for the difference; mpmath's own loops for some operands."""
    if not (a > 0 and x > 0):
        return mpmath.nan, mpmath.nan
    with mpmath.workdps(mpmath.mp.dps + 10 + (int(x / 2) if x > a else 0)):
        term = total = mpmath.mpf(1)
        k = a
        while term > total * mpmath.eps:
            k += 1
            term *= x / k
            total += term
        lower = mpmath.exp(a * mpmath.log(x) - x - mpmath.loggamma(a + 1)) * total
        return lower, 1 - lower


def of_degree(function: Callable[[Array, Array], Array]) -> Reference:
    """SciPy's polynomial, with the operands in our order; a fraction of the degree is dropped, and of a negative one it is 0."""
    return lambda a, n: np.where(n <= -1, 0.0, function(np.trunc(np.maximum(n, 0)).astype(int), a))


def zeta(s: Array, q: Array) -> Array:
    """SciPy's, but where it would sum a million terms."""
    return np.where(q < -1e4, np.nan, sp.zeta(s, np.maximum(q, -1e4)))


def rows(listing: str) -> dict[str, Row]:
    """Give the floating rows of `evaluate_rows --list`, with what they are compared to."""
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
        "copysign": (np.copysign, np.copysign, t.copysign),
        "heaviside": (lambda a, b: np.where(a == 0, b, (a > 0) * 1.0), lambda a, b: b if a == 0 else a > 0, t.heaviside),
        "nextafter": (np.nextafter, np.nextafter, t.nextafter),
        "ldexp": (product_with_power, lambda a, b: a * m.mpf(2) ** b if abs(b) < 126 else m.nan, t.ldexp),
        "frexp_mantissa": (lambda a: np.frexp(a)[0], lambda a: np.frexp(a)[0], lambda a: t.frexp(a)[0]),
        "frexp_exponent": (lambda a: np.where(np.isfinite(a), np.frexp(a)[1], 0), lambda a: np.frexp(a)[1], None),
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
        "trunc": (np.trunc, np.trunc, t.trunc),
        "round": (np.rint, np.rint, t.round),
        "fmod": (np.fmod, np.fmod, t.fmod),
        "remainder": (np.mod, lambda a, b: a - b * m.floor(a / b), t.remainder),
        "trunc_div": (
            lambda a, b: np.trunc(a / b),
            lambda a, b: m.sign(a / b) * m.floor(abs(a / b)),
            lambda a, b: t.div(a, b, rounding_mode="trunc"),
        ),
        "floor_div": (floor_div, lambda a, b: m.floor(a / b), t.floor_divide),
        "lgamma": (sp.gammaln, lambda a: m.loggamma(a).real, t.lgamma),
        "digamma": (sp.digamma, m.digamma, t.digamma),
        "trigamma": (trigamma, lambda a: m.polygamma(1, a), lambda a: t.polygamma(1, a)),
        "polygamma": (lambda n, a: sp.polygamma(np.trunc(n).astype(int), a), lambda n, a: m.polygamma(int(n), a), None),
        "zeta": (zeta, exact_zeta, s.zeta),
        "igamma": (sp.gammainc, lambda a, b: incomplete(a, b)[0], s.gammainc),
        "igammac": (sp.gammaincc, lambda a, b: incomplete(a, b)[1], s.gammaincc),
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
        "airy_ai": (airy, m.airyai, s.airy_ai),
        "chebyshev_t": (of_degree(sp.eval_chebyt), lambda a, n: m.chebyt(n, a), s.chebyshev_polynomial_t),
        "chebyshev_u": (of_degree(sp.eval_chebyu), lambda a, n: m.chebyu(n, a), s.chebyshev_polynomial_u),
        "chebyshev_v": (
            lambda a, n: of_degree(sp.eval_chebyu)(a, n) - np.where(n > 0, of_degree(sp.eval_chebyu)(a, n - 1), 0),
            lambda a, n: m.chebyu(n, a) - (m.chebyu(n - 1, a) if n > 0 else 0),
            s.chebyshev_polynomial_v,
        ),
        "chebyshev_w": (
            lambda a, n: of_degree(sp.eval_chebyu)(a, n) + np.where(n > 0, of_degree(sp.eval_chebyu)(a, n - 1), 0),
            lambda a, n: m.chebyu(n, a) + (m.chebyu(n - 1, a) if n > 0 else 0),
            s.chebyshev_polynomial_w,
        ),
        "hermite_h": (of_degree(sp.eval_hermite), lambda a, n: m.hermite(n, a), s.hermite_polynomial_h),
        "hermite_he": (
            of_degree(sp.eval_hermitenorm),
            lambda a, n: m.hermite(n, a / m.sqrt(2)) / m.sqrt(2) ** n,
            s.hermite_polynomial_he,
        ),
        "laguerre_l": (of_degree(sp.eval_laguerre), lambda a, n: m.laguerre(n, 0, a), s.laguerre_polynomial_l),
        "legendre_p": (of_degree(sp.eval_legendre), lambda a, n: m.legendre(n, a), s.legendre_polynomial_p),
        "isnan": (np.isnan, np.isnan, t.isnan),
        "isinf": (np.isinf, np.isinf, t.isinf),
        "isfinite": (np.isfinite, np.isfinite, t.isfinite),
        "signbit": (np.signbit, np.signbit, t.signbit),
        "logical_not": (np.logical_not, np.logical_not, t.logical_not),
        "logical_and": (np.logical_and, np.logical_and, t.logical_and),
        "logical_or": (np.logical_or, np.logical_or, t.logical_or),
        "logical_xor": (np.logical_xor, np.logical_xor, t.logical_xor),
        "eq": (np.equal, np.equal, t.eq),
        "ne": (np.not_equal, np.not_equal, t.ne),
        "lt": (np.less, np.less, t.lt),
        "le": (np.less_equal, np.less_equal, t.le),
        "gt": (np.greater, np.greater, t.gt),
        "ge": (np.greater_equal, np.greater_equal, t.ge),
    }
    table = {}
    for line in listing.splitlines():
        _, name, arity, result, floating, _, domain = line.split()
        if floating == "1" and name in known:
            table[name] = Row(name, int(arity), result == "boolean", domain, *known[name])
    return table


def without_reference(listing: str, table: dict[str, Row]) -> list[str]:
    """Name the floating rows that the table lacks."""
    return [words[1] for line in listing.splitlines() if (words := line.split())[4] == "1" and words[1] not in table]
