"""Special functions and rarer pointwise ops against the CPU, with gradients where there are any, and at NaN, infinities and zeros."""

import pytest
import torch
from common import assert_same, check, draw, moved

# name: (low, high) of the operand
UNARY = {
    "digamma": (0.2, 4), "erfinv": (-0.9, 0.9), "lgamma": (0.2, 4), "i0": (-2, 2), "special.i0e": (-2, 2), "special.i1": (-2, 2), "special.i1e": (-2, 2),
    "special.entr": (0.1, 2), "special.erfcx": (-1, 2), "special.log_ndtr": (-3, 2), "special.ndtri": (0.1, 0.9), "angle": (-2, 2),
    "special.airy_ai": (-2, 2), "special.bessel_j0": (-2, 2), "special.bessel_j1": (-2, 2), "special.bessel_y0": (0.2, 3), "special.bessel_y1": (0.2, 3),
    "special.modified_bessel_i0": (-2, 2), "special.modified_bessel_i1": (-2, 2), "special.modified_bessel_k0": (0.2, 3),
    "special.modified_bessel_k1": (0.2, 3), "special.scaled_modified_bessel_k0": (0.2, 3), "special.scaled_modified_bessel_k1": (0.2, 3),
    "special.spherical_bessel_j0": (-2, 2), "conj_physical": (-2, 2),
}  # fmt: skip
INF, NAN = float("inf"), float("nan")
LIMITS = {
    "i0": [INF, INF], "special.i1": [INF, -INF], "special.modified_bessel_i0": [INF, INF], "special.modified_bessel_i1": [INF, -INF],
    "special.bessel_j0": [0.0, 0.0], "special.bessel_j1": [0.0, -0.0], "special.bessel_y0": [0.0, NAN], "special.bessel_y1": [0.0, NAN],
}  # fmt: skip
POLYNOMIALS = [f"{shifted}chebyshev_polynomial_{kind}" for shifted in ("", "shifted_") for kind in "tuvw"]
POLYNOMIALS += ["hermite_polynomial_h", "hermite_polynomial_he", "laguerre_polynomial_l", "legendre_polynomial_p"]
BINARY = {
    "logaddexp2": torch.logaddexp2, "nextafter": torch.nextafter, "xlog1py": torch.special.xlog1py, "igamma": lambda a, b: torch.igamma(a.abs() + 0.1, b),
    "igammac": lambda a, b: torch.igammac(a.abs() + 0.1, b), "zeta": lambda a, b: torch.special.zeta(a.abs() + 1.5, b), "hypot": torch.hypot,
    "remainder": lambda a, b: torch.remainder(2.5, b), "heaviside": torch.heaviside,
}  # fmt: skip


def named(name):
    module = torch
    for part in name.split("."):
        module = getattr(module, part)
    return module


@pytest.mark.parametrize("name", UNARY)
def test_unary(name):
    fn, (low, high) = named(name), UNARY[name]
    # Gradients exist where PyTorch has a formula; airy_ai and the Bessel functions have none.
    differentiable = name.split(".")[-1] in {
        "digamma", "erfinv", "lgamma", "i0", "i0e", "i1", "i1e", "entr", "erfcx", "log_ndtr", "ndtri", "angle", "conj_physical"}  # fmt: skip
    check(fn, draw((5, 7), low=low, high=high), grad=differentiable, rtol=1e-4, atol=1e-5)
    infinite = torch.tensor([float("inf"), -float("inf")])
    if name in LIMITS:  # the CPU divides infinities by each other there, and gives NaN
        assert_same(fn(moved(infinite)), torch.tensor(LIMITS[name]))
        infinite = infinite[:0]
    check(fn, torch.cat([infinite, torch.tensor([float("nan"), 0.0, -0.0, 1.0, -1.0])]), grad=False, rtol=1e-4, atol=1e-5)
    if name in ("digamma", "angle"):  # one rule promotes all
        check(fn, torch.tensor([1, 2, 3]), grad=False, rtol=1e-4, atol=1e-5)


def test_double_precision():
    x = draw((5, 7), torch.float64, 0.2, 3)
    check(lambda v: (torch.digamma(v), torch.lgamma(v), torch.special.i1(v), torch.special.erfcx(v)), x)
    check(lambda v: (torch.polygamma(1, v), torch.polygamma(3, v), torch.mvlgamma(v + 2, 3)), x, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("name", POLYNOMIALS)
def test_polynomials(name):
    fn = getattr(torch.special, name)
    check(lambda x, n: fn(x, n), draw((5, 7), low=-0.9, high=0.9), torch.arange(7.0), grad=False, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", BINARY)
def test_binary(name):
    grad = name in ("logaddexp2", "hypot")
    check(BINARY[name], draw((5, 7)), draw((7,), low=0.3, high=2, seed=1), grad=grad, rtol=1e-4, atol=1e-5)
    nan = float("nan")
    if name in ("logaddexp2", "hypot", "heaviside"):
        check(
            BINARY[name],
            torch.tensor([nan, 0.0, float("inf"), -float("inf"), 1.0]),
            torch.tensor([1.0, nan, 2.0, 3.0, nan]),
            grad=False,
        )


def test_heaviside_does_not_promote():
    for x in (torch.ones(3), torch.ones(3, device="ocl")):
        with pytest.raises(RuntimeError, match="dtype"):
            torch.heaviside(x, x.double())


def test_integers():
    a, b = draw((5, 7), torch.int64, -30, 30), draw((5, 7), torch.int64, -12, 12, seed=1)
    check(lambda x, y: (torch.gcd(x, y), torch.lcm(x, y), x ** y.abs(), x**3, x**0), a, b, grad=False)
    check(lambda x, y: (x << y.abs(), x >> y.abs(), x << 2, x >> 1), a, b, grad=False)

    def in_place(x, y):
        x, y = x.clone(), y.abs()
        x <<= y
        x >>= 1
        x //= y + 1
        return x

    check(in_place, a, b, grad=False)
    with pytest.raises(RuntimeError, match="negative integer powers"):
        a.to("ocl") ** -1


def test_mantissa_and_exponent():
    x = torch.tensor([0.0, 1.0, -3.5, 1e-30, 7e20, float("nan")])
    check(lambda v: torch.frexp(v)[0], x, grad=False)
    assert_same(torch.frexp(moved(x))[1][:5], torch.frexp(x)[1][:5])


def test_rounding_to_decimals():
    x = draw((5, 7), low=-30, high=30)
    check(lambda v: (torch.round(v, decimals=2), torch.round(v, decimals=-1), torch.round(v, decimals=0)), x, grad=False)


def test_membership():
    x, few, many = draw((5, 7), torch.int64, 0, 60), torch.tensor([3, 9, 50]), torch.arange(0, 100, 2)
    for among in (few, many):
        check(
            lambda a, b: (torch.isin(a, b), torch.isin(a, b, invert=True), torch.isin(b, 4), torch.isin(50, b)),
            x,
            among,
            grad=False,
        )
    nan = torch.tensor([1.0, float("nan"), 70.0])
    check(torch.isin, nan, torch.cat([nan, torch.arange(40.0)]), grad=False)
    check(lambda b: (torch.bucketize(3.5, b), torch.bucketize(4, b, right=True)), torch.arange(0.0, 9.0), grad=False)


def test_cross_product():
    check(lambda a, b: (torch.linalg.cross(a, b), torch.linalg.cross(a, b, dim=0)), draw((3, 3)), draw((3, 3), seed=1))
    check(lambda a, b: torch.linalg.cross(a, b), draw((4, 1, 3)), draw((1, 2, 3), seed=1))
