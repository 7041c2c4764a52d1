"""Every row, forward and backward, against the CPU: float32 and float64, odd, strided, broadcast, empty, 0-dim, channels_last."""

import pytest
import torch
from common import assert_same, check, draw, moved
from torch.nn import functional as F  # noqa: N812

SHAPES = [
    ((5, 7), "dense"),
    ((5, 7), "strided"),
    ((3, 5, 2), "transposed"),
    ((2, 3, 5, 4), "channels_last"),
    ((0, 3), "dense"),
    ((), "dense"),
]
FLOATS = [torch.float32, torch.float64]

# name: (function, low, high)
UNARY = {
    "abs": (torch.abs, -2, 2), "neg": (torch.neg, -2, 2), "sign": (torch.sign, -2, 2), "sgn": (torch.sgn, -2, 2),
    "ceil": (torch.ceil, -2, 2), "floor": (torch.floor, -2, 2), "round": (torch.round, -3, 3), "trunc": (torch.trunc, -2, 2),
    "frac": (torch.frac, -2, 2), "relu": (torch.relu, -2, 2), "sqrt": (torch.sqrt, 0.1, 4), "rsqrt": (torch.rsqrt, 0.1, 4),
    "reciprocal": (torch.reciprocal, 0.2, 3), "exp": (torch.exp, -2, 2), "exp2": (torch.exp2, -2, 2), "expm1": (torch.expm1, -1, 1),
    "log": (torch.log, 0.1, 4), "log2": (torch.log2, 0.1, 4), "log10": (torch.log10, 0.1, 4), "log1p": (torch.log1p, -0.5, 2),
    "sin": (torch.sin, -3, 3), "cos": (torch.cos, -3, 3), "tan": (torch.tan, -1, 1), "asin": (torch.asin, -0.9, 0.9),
    "acos": (torch.acos, -0.9, 0.9), "atan": (torch.atan, -3, 3), "sinh": (torch.sinh, -2, 2), "cosh": (torch.cosh, -2, 2),
    "tanh": (torch.tanh, -2, 2), "asinh": (torch.asinh, -2, 2), "acosh": (torch.acosh, 1.1, 4), "atanh": (torch.atanh, -0.8, 0.8),
    "erf": (torch.erf, -2, 2), "erfc": (torch.erfc, -2, 2), "sigmoid": (torch.sigmoid, -4, 4), "logit": (torch.logit, 0.1, 0.9),
    "logit_eps": (lambda x: torch.logit(x, 0.2), 0, 1), "sinc": (torch.sinc, 0.2, 2), "deg2rad": (torch.deg2rad, -90, 90),
    "square": (torch.square, -2, 2), "pow3": (lambda x: x**3, -2, 2), "pow_half": (lambda x: x**0.5, 0.1, 3), "pow1.7": (lambda x: x**1.7, 0.1, 3),
    "rpow": (lambda x: 2.5**x, -2, 2), "silu": (F.silu, -3, 3), "gelu": (F.gelu, -3, 3),
    "gelu_tanh": (lambda x: F.gelu(x, approximate="tanh"), -3, 3), "mish": (F.mish, -3, 3), "hardtanh": (F.hardtanh, -3, 3),
    "relu6": (F.relu6, -3, 9), "hardsigmoid": (F.hardsigmoid, -5, 5), "hardswish": (F.hardswish, -5, 5),
    "leaky_relu": (lambda x: F.leaky_relu(x, 0.1), -3, 3), "elu": (lambda x: F.elu(x, 1.3), -3, 3), "selu": (F.selu, -3, 3),
    "celu": (lambda x: F.celu(x, 1.3), -3, 3), "softplus": (lambda x: F.softplus(x, 2.0, 3.0), -3, 3), "softshrink": (F.softshrink, -2, 2),
    "hardshrink": (F.hardshrink, -2, 2), "threshold": (lambda x: F.threshold(x, 0.3, -7.0), -2, 2), "logsigmoid": (F.logsigmoid, -4, 4),
    "nan_to_num": (lambda x: torch.nan_to_num(1 / x.trunc(), 3.0), -2, 2), "clamp": (lambda x: x.clamp(-0.5, 1), -2, 2),
    "clamp_min": (lambda x: x.clamp_min(0.2), -2, 2), "clamp_max": (lambda x: x.clamp(max=0.2), -2, 2), "add_scalar": (lambda x: 3 + x * 2.5 - 1, -2, 2),
    "rsub": (lambda x: 1 - x, -2, 2), "rdiv": (lambda x: 2 / x, 0.3, 2), "tril": (lambda x: x.tril(1) if x.dim() > 1 else x * 1, -2, 2),
    "triu": (lambda x: x.triu() if x.dim() > 1 else x * 1, -2, 2), "remainder": (lambda x: x.remainder(0.7), -2, 2), "fmod": (lambda x: x.fmod(0.7), -2, 2),
    "masked_fill": (lambda x: x.masked_fill(x > 0.5, -1.0), -2, 2), "log_softmax": (lambda x: x.log_softmax(-1), -3, 3),
    "softmax0": (lambda x: x.softmax(0), -3, 3), "contiguous": (lambda x: x.contiguous(), -2, 2), "double": (lambda x: x.double() * 2, -2, 2),
    "cat": (lambda x: torch.cat([x, x * 2], -1) if x.dim() else x * 1, -2, 2), "stack": (lambda x: torch.stack([x, x * 2]), -2, 2),
    "flip_sum": (lambda x: (x.unsqueeze(0) * torch.ones_like(x)).sum(0), -2, 2),
}  # fmt: skip

