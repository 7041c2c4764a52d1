"""PyTorch's database of optimizers: every setting of each, foreach, fused and one tensor at a time, steps as on the CPU."""

import pytest
import torch
from common import assert_same, draw
from torch.testing._internal.common_optimizers import optim_db

# SparseAdam takes sparse gradients alone, which the device does not have.
DENSE = [info for info in optim_db if not info.only_supports_sparse_grads]
STEPS = 6


def train(info, device, settings):
    """A few steps down a quadratic that changes with each; the closure is for LBFGS."""
    shapes = [(7, 5), (4, 6)] if info.optim_cls.__name__ == "Muon" else [(7, 5), (3,), (2, 3, 4)]
    # LBFGS divides by differences of gradients: in single precision, two orders of summation soon go apart.
    dtype = torch.float64 if info.step_requires_closure else torch.float32
    params = [torch.nn.Parameter(draw(s, dtype, seed=i).to(device)) for i, s in enumerate(shapes)]
    options = {k: v.to(device) if isinstance(v, torch.Tensor) and v.dim() == 0 else v for k, v in settings.items()}
    optimizer = info.optim_cls(params, **options)
    for step in range(STEPS):
        gradients = [draw(tuple(p.shape), dtype, seed=100 * step + i).to(device) for i, p in enumerate(params)]

        def closure(gradients=gradients):
            for p, g in zip(params, gradients, strict=True):
                p.grad = p.detach() * 0.5 + g
            return sum((p.detach() * (p.detach() * 0.25 + g)).sum() for p, g in zip(params, gradients, strict=True))

        loss = closure()
        optimizer.step(closure if info.step_requires_closure else None)
    return [p.detach() for p in params], loss


@pytest.mark.parametrize("info", DENSE, ids=[info.optim_cls.__name__ for info in DENSE])
def test_optimizer(info):
    ways = [{"foreach": True}, {"foreach": False}] if "foreach" in info.supported_impls else [{}]
    ways += [{"fused": True}] if "fused" in info.supported_impls else []
    for given in info.optim_inputs_func(device="cpu"):
        wanted = train(info, "cpu", {**given.kwargs, **({"foreach": False} if "foreach" in info.supported_impls else {})})
        for way in ways:
            if way.get("foreach") and given.kwargs.get("differentiable"):
                continue  # PyTorch refuses both together
            got = train(info, "ocl", {**given.kwargs, **way})
            try:
                assert_same(got, wanted, rtol=1e-4, atol=1e-5)
            except AssertionError as error:
                raise AssertionError(f"{given.desc or given.kwargs} {way}: {error}") from None
