"""What stands on autograd: checkpointing, functional transforms, forward mode, hooks, numerical checks."""

import copy

import pytest
import torch
from torch.func import functional_call, grad, hessian, jacfwd, jacrev, jvp, vjp, vmap
from torch.utils.checkpoint import checkpoint

F = torch.nn.functional


def same(got, wanted, tolerance=1e-5):
    torch.testing.assert_close(got.cpu(), wanted, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("reentrant", [True, False])
def test_checkpointing_draws_the_same_numbers_again(reentrant):
    x = torch.randn(8, 16).to("ocl").requires_grad_()
    w = torch.randn(16, 16).to("ocl").requires_grad_()

    def layer(v):
        return F.dropout(v @ w, 0.5).relu()

    results = []
    for how in (lambda: layer(layer(x)), lambda: checkpoint(lambda v: layer(layer(v)), x, use_reentrant=reentrant)):
        torch.manual_seed(5)
        x.grad = w.grad = None
        y = how()
        y.sum().backward()
        results.append((y.detach().cpu(), x.grad.cpu(), w.grad.cpu(), torch.rand(3, device="ocl").cpu()))
    for plain, recomputed in zip(*results, strict=True):
        assert torch.equal(plain, recomputed)
    torch.manual_seed(5)
    x.grad = None
    checkpoint(layer, x, use_reentrant=reentrant, preserve_rng_state=False).sum().backward()


def test_fork_rng_and_generators():
    torch.manual_seed(1)
    with torch.random.fork_rng(device_type="ocl"):
        inside = torch.rand(5, device="ocl").cpu()
    assert torch.equal(torch.rand(5, device="ocl").cpu(), inside)
    a, b = torch.Generator("ocl").manual_seed(3), torch.Generator("ocl").manual_seed(3)
    torch.rand(4, device="ocl", generator=a)
    b.set_state(a.get_state())
    default = torch.ocl.get_rng_state()
    assert torch.equal(torch.rand(7, device="ocl", generator=a).cpu(), torch.rand(7, device="ocl", generator=b).cpu())
    assert torch.equal(torch.ocl.get_rng_state(), default)
    assert a.get_offset() == 2
    a.set_offset(0)
    assert torch.equal(
        torch.rand(4, device="ocl", generator=a).cpu(), torch.rand(4, device="ocl", generator=b.manual_seed(3)).cpu()
    )
    with pytest.raises(RuntimeError, match=r"(?i)expected a.*generator"):
        torch.rand(3, device="ocl", generator=torch.Generator())


def model():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(4, 6), torch.nn.Tanh(), torch.nn.Linear(6, 3))


def test_functional_transforms():
    net = model()
    x = torch.randn(5, 4)
    functions = {
        "grad": lambda x: grad(lambda v: v.sin().prod())(x[0]),
        "vmap": lambda x: vmap(lambda v: (v * v).sum().exp())(x),
        "vmap over matmul": lambda x: vmap(torch.mv, in_dims=(None, 0))(x.T @ x, x),
        "jvp": lambda x: jvp(torch.tanh, (x,), (x * 2,))[1],
        "vjp": lambda x: vjp(lambda v: torch.softmax(v, 1), x)[1](x)[0],
        "jacrev": lambda x: jacrev(lambda v: (v @ v.T).sum(1))(x),
        "jacfwd": lambda x: jacfwd(lambda v: v.exp().cumsum(0))(x[0]),
        "hessian": lambda x: hessian(lambda v: (v**3).sum() * v[0])(x[0]),
    }
    for function in functions.values():
        same(function(x.to("ocl")), function(x))
    there = copy.deepcopy(net).to("ocl")
    assert there[0].weight is not net[0].weight

    def per_sample(module, x):
        parameters = {name: p.detach() for name, p in module.named_parameters()}
        loss = lambda p, v: functional_call(module, p, (v[None],)).square().sum()  # noqa: E731
        return vmap(grad(loss), in_dims=(None, 0))(parameters, x)

    wanted, got = per_sample(net, x), per_sample(there, x.to("ocl"))
    for name, gradient in wanted.items():
        same(got[name], gradient)
    torch.manual_seed(0)
    rows = vmap(lambda v: F.dropout(v, 0.5), randomness="different")(torch.ones(4, 64, device="ocl")).cpu()
    assert not torch.equal(rows[0], rows[1])
    rows = vmap(lambda v: F.dropout(v, 0.5), randomness="same")(torch.ones(4, 64, device="ocl")).cpu()
    assert torch.equal(rows[0], rows[1])
    with pytest.raises(RuntimeError, match="randomness"):
        vmap(lambda v: F.dropout(v, 0.5))(torch.ones(4, 64, device="ocl"))