BINARY = {
    "add": torch.add, "sub": torch.sub, "mul": torch.mul, "div": torch.div, "add_alpha": lambda a, b: torch.add(a, b, alpha=0.3),
    "maximum": torch.maximum, "minimum": torch.minimum, "fmax": torch.fmax, "fmin": torch.fmin, "atan2": torch.atan2, "hypot": torch.hypot,
    "pow": lambda a, b: a.abs().add(0.1).pow(b), "xlogy": lambda a, b: torch.xlogy(a, b.abs() + 0.1), "logaddexp": torch.logaddexp,
    "copysign": torch.copysign, "trunc_divide": lambda a, b: torch.div(a, b, rounding_mode="trunc"),
    "remainder": torch.remainder, "fmod": torch.fmod, "lerp": lambda a, b: torch.lerp(a, b, 0.7), "where": lambda a, b: torch.where(a > b, a, b * 2),
    "mse": lambda a, b: (a - b).square().mean(), "clamp_tensor": lambda a, b: a.clamp(b - 1, b + 0.5), "addcmul": lambda a, b: torch.addcmul(a, a, b, value=0.4),
    "addcdiv": lambda a, b: torch.addcdiv(a, a, b, value=0.4), "lerp_tensor": lambda a, b: torch.lerp(a, b, b * 0.5),
}  # fmt: skip
PAIRS = [((5, 7), (5, 7)), ((5, 7), (7,)), ((4, 1, 3), (2, 1)), ((3, 2), ()), ((0, 3), (3,))]

COMPARE = {
    "eq": torch.eq, "ne": torch.ne, "lt": torch.lt, "le": torch.le, "gt": torch.gt, "ge": torch.ge,
    "and": torch.logical_and, "or": torch.logical_or, "xor": torch.logical_xor,
}  # fmt: skip

