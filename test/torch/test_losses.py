"""Losses, gated activations and softmax variants against the CPU."""

import pytest
import torch
from common import check, draw
from torch.nn import functional as F  # noqa: N812


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_margin_losses(reduction):
    x, y = draw((5, 4)), torch.tensor([0, 3, 1, 2, 3])
    weight = draw((4,), low=0.5, high=2, seed=1)
    for p in (1, 2):
        check(lambda a, t, p=p: F.multi_margin_loss(a, t, p=p, margin=0.7, reduction=reduction), x, y)
        check(lambda a, t, w, p=p: F.multi_margin_loss(a, t, p=p, weight=w.detach(), reduction=reduction), x, y, weight)
    check(lambda a, t: F.multi_margin_loss(a, t, reduction=reduction), x[0], y[0])
    labels = torch.tensor([[0, 2, -1, 1], [3, -1, 0, 0], [-1, 1, 2, 3], [1, 0, 3, 2], [2, 2, -1, -1]])
    check(lambda a, t: F.multilabel_margin_loss(a, t, reduction=reduction), x, labels)
    check(lambda a, t: F.multilabel_margin_loss(a, t, reduction=reduction), x[0], labels[0])
    check(lambda a: F.multi_margin_loss(a, y.to(a.device)), torch.full((5, 4), float("nan")), grad=False)


def test_wrong_targets_are_named():
    x = draw((5, 4)).to("ocl")
    with pytest.raises(RuntimeError, match="target tensor should be 1-D"):
        F.multi_margin_loss(x, torch.zeros(3, dtype=torch.int64, device="ocl"))
    with pytest.raises(ValueError, match="only p == 1 and p == 2"):
        F.multi_margin_loss(x, torch.zeros(5, dtype=torch.int64, device="ocl"), p=3)


def test_gated_units():
    check(lambda a: (F.glu(a), F.glu(a, 0)), draw((4, 6)))
    check(lambda a: F.glu(a, 1), draw((2, 4, 3), layout="transposed"))
    with pytest.raises(RuntimeError, match="must be even"):
        F.glu(torch.ones(3, 5, device="ocl"))

    def tangent(a):
        with torch.autograd.forward_ad.dual_level():
            dual = torch.autograd.forward_ad.make_dual(a, torch.ones_like(a))
            return torch.autograd.forward_ad.unpack_dual(F.glu(dual)).tangent

    check(tangent, draw((4, 6)), grad=False)


def test_outputs_that_are_given():
    x, y = draw((5, 4)), draw((5, 4), seed=1)
    ops = torch.ops.aten

    def into(op, *args, **kwargs):
        return op(*args, **kwargs, out=torch.empty(0, device=args[0].device))

    check(lambda a, b: (into(ops.mse_loss.out, a, b), into(ops.huber_loss.out, a, b, 1, 0.5)), x, y, grad=False)
    check(lambda a: into(torch.softmax, a, 1), x, grad=False)
    check(lambda a: torch.aminmax(a, dim=1, out=(a.new_empty(0), a.new_empty(0))), x, grad=False)
    check(lambda a: torch.max(a, 0, out=(a.new_empty(0), a.new_empty(0, dtype=torch.int64))), x, grad=False)
    # A wider dtype is converted to, a narrower one refused.
    check(lambda a: torch.amax(a, 1, out=a.new_empty(5)), x, grad=False)
    with pytest.raises(RuntimeError, match="can't be cast"):
        torch.amax(x.to("ocl"), 1, out=torch.empty(5, dtype=torch.int32, device="ocl"))
    with pytest.raises(RuntimeError, match="device"):
        torch.softmax(x.to("ocl"), 1, out=torch.empty(5, 4))


def test_masked_softmax():
    x, mask = draw((2, 3, 4, 4)), draw((2, 3, 4, 4), torch.bool)
    mask[0, 0, 0] = True  # sees nothing
    check(lambda a, m: torch._masked_softmax(a, m, 3, 2), x, mask)
    check(lambda a, m: torch._masked_softmax(a, m, 3, 0), x, mask[1, 1], grad=False)
    check(lambda a, m: torch._masked_softmax(a, m, 3, 1), x, mask[:, 1, 1], grad=False)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_weighted_cross_entropy_of_halves(dtype):
    x, weight, target = draw((5, 6), dtype), draw((6,), dtype, 0.5, 2, seed=1), torch.tensor([0, 4, 2, -100, 1])
    check(lambda a, t, w: F.cross_entropy(a, t, w.detach()), x, target, weight, rtol=2e-2, atol=2e-2)
