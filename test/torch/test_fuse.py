"""torch.ocl.fuse against the same function op by op on the CPU: results, gradients of every order, layouts, and what it refuses."""

import pytest
import torch
from common import TOLERANCE, draw
from torch.nn import functional as F  # noqa: N812  (the field's name)


def tanh_gelu(x):
    return 0.5 * x * (1 + torch.tanh(0.79788456 * (x + 0.044715 * x * x * x)))


def smooth_l1(x, y):
    return torch.where((x - y).abs() < 1, 0.5 * (x - y) * (x - y), (x - y).abs() - 0.5)


def bias_gelu_scale(x, bias, scale):
    return F.gelu(x + bias) * scale, torch.sigmoid(x) * bias


def many(x, y):
    a = torch.addcmul(x, y, x, value=0.5).clamp(-1.5, 1.5) + F.softplus(y) - F.silu(x) * F.leaky_relu(y, 0.1)
    return F.elu(a) + torch.lerp(x, y, 0.25) + torch.maximum(x, y) ** 2 + F.hardswish(x) + x.exp().log1p() / (y * y + 1)


CHAINS = [
    (tanh_gelu, [(3, 70)]),
    (smooth_l1, [(5, 33), (5, 33)]),
    (bias_gelu_scale, [(4, 3, 6, 5), (3, 1, 1), ()]),
    (many, [(17,), (2, 17)]),
]


def kernels(run):
    """How many kernels the device runs."""
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.PrivateUse1]) as trace:
        run()
        torch.ocl.synchronize()
    # Memory may be filled, too: other tests switch that on.
    return sum(e.device_type == torch.autograd.DeviceType.PrivateUse1 and e.name != "fill" for e in trace.events())


def results(function, inputs, order):
    """Outputs and gradients, up to an order."""
    made = function(*inputs)
    outs = [t for t in (made if isinstance(made, tuple) else (made,)) if t.is_floating_point()]
    every, terms = list(outs), outs
    for _ in range(order):
        terms = torch.autograd.grad(sum((t * t.detach().cos()).sum() for t in terms), inputs, create_graph=True)
        every += terms
    return every


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("function, shapes", CHAINS, ids=lambda p: getattr(p, "__name__", ""))
def test_chains(function, shapes, dtype):
    inputs = [draw(shape, dtype, seed=i) for i, shape in enumerate(shapes)]
    order = 2 if dtype == torch.float64 else 1
    wanted = results(function, [t.double().requires_grad_() for t in inputs], order)
    got = results(torch.ocl.fuse(function), [t.to("ocl").requires_grad_() for t in inputs], order)
    rtol, atol = TOLERANCE[dtype]
    for a, b in zip(wanted, got, strict=True):
        assert b.dtype == dtype and b.shape == a.shape
        torch.testing.assert_close(b.cpu().double(), a, rtol=4 * rtol, atol=4 * atol * max(1.0, a.abs().max().item()))


def test_is_one_kernel_each_way():
    x, y = (draw((64, 65), seed=i).to("ocl").requires_grad_() for i in range(2))
    fused = torch.ocl.fuse(smooth_l1)
    grad = torch.ones(64, 65, device="ocl")
    torch.autograd.grad(fused(x, y), (x, y), grad)
    assert kernels(lambda: fused(x, y)) == 1
    assert kernels(lambda: torch.autograd.grad(fused(x, y), (x, y), grad)) == 2
    assert kernels(lambda: smooth_l1(x, y)) > 5


@pytest.mark.parametrize("layout", ["strided", "transposed", "channels_last", "offset"])
def test_layouts(layout):
    x, y = (draw((2, 3, 4, 5), layout=layout, seed=i) for i in range(2))
    there = [torch.empty_strided(t.shape, t.stride(), device="ocl").copy_(t) for t in (x, y)]
    got = torch.ocl.fuse(many)(*there)
    torch.testing.assert_close(got.cpu(), many(x, y), rtol=1e-4, atol=1e-4)
    if layout == "channels_last":
        assert got.is_contiguous(memory_format=torch.channels_last)


def test_dtypes():
    x, i, m = draw((7, 9)), draw((7, 9), torch.int64, -9, 9), draw((9,), torch.bool)

    def mixed(x, i, m):
        picked = torch.where(m, i, i * 3 - 1)
        return picked, picked > x, x + i, (x > 0) & m, picked.float() / 2, torch.where(m, x.double(), 1.5), ~m | (i == 3)

    wanted, got = mixed(x, i, m), torch.ocl.fuse(mixed)(*(t.to("ocl") for t in (x, i, m)))
    for a, b in zip(wanted, got, strict=True):
        assert a.dtype == b.dtype
        torch.testing.assert_close(b.cpu(), a)
    assert torch.ocl.fuse(mixed)(x, i, m)[0].device.type == "cpu"


def test_numbers_shapes_and_gradients_of_some():
    calls = []

    @torch.ocl.fuse
    def scaled(x, y, factor=2.0, power=2):
        calls.append(tuple(x.shape))
        return (x * factor + y) ** power

    x, y = draw((3, 4)), draw((4,), seed=1)
    for args in ((), (0.5,), (0.5, 3)):
        for shape in ((3, 4), (2, 3, 4)):
            wide = x.expand(shape)
            factor, power = (args + (2.0, 2)[len(args) :])[:2]
            for _ in range(2):
                got = scaled(wide.to("ocl"), y.to("ocl"), *args)
                torch.testing.assert_close(got.cpu(), (wide * factor + y) ** power, rtol=1e-5, atol=1e-5)
    assert len(calls) == 6  # traced once for each
    torch.testing.assert_close(scaled(x.to("ocl"), y=y.to("ocl"), power=3).cpu(), (x * 2 + y) ** 3, rtol=1e-5, atol=1e-5)

    a, b = x.to("ocl").requires_grad_(), y.to("ocl")
    scaled(a, b).sum().backward()
    torch.testing.assert_close(a.grad.cpu(), 4 * (2 * x + y), rtol=1e-5, atol=1e-5)
    assert b.grad is None and torch.ocl.fuse(tanh_gelu)(torch.empty(0, 3, device="ocl")).shape == (0, 3)
    with torch.no_grad():
        assert not scaled(a, b).requires_grad


def test_is_refused():
    x = torch.ones(2, 3, device="ocl")
    with pytest.raises(NotImplementedError, match=r"\[fuse\] aten::sum.* is not pointwise"):
        torch.ocl.fuse(lambda x: x / x.sum())(x)
    with pytest.raises(NotImplementedError, match="writes to its inputs"):
        torch.ocl.fuse(lambda x: x.add_(1))(x)
    with pytest.raises(NotImplementedError, match="Byte"):
        torch.ocl.fuse(lambda x: x + x)(x.byte())
    with pytest.raises(ValueError, match="a result of shape"):
        torch.ocl.fuse(lambda x, y: (x * y, x + 1))(x, x[:1].clone().expand(4, 2, 3))
    with pytest.raises(ValueError, match="is no tensor"):
        torch.ocl.fuse(lambda x: 3)(x)
    other = torch.ones(2, 3, device="ocl")
    with pytest.raises(NotImplementedError, match="keeps a tensor of its own"):
        torch.ocl.fuse(lambda x: x + other)(x)
    with pytest.raises(RuntimeError, match="evice"):
        torch.ocl.fuse(lambda x, y: x + y)(x, torch.ones(2, 3))