REDUCTIONS = {
    "sum": lambda x: x.sum(), "sum0": lambda x: x.sum(0), "sum_keep": lambda x: x.sum((0, -1), keepdim=True), "mean": lambda x: x.mean(),
    "mean1": lambda x: x.mean(1), "amax": lambda x: x.amax(1), "amin": lambda x: x.amin((0, 1)), "max": lambda x: x.max(), "min": lambda x: x.min(),
    "max_dim": lambda x: x.max(1), "min_dim": lambda x: x.min(0, keepdim=True), "argmax": lambda x: x.argmax(), "argmin": lambda x: x.argmin(1),
    "prod": lambda x: x.prod(1), "var": lambda x: x.var(), "var0": lambda x: x.var(0, correction=0), "std": lambda x: x.std(1, keepdim=True),
    "var_mean": lambda x: torch.var_mean(x, 1), "norm": lambda x: x.norm(), "norm1": lambda x: torch.linalg.vector_norm(x, 1, 0),
    "norm_inf": lambda x: torch.linalg.vector_norm(x, float("inf"), 1), "norm3": lambda x: torch.linalg.vector_norm(x, 3),
    "any": lambda x: (x > 1).any(1), "all": lambda x: (x > -1).all(), "all0": lambda x: (x > -1).all(0), "logsumexp": lambda x: x.logsumexp(1),
}  # fmt: skip


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("name", UNARY)
def test_unary(name, dtype):
    fn, low, high = UNARY[name]
    for shape, layout in SHAPES:
        # The CPU's hardsigmoid divides by a float32 6, in float64 too.
        loose = {"rtol": 1e-6, "atol": 1e-6} if name == "hardsigmoid" else {}
        check(fn, draw(shape, dtype, low, high, layout), **loose)


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("name", BINARY)
def test_binary(name, dtype):
    for a, b in PAIRS:
        check(BINARY[name], draw(a, dtype), draw(b, dtype, 0.3, 2, seed=1))
    check(BINARY[name], draw((6, 5), dtype, layout="transposed"), draw((6, 5), dtype, 0.3, 2, "strided", seed=1))


@pytest.mark.parametrize("name", COMPARE)
def test_compare(name):
    for dtype in (torch.float32, torch.int64, torch.uint8, torch.bool):
        a, b = draw((5, 7), dtype, 0, 2), draw((7,), dtype, 0, 2, seed=1)
        check(COMPARE[name], a, b, grad=False)
        if name in ("eq", "lt", "ge"):
            check(lambda x: COMPARE[name](x, 1), a, grad=False)
    nan = torch.tensor([1.0, float("nan"), float("inf"), -float("inf")])
    check(COMPARE[name], nan, nan.flip(0), grad=False)
    check(lambda x: (x.isnan(), x.isinf(), x.isfinite(), x.isposinf(), x.isneginf(), x.signbit(), ~(x > 0)), nan, grad=False)


@pytest.mark.parametrize("dtype", [torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8], ids=str)
def test_integers(dtype):
    a, b = draw((5, 7), dtype, 0 if dtype == torch.uint8 else -9, 9), draw((5, 7), dtype, 1, 5, seed=1)
    for fn in (torch.add, torch.sub, torch.mul, torch.div, torch.floor_divide, torch.remainder, torch.fmod, torch.maximum, torch.minimum,
               torch.bitwise_and, torch.bitwise_or, torch.bitwise_xor, torch.bitwise_left_shift, torch.bitwise_right_shift):  # fmt: skip
        check(fn, a, b, grad=False)
    for fn in (torch.neg, torch.abs, torch.sign, torch.bitwise_not, torch.square, torch.sqrt if dtype == torch.uint8 else torch.exp, lambda x: x.sum(),
               lambda x: x.sum(0), lambda x: x.prod(1), lambda x: x.max(1), lambda x: x.clamp(1, 3), lambda x: x + 2.5, lambda x: x.float().mean()):  # fmt: skip
        check(fn, a, grad=False)
    top = torch.full((3,), torch.iinfo(dtype).max, dtype=dtype)
    check(lambda x: x + 1, top, grad=False)


def test_booleans():
    a, b = draw((5, 7), torch.bool), draw((5, 7), torch.bool, seed=1)
    for fn in (
        torch.add,
        torch.mul,
        torch.bitwise_and,
        torch.bitwise_or,
        torch.bitwise_xor,
        torch.logical_and,
        torch.maximum,
        lambda x, y: (~x, x.sum(), y.any(0)),
    ):
        check(fn, a, b, grad=False)
    for bad in (lambda x, y: x - y, lambda x, y: -x):
        with pytest.raises(RuntimeError, match="bool tensor"):
            bad(a.to("ocl"), b.to("ocl"))


