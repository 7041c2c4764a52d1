"""Complex tensors: the pointwise ops of their table, sums and means, and making and taking them apart."""

import pytest
import torch
from common import assert_same, draw, moved

DTYPES = {torch.complex64: 2e-5, torch.complex128: 1e-9}


def draw_complex(shape, dtype=torch.complex64, seed=0):
    real = torch.float32 if dtype == torch.complex64 else torch.float64
    return torch.complex(draw(shape, real, seed=seed), draw(shape, real, seed=seed + 50))


BINARY = {
    "add": lambda a, b: torch.add(a, b, alpha=0.5 - 2j), "sub": torch.sub, "rsub": lambda a, b: 1.5 - a + b, "mul": torch.mul, "div": torch.div,
    "numbers": lambda a, b: (a * (1 - 2j) + 3) / (b + 0.5j), "mixed": lambda a, b: a * b.real + b.imag / a, "eq": lambda a, b: (a == b, a != b, a == a, a == 1),
    "addcmul": lambda a, b: torch.addcmul(a, b, a, value=2), "in_place": lambda a, b: a.clone().mul_(b).sub_(a),
}  # fmt: skip
UNARY = {
    "neg": torch.neg, "conj": lambda a: a.conj() * 1, "conj_physical": torch.conj_physical, "abs": torch.abs, "angle": torch.angle, "sgn": torch.sgn,
    "reciprocal": torch.reciprocal, "exp": torch.exp, "exp2": torch.exp2, "log": torch.log, "log2": torch.log2, "log10": torch.log10, "sqrt": torch.sqrt,
    "rsqrt": torch.rsqrt, "sin": torch.sin, "cos": torch.cos, "tan": torch.tan, "sinh": torch.sinh, "cosh": torch.cosh, "tanh": torch.tanh, "sigmoid": torch.sigmoid,
    "truth": lambda a: (torch.logical_not(a), a.any(), a.all(1), torch.logical_xor(a, a * 0), a.isnan(), a.isinf()),
    "norm": lambda a: (torch.linalg.vector_norm(a), torch.linalg.vector_norm(a, 1, 1), torch.linalg.vector_norm(a, float("inf"), 1), a.norm()), "var": lambda a: (a.var(), a.std(1), *torch.var_mean(a, 0)), "sum": lambda a: (a.sum(), a.sum(1), a.sum(0, keepdim=True)),
    "mean": lambda a: (a.mean(), a.mean(1)), "parts": lambda a: (a.real * 2, a.imag + 1), "equal": lambda a: torch.tensor(torch.equal(a, a.clone())).to(a.device),
    "polar": lambda a: torch.polar(a.real.abs(), a.imag), "complex": lambda a: torch.complex(a.imag, a.real), "vdot": lambda a: torch.vdot(a[0], a[1]),
    "moved": lambda a: torch.cat([a.t().contiguous(), a.t()]), "filled": lambda a: torch.full_like(a, 2 - 1j) + torch.zeros_like(a) + torch.ones_like(a),
}  # fmt: skip


def compare(fn, *args):
    # Gradients of complex results start from their parts, which every op here must carry.
    cpu = [a.clone().requires_grad_() for a in args]
    ocl = [moved(a).requires_grad_() for a in args]
    wanted, got = fn(*cpu), fn(*ocl)
    tolerance = DTYPES[args[0].dtype]
    assert_same(got, wanted, rtol=tolerance, atol=tolerance)
    pairs = [
        (g, w) for g, w in zip(*((v if isinstance(v, tuple) else (v,)) for v in (got, wanted)), strict=True) if w.requires_grad
    ]
    if not pairs:
        return
    torch.autograd.backward([w for _, w in pairs], [torch.ones_like(w) for _, w in pairs])
    torch.autograd.backward([g for g, _ in pairs], [torch.ones_like(g) for g, _ in pairs])
    for c, o in zip(cpu, ocl, strict=True):
        assert (c.grad is None) == (o.grad is None)
        if c.grad is not None:
            assert_same(o.grad, c.grad, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", BINARY)
def test_binary(name):
    compare(BINARY[name], draw_complex((3, 4)), draw_complex((4,), seed=1))


@pytest.mark.parametrize("name", UNARY)
def test_unary(name):
    compare(UNARY[name], draw_complex((3, 4)))


def test_double_precision():
    a, b = draw_complex((3, 4), torch.complex128), draw_complex((4,), torch.complex128, seed=1)
    compare(lambda x, y: (x * y, x / y, x.sqrt() + y.exp(), x.abs().sum(), x.tanh()), a, b)


def test_roots_at_their_cut():
    z = torch.tensor([-4 + 0j, complex(-4, -0.0), 0 + 0j, 3 - 4j, -1e-20 + 0j, 1e20 + 1e20j, -5 - 12j])
    assert_same(torch.sqrt(moved(z)), torch.sqrt(z), rtol=1e-6, atol=0)
    far = torch.tensor([200 + 1j, -200 - 1j, 50 + 3j])
    assert_same(torch.tanh(moved(far)), torch.tanh(far), rtol=1e-6, atol=1e-6)


def test_normal_draws():
    torch.manual_seed(1)
    z = torch.randn(40_000, dtype=torch.complex64, device="ocl").cpu()
    assert abs(z.real.var().item() - 0.5) < 0.02 and abs(z.imag.var().item() - 0.5) < 0.02
    assert abs((z.real * z.imag).mean().item()) < 0.02


def test_large_and_small_divisors():
    a = torch.tensor([1e30 + 1e30j, 1e-30 - 1e-30j, 2 + 0j, 0 + 0j])
    b = torch.tensor([1e30 - 1e30j, 1e-30 + 1e-30j, 0 + 4j, 3 + 0j])
    assert_same(moved(a) / moved(b), a / b, rtol=1e-5, atol=1e-6)


def test_what_is_not_served_says_so():
    with pytest.raises(NotImplementedError, match="ComplexFloat"):
        torch.ones(2, dtype=torch.complex64, device="ocl").acosh()