def test_forward_mode_and_double_backward():
    import torch.autograd.forward_ad as forward_ad

    x = torch.randn(5, 4)

    def tangent(x):
        with forward_ad.dual_level():
            return forward_ad.unpack_dual(F.gelu(forward_ad.make_dual(x, x.cos()))).tangent

    same(tangent(x.to("ocl")), tangent(x))

    def penalty(x, net):
        x = x.clone().requires_grad_()
        (first,) = torch.autograd.grad(net(x).square().sum(), x, create_graph=True)
        first.square().sum().backward()
        return x.grad

    net = model()
    wanted = penalty(x, net)
    same(penalty(x.to("ocl"), net.to("ocl")), wanted)


@pytest.mark.parametrize(
    "make, shape",
    [
        (lambda: torch.nn.Linear(3, 2), (2, 3)),
        (lambda: torch.nn.Conv2d(2, 2, 3, padding=1), (1, 2, 4, 4)),
        (lambda: torch.nn.Sequential(torch.nn.LayerNorm(5), torch.nn.GELU()), (3, 5)),
        (lambda: torch.nn.Sequential(torch.nn.BatchNorm1d(3), torch.nn.Softplus()), (4, 3)),
    ],
    ids=["linear", "conv", "layer_norm", "batch_norm"],
)
def test_numerical_gradients(make, shape):
    torch.manual_seed(0)
    module = make().double().to("ocl")
    x = torch.randn(shape, dtype=torch.float64).to("ocl").requires_grad_()
    assert torch.autograd.gradcheck(module, x, nondet_tol=0.0)


def test_hooks_and_anomalies():
    net = model().to("ocl")
    seen = []
    net[0].register_forward_hook(lambda *_: seen.append("forward"))
    net[0].register_full_backward_hook(lambda *_: seen.append("backward"))
    net[2].weight.register_hook(lambda g: seen.append(g.device.type))
    net[2].bias.register_post_accumulate_grad_hook(lambda p: seen.append("accumulated"))
    net(torch.randn(2, 4, device="ocl", requires_grad=True)).sum().backward()
    assert sorted(seen) == ["accumulated", "backward", "forward", "ocl"]
    with torch.autograd.graph.save_on_cpu():
        net(torch.randn(2, 4, device="ocl")).sum().backward()
    x = torch.zeros(3, device="ocl", requires_grad=True)
    with torch.autograd.detect_anomaly(), pytest.raises(RuntimeError, match=r"SqrtBackward0.*nan"):
        (x.sqrt() * 0).sum().backward()


def test_deterministic_algorithms():
    """Nothing raises, since every kernel is deterministic; fresh memory is filled as PyTorch does."""
    index = torch.tensor([0, 1, 1, 0], device="ocl")
    try:
        torch.use_deterministic_algorithms(True)
        assert torch.empty(3, device="ocl").isnan().all().item()
        assert torch.empty_strided((2, 2), (1, 2), dtype=torch.int32, device="ocl").tolist() == [[2**31 - 1] * 2] * 2
        assert torch.empty(2, dtype=torch.bool, device="ocl").tolist() == [True, True]
        grown = torch.ones(2, device="ocl").resize_(4)
        assert grown[:2].tolist() == [1, 1] and grown[2:].isnan().all().item()
        x = torch.ones(4, device="ocl", requires_grad=True)
        torch.zeros(2, device="ocl").index_add(0, index, x).sum().backward()
        torch.zeros(2, device="ocl").scatter_add(0, index, x).sum().backward()
        torch.zeros(2, device="ocl").index_put((index,), x, accumulate=True)
        x.cumsum(0).sum().backward()
        image = torch.ones(1, 1, 4, 4, device="ocl", requires_grad=True)
        F.interpolate(image, scale_factor=2, mode="bilinear").sum().backward()
        F.max_pool2d(image, 2).sum().backward()
        F.embedding(index, torch.ones(2, 3, device="ocl", requires_grad=True)).sum().backward()
        torch.utils.deterministic.fill_uninitialized_memory = False
        torch.empty(3, device="ocl")
    finally:
        torch.use_deterministic_algorithms(False)
        torch.utils.deterministic.fill_uninitialized_memory = True


def test_dlpack():
    """PyTorch's from_dlpack refuses renamed devices; capsules share memory."""
    x = torch.arange(6.0, device="ocl")[1:].view(5)
    y = torch.utils.dlpack.from_dlpack(torch.utils.dlpack.to_dlpack(x))
    y[0] = 7
    assert y.device == x.device and x.tolist() == [7, 2, 3, 4, 5]
    with pytest.raises(ValueError, match="Unknown device type ocl"):
        torch.from_dlpack(x)
    with pytest.raises(TypeError, match=r"Tensor\.cpu\(\)"):
        x.numpy()