@pytest.mark.parametrize(
    "a", [torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.uint8, torch.bool], ids=str
)
@pytest.mark.parametrize("b", [torch.float32, torch.float16, torch.int32, torch.bool], ids=str)
def test_type_promotion(a, b):
    check(
        lambda x, y: (x + y, x * y, x / y, torch.maximum(x, y), x > y),
        draw((3, 5), a, 1, 3),
        draw((5,), b, 1, 3, seed=1),
        grad=False,
    )
    check(lambda x, y: x + y, draw((3, 5), a, 1, 3), draw((), b, 1, 3, seed=1), grad=False)
    check(lambda x: (x + 1, x * 1.5, x == 1, x + True), draw((3, 5), a, 1, 3), grad=False)


def test_cpu_numbers_are_scalars():
    x = draw((4,)).to("ocl")
    assert_same(x + torch.tensor(2.0), x.cpu() + 2)
    assert_same(x * torch.tensor(2.0, dtype=torch.float64), x.cpu() * 2)
    assert_same(torch.where(x > 0, x, torch.tensor(0.5)), torch.where(x.cpu() > 0, x.cpu(), torch.tensor(0.5)))
    misses = torch.ocl._C.plan_stats(0)["misses"]
    for k in range(10):
        x.mul(0.1 * k + 0.05).add(k, alpha=k)
    # New numbers are run-time scalars: they need no new plan.
    assert torch.ocl._C.plan_stats(0)["misses"] - misses <= 2


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_half_types(dtype):
    x = draw((5, 7), dtype)
    for fn in (torch.exp, torch.sigmoid, F.gelu, lambda t: t * 2 + 1, lambda t: t.sum(1), lambda t: t.mean(),
               lambda t: F.layer_norm(t, (7,)), lambda t: t.float() @ t.float().t()):  # fmt: skip
        check(fn, x, grad=False, rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions(name, dtype):
    for shape, layout in [
        ((5, 7), "dense"),
        ((3, 5, 2), "transposed"),
        ((6, 9), "strided"),
        ((1, 1), "dense"),
        ((3, 1000), "dense"),
        ((1000, 3), "dense"),
    ]:
        check(REDUCTIONS[name], draw(shape, dtype, layout=layout))


def test_reductions_of_nothing_and_of_nan():
    check(lambda x: (x.sum(), x.sum(0), x.mean(1), x.prod(), x.any(), x.all(), x.sum(1)), torch.empty(3, 0), grad=False)
    with pytest.raises((RuntimeError, IndexError)):
        torch.empty(0, device="ocl").max()
    nan = torch.tensor([[1.0, float("nan"), 3], [4, 4, 2]])
    check(lambda x: (x.max(1), x.min(0), x.argmax(1), x.amax(), x.argmin()), nan, grad=False)
    check(lambda x: x.sum(dtype=torch.float64), draw((5, 5)), grad=False)


def test_scatter_of_one_element_a_row():
    index = torch.tensor([[1], [3], [0]])
    check(lambda x, s: x.scatter(1, index.to(x.device), s), draw((3, 4)), draw((3, 1), seed=1), grad=False)
    check(lambda x: x.scatter(1, index.to(x.device), 7.0), draw((3, 4)), grad=False)
    check(lambda x: torch.zeros_like(x).scatter_(0, index[:1].to(x.device).expand(1, 4), 1), draw((3, 4)), grad=False)


def test_in_place_and_out():
    x, y = draw((4, 6)), draw((4, 6), seed=1)

    def in_place(a, b):
        a = a * 1
        a.add_(b, alpha=2).mul_(0.5).sigmoid_().clamp_(0.2, 0.9)
        a[1:3].sub_(1)
        a.t()[::2] *= 3
        a.masked_fill_(b > 1, 7.0)
        a.tanh_()
        return a

    check(in_place, x, y, grad=False)
    gx, gy = moved(x), moved(y)
    out = torch.empty(0, device="ocl")
    assert torch.add(gx, gy, out=out) is out and out.shape == x.shape
    assert_same(out, x + y)
    wide = torch.empty(6, 4, device="ocl", dtype=torch.float64).t()
    torch.mul(gx, gy, out=wide)
    assert_same(wide, (x * y).double())
    assert_same(torch.mm(gx, gy.t(), out=torch.empty(4, 4, device="ocl")), torch.mm(x, y.t()))
    assert_same(torch.sum(gx, 0, out=torch.empty(6, device="ocl")), x.sum(0))
    assert_same(torch.cat([gx, gy], out=torch.empty(0, device="ocl")), torch.cat([x, y]))
    with pytest.raises(RuntimeError, match="can't be cast"):
        torch.add(gx, gy, out=torch.empty(4, 6, dtype=torch.int32, device="ocl"))
    with pytest.raises(RuntimeError, match="single memory location"):
        gx[1:].add_(gx[:-1])
    with pytest.raises(RuntimeError, match="must match the size"):
        gx + torch.ones(5, device="ocl")


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_products(dtype):
    a, b = draw((5, 7), dtype), draw((7, 3), dtype, seed=1)
    check(torch.mm, a, b)
    check(torch.mm, draw((5, 7), dtype, layout="transposed"), draw((7, 3), dtype, layout="transposed", seed=1))
    check(torch.mm, draw((65, 33), dtype), draw((33, 130), dtype, seed=1))
    check(torch.mm, draw((5, 0), dtype), draw((0, 3), dtype))
    check(torch.mm, draw((0, 5), dtype), draw((5, 3), dtype))
    check(lambda x, y, z: torch.addmm(z, x, y, beta=0.5, alpha=2), a, b, draw((3,), dtype, seed=2))
    check(lambda x, y, z: torch.addmm(z, x, y), a, b, draw((5, 3), dtype, seed=2))
    check(torch.bmm, draw((4, 5, 6), dtype), draw((4, 6, 3), dtype, seed=1))
    check(torch.matmul, draw((2, 4, 5, 6), dtype), draw((6, 3), dtype, seed=1))
    check(
        lambda x, y, z: torch.baddbmm(z, x, y, beta=0.3),
        draw((4, 5, 6), dtype),
        draw((4, 6, 3), dtype, seed=1),
        draw((4, 5, 3), dtype, seed=2),
    )
    check(torch.mv, a, draw((7,), dtype, seed=1))
    check(lambda x, y, z: torch.addmv(z, x, y, beta=2), a, draw((7,), dtype, seed=1), draw((5,), dtype, seed=2))
    check(torch.dot, draw((9,), dtype), draw((9,), dtype, seed=1))
    check(F.linear, draw((2, 5, 7), dtype), draw((3, 7), dtype, seed=1), draw((3,), dtype, seed=2))
    check(lambda x: torch.einsum("ij,kj->ik", x, x), a)
    with pytest.raises(RuntimeError, match="cannot be multiplied"):
        torch.mm(a.to("ocl"), a.to("ocl"))


CONVOLUTIONS = [
    ((2, 3, 8, 9), (4, 3, 3, 3), {}),
    ((2, 3, 8, 9), (4, 3, 3, 3), {"padding": 1, "stride": 2}),
    ((1, 4, 7, 7), (6, 2, 3, 3), {"groups": 2, "padding": (0, 2), "dilation": (2, 1)}),
    ((2, 4, 6, 5), (4, 1, 3, 3), {"groups": 4, "padding": 1}),
    ((3, 2, 5, 5), (5, 2, 1, 1), {"stride": (1, 2)}),
]


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("x, w, options", CONVOLUTIONS)
def test_convolution(x, w, options, dtype):
    check(
        lambda a, b, c: F.conv2d(a, b, c, **options),
        draw(x, dtype),
        draw(w, dtype, seed=1),
        draw((w[0],), dtype, seed=2),
        rtol=1e-4,
        atol=1e-4,
    )
    check(
        lambda a, b: F.conv2d(a, b, **options),
        draw(x, dtype, layout="channels_last"),
        draw(w, dtype, layout="channels_last", seed=1),
        rtol=1e-4,
        atol=1e-4,
    )


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_other_convolutions(dtype):
    check(lambda a, b, c: F.conv_transpose2d(a, b, c, stride=2, padding=1, output_padding=1), draw((2, 4, 5, 6), dtype), draw((4, 3, 3, 3), dtype, seed=1),
          draw((3,), dtype, seed=2), rtol=1e-4, atol=1e-4)  # fmt: skip
    check(
        lambda a, b: F.conv_transpose2d(a, b, groups=2),
        draw((1, 4, 5, 6), dtype),
        draw((4, 3, 2, 2), dtype, seed=1),
        rtol=1e-4,
        atol=1e-4,
    )
    check(lambda a, b, c: F.conv3d(a, b, c, stride=2, padding=1), draw((2, 3, 4, 5, 6), dtype), draw((4, 3, 3, 3, 2), dtype, seed=1),
          draw((4,), dtype, seed=2), rtol=1e-4, atol=1e-4)  # fmt: skip
    check(lambda a, b, c: F.conv_transpose3d(a, b, c, stride=2), draw((2, 3, 2, 3, 4), dtype), draw((3, 4, 2, 3, 2), dtype, seed=1),
          draw((4,), dtype, seed=2), rtol=1e-4, atol=1e-4)  # fmt: skip
    check(lambda a, b: F.conv1d(a, b, padding=1), draw((2, 3, 9), dtype), draw((4, 3, 3), dtype, seed=1), rtol=1e-4, atol=1e-4)
    check(lambda a, b: F.conv2d(a, b), draw((0, 3, 5, 5), dtype), draw((4, 3, 3, 3), dtype, seed=1))
    with pytest.raises(RuntimeError, match="channels"):
        F.conv2d(torch.ones(1, 3, 5, 5, device="ocl"), torch.ones(2, 4, 3, 3, device="ocl"))


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_pooling(dtype):
    x = draw((2, 3, 9, 8), dtype)
    check(lambda a: F.max_pool2d(a, 2), x)
    check(lambda a: F.max_pool2d(a, 3, 2, 1, ceil_mode=True), draw((2, 3, 9, 8), dtype, layout="channels_last"))
    check(lambda a: F.max_pool2d(a, (2, 3), 1, dilation=2, return_indices=True), x)
    check(lambda a: F.max_pool2d(a, 2), draw((3, 6, 6), dtype))
    check(lambda a: F.avg_pool2d(a, 2), x)
    check(lambda a: F.avg_pool2d(a, 3, 2, 1, count_include_pad=False), draw((2, 3, 9, 8), dtype, layout="channels_last"))
    check(lambda a: F.avg_pool2d(a, 3, 2, 1, ceil_mode=True, divisor_override=5), x)
    check(lambda a: F.max_pool1d(a, 2), draw((2, 3, 9), dtype))


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("shape", [(6, 3), (4, 3, 5), (2, 3, 5, 4)])
def test_batch_norm(shape, dtype):
    x, w, b = draw(shape, dtype), draw((3,), dtype, seed=1), draw((3,), dtype, seed=2)

    def training(a, weight, bias):
        mean, var = torch.zeros_like(weight).detach(), torch.ones_like(weight).detach()
        out = F.batch_norm(a, mean, var, weight, bias, True, 0.3, 1e-3)
        return out, mean, var

    check(training, x, w, b, rtol=1e-4, atol=1e-4)
    check(lambda a: F.batch_norm(a, None, None, training=True), x, rtol=1e-4, atol=1e-4)
    mean, var = draw((3,), dtype, seed=3), draw((3,), dtype, 0.5, 2, seed=4)
    check(lambda a, weight, bias: F.batch_norm(a, mean.to(a.device), var.to(a.device), weight, bias), x, w, b, rtol=1e-4, atol=1e-4)
    check(lambda a: F.batch_norm(a, mean.to(a.device), var.to(a.device)), x, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_layer_norm(dtype):
    check(
        lambda a, w, b: F.layer_norm(a, (5,), w, b),
        draw((3, 4, 5), dtype),
        draw((5,), dtype, seed=1),
        draw((5,), dtype, seed=2),
        rtol=1e-4,
        atol=1e-4,
    )
    check(lambda a: F.layer_norm(a, (4, 5)), draw((3, 4, 5), dtype, layout="transposed"), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_losses(reduction, dtype):
    target, weight = torch.tensor([0, 4, 2, -100, 1]), draw((6,), dtype, 0.5, 2, seed=1)
    x = draw((5, 6), dtype)
    check(lambda a, t, w: F.cross_entropy(a, t, w.detach(), reduction=reduction), x, target, weight)
    check(lambda a, t: F.cross_entropy(a, t, reduction=reduction), x, target)
    check(lambda a, t: F.nll_loss(a, t, reduction=reduction, ignore_index=2), x, target.clamp_min(0))
    check(lambda a, t: F.cross_entropy(a, t, reduction=reduction), draw((2, 5, 3, 4), dtype), draw((2, 3, 4), torch.int64, 0, 4))
    check(lambda a, t: F.nll_loss(a, t, reduction=reduction), draw((6,), dtype), torch.tensor(3))
    for fn in (F.mse_loss, F.l1_loss, F.smooth_l1_loss, F.huber_loss):
        check(lambda a, b, fn=fn: fn(a, b, reduction=reduction), x, draw((5, 6), dtype, seed=3))
    check(
        lambda a, b: F.binary_cross_entropy(a, b.detach(), reduction=reduction),
        draw((5, 6), dtype, 0.1, 0.9),
        draw((5, 6), dtype, 0, 1, seed=3),
    )
    check(lambda a, b: F.binary_cross_entropy_with_logits(a, b.detach(), reduction=reduction), x, draw((5, 6), dtype, 0, 1, seed=3))


def test_factories():
    for make in (
        lambda d: torch.arange(7, device=d), lambda d: torch.arange(2.0, 9.5, 0.7, device=d), lambda d: torch.arange(9, -2, -3, device=d),
        lambda d: torch.eye(3, 5, device=d), lambda d: torch.full((2, 3), 4.5, device=d), lambda d: torch.ones(3, dtype=torch.int64, device=d),
        lambda d: torch.zeros(2, 2, device=d), lambda d: torch.tensor([[1, 2], [3, 4]], device=d), lambda d: torch.ones(4, 4, device=d).tril(-1),
    ):  # fmt: skip
        assert_same(make("ocl"), make("cpu"))
    assert torch.full((), 2.5, device="ocl").item() == 2.5 and torch.tensor(True, device="ocl").item() is True
    assert torch.empty(2, 3, 4, 5, device="ocl", memory_format=torch.channels_last).stride() == (60, 1, 15, 3)


def test_dropout_keeps_its_mask():
    x = torch.ones(1000, device="ocl", requires_grad=True)
    y = F.dropout(x, 0.4)
    y.sum().backward()
    assert torch.equal(y.detach().cpu(), x.grad.cpu()) and set(y.detach().cpu().unique().tolist()) == {
        0.0,
        (torch.tensor(1.0) / 0.6).item(),
    }
    assert torch.equal(F.dropout(x, 0.4, training=False).cpu(), x.cpu())


def test_unsupported_dtypes_say_so():
    with pytest.raises(NotImplementedError, match="ComplexFloat"):
        torch.ones(2, dtype=torch.complex64, device="ocl").atan()
    with pytest.raises((NotImplementedError, RuntimeError), match="bitwise_and of floating"):
        torch.bitwise_and(torch.ones(2, device="ocl"), torch.ones(2, device="ocl"))


@pytest.mark.fallback  # the plugin has no half-precision product: PyTorch's CPU computes it
def test_autocast_follows_pytorchs_lists():
    a, b = torch.randn(5, 7), torch.randn(7, 3)
    weight = b.to("ocl").requires_grad_()
    with torch.autocast("ocl", dtype=torch.bfloat16):
        product = a.to("ocl") @ weight
        softmax = product.softmax(1)
    softmax.square().sum().backward()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        expected = a @ b
    assert product.dtype == torch.bfloat16 and softmax.dtype == torch.float32 and weight.grad.dtype == torch.float32
    torch.testing.assert_close(product.detach().cpu(), expected)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int8, torch.int16, torch.int32], ids=str)
def test_a_number_outside_the_dtype_wraps(dtype):
    x = torch.tensor([0, 1, 44, 100, torch.iinfo(dtype).max], dtype=dtype)
    for number in (-1, 257, 300, 2**31 + 5, -(2**33) - 3):
        for fn in (torch.eq, torch.lt, torch.add, torch.mul, torch.remainder, torch.bitwise_and, torch.floor_divide):
            if number % 2 ** torch.iinfo(dtype).bits:  # else a division by zero
                assert_same(fn(x.to("ocl"), number), fn(x, number))
