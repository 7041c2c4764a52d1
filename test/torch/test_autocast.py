"""torch.autocast("ocl"): the rules of CUDA's lists, loss scaling, custom functions."""

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.testing._internal.autocast_test_lists import AutocastTestLists

F = torch.nn.functional
# Fake tensors obey the rules without running a kernel. Ops of cuDNN have no counterpart; `equal` gives no tensor.
ELSEWHERE = {"cudnn_convolution", "cudnn_convolution_transpose", "equal"}


def rules():
    with FakeTensorMode(allow_non_fake_inputs=True):
        lists = AutocastTestLists("ocl")
    modules = {"torch": torch, "nn": torch._C._nn, "linalg": torch._C._linalg, "methods": torch.Tensor}
    for attribute, entries in vars(lists).items():
        prefix, _, kind = attribute.partition("_")
        for name, args, *rest in entries if prefix in modules else ():
            if name == "einsum" or name in ELSEWHERE or (kind == "expect_builtin_promote" and not hasattr(torch.Tensor, name)):
                continue  # the list's own arguments of einsum do not fit
            yield pytest.param(modules[prefix], kind, name, args, rest, id=f"{prefix}.{name}")


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("module, kind, name, args, rest", list(rules()))
def test_result_dtype(module, kind, name, args, rest, dtype):
    options = rest[0] if rest and isinstance(rest[0], dict) else {}
    wanted = {"fp16": dtype, "expect_builtin_promote": rest[0] if rest else None}.get(kind, torch.float32)
    if kind == "need_autocast_promote" and dtype == torch.bfloat16:
        return  # the lists hold float16 arguments, which only autocast to float16 promotes
    mode = next(a for a in torch.utils._pytree.tree_leaves(args) if isinstance(a, torch.Tensor)).fake_mode
    with mode, torch.autocast("ocl", dtype=dtype):
        result = getattr(module, name)(*args, **options)
    result = result[0] if isinstance(result, tuple) else result
    assert result.dtype == wanted and result.device.type == "ocl"


def test_binary_cross_entropy_is_refused():
    p, y = torch.rand(3, device="ocl"), torch.rand(3, device="ocl")
    with torch.autocast("ocl", dtype=torch.float16), pytest.raises(RuntimeError, match="unsafe to autocast"):
        F.binary_cross_entropy(p, y)
    assert F.binary_cross_entropy(p, y).item() > 0
    with torch.autocast("ocl", enabled=False):
        F.binary_cross_entropy(p, y)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_casts_are_those_by_hand(dtype):
    torch.manual_seed(0)
    x = torch.randn(8, 16, device="ocl")
    model = torch.nn.Sequential(torch.nn.Linear(16, 16), torch.nn.ReLU(), torch.nn.Linear(16, 16)).to("ocl")
    with torch.autocast("ocl", dtype=dtype):
        got = F.log_softmax(model(x), 1)
        assert torch.get_autocast_dtype("ocl") == dtype and torch.is_autocast_enabled("ocl")
        with torch.autocast("ocl", enabled=False):
            assert (x @ x.T).dtype == torch.float32
    weights = [p.detach().to(dtype) for p in model.parameters()]
    by_hand = F.linear(F.linear(x.to(dtype), *weights[:2]).relu(), *weights[2:])
    assert torch.equal(got.cpu(), F.log_softmax(by_hand.float(), 1).cpu())
    got.sum().backward()
    assert all(p.grad.dtype == torch.float32 for p in model.parameters())
    with pytest.warns(UserWarning, match=r"float16.*bfloat16|bfloat16.*float16"), torch.autocast("ocl", dtype=torch.float64):
        assert (x @ x.T).dtype == torch.float32


def test_cross_entropy_is_that_of_float32():
    x, y = torch.randn(8, 16, device="ocl", dtype=torch.float16), torch.arange(8, device="ocl")
    with torch.autocast("ocl", dtype=torch.float16):
        loss = F.cross_entropy(x, y)
    assert loss.dtype == torch.float32 and loss.item() == F.cross_entropy(x.float(), y).item()


class Square(torch.autograd.Function):
    """Runs in float32 whatever is around it."""

    @staticmethod
    @torch.amp.custom_fwd(device_type="ocl", cast_inputs=torch.float32)
    def forward(ctx, x):
        ctx.save_for_backward(x)
        assert x.dtype == torch.float32 and not torch.is_autocast_enabled("ocl")
        return x * x

    @staticmethod
    @torch.amp.custom_bwd(device_type="ocl")
    def backward(ctx, grad):
        assert not torch.is_autocast_enabled("ocl")
        return 2 * ctx.saved_tensors[0] * grad


def test_custom_functions():
    x = torch.randn(8, 16, device="ocl", dtype=torch.float16, requires_grad=True)
    with torch.autocast("ocl", dtype=torch.float16):
        y = Square.apply(x)
    y.sum().backward()
    assert y.dtype == torch.float32 and torch.equal(x.grad.cpu(), (2 * x.detach().float()).half().cpu())


@pytest.mark.parametrize("optimizer", [{}, {"fused": True}], ids=["foreach", "fused"])
def test_gradient_scaler(optimizer):
    torch.manual_seed(0)
    model = torch.nn.Linear(16, 16).to("ocl")
    sgd = torch.optim.SGD(model.parameters(), lr=0.5, **optimizer)
    scaler = torch.amp.GradScaler("ocl", init_scale=2.0**10, growth_interval=2)
    x = torch.randn(8, 16, device="ocl")
    scales, moved = [], []
    for step in range(4):
        sgd.zero_grad()
        before = model.weight.detach().clone()
        with torch.autocast("ocl", dtype=torch.float16):
            loss = model(x * (float("inf") if step == 2 else 1.0)).float().square().mean()
        scaler.scale(loss).backward()
        if step == 0:
            scaler.unscale_(sgd)
            wanted = torch.autograd.grad(model(x).square().mean(), model.weight)[0]
            torch.testing.assert_close(model.weight.grad.cpu(), wanted.cpu(), rtol=5e-3, atol=5e-4)
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        scaler.step(sgd)
        scaler.update()
        scales.append(scaler.get_scale())
        moved.append(not torch.equal(before.cpu(), model.weight.detach().cpu()))
    assert scales == [2.0**10, 2.0**11, 2.0**10, 2.0**10]
    assert moved == [True, True, False, True] and model.weight.isfinite().all().item()
    other = torch.amp.GradScaler("ocl")
    other.load_state_dict(scaler.state_dict())
    assert other.get_scale() == scaler.get_scale()
