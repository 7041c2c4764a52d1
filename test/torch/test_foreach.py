"""Kernels over lists of tensors that are not optimizers' _foreach_ arithmetic: norms, loss scaling, Adagrad's fused step."""

import pytest
import torch
from common import assert_same, check, draw, moved


def test_loss_scaling():
    grads = [draw((5, 7)), draw((3,), torch.float16), draw((4, 6), layout="transposed"), torch.empty(0)]
    got = [moved(g) for g in grads]
    found, inverse = torch.zeros(1, device="ocl"), torch.full((1,), 0.25, device="ocl")
    torch._amp_foreach_non_finite_check_and_unscale_(got, found, inverse)
    assert found.item() == 0
    assert_same(got, [g * 0.25 for g in grads])
    for bad in (float("inf"), -float("inf"), float("nan")):
        found.zero_()
        spoilt = [moved(g) for g in grads]
        spoilt[1][1] = bad
        torch._amp_foreach_non_finite_check_and_unscale_(spoilt, found, inverse)
        assert found.item() == 1
    scale, tracker = torch.full((), 8.0, device="ocl"), torch.zeros((), dtype=torch.int32, device="ocl")
    seen = []
    for infinite in (0, 0, 0, 1, 0):
        torch._amp_update_scale_(scale, tracker, torch.full((1,), float(infinite), device="ocl"), 2.0, 0.5, 2)
        seen.append((scale.item(), tracker.item()))
    assert seen == [(8.0, 1), (16.0, 0), (16.0, 1), (8.0, 0), (8.0, 1)]


@pytest.mark.parametrize("p", [1, 2, float("inf"), 3])
def test_norms_of_lists(p):
    tensors = [draw((5, 7)), draw((3,)), draw((4, 6), layout="transposed")]
    check(lambda *list_: torch._foreach_norm(list(list_), p), *tensors, rtol=1e-4)
    if p != float("inf"):  # of nothing there is no largest
        check(lambda *list_: torch._foreach_norm([*list_, list_[0][:0]], p), *tensors, grad=False, rtol=1e-4)
    halves = [t.half() for t in tensors]
    check(lambda *list_: torch._foreach_norm(list(list_), p), *halves, grad=False, rtol=1e-2)


@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize("maximize", [False, True])
def test_fused_adagrad(maximize, scaled):
    def lists(device):
        shapes = [(5, 7), (3,)]
        made = [[moved(draw(s, seed=k)) if device == "ocl" else draw(s, seed=k) for s in shapes] for k in range(2)]
        sums = [torch.full(s, 0.1, device=device) for s in shapes]
        return (*made, sums, [torch.tensor(3.0, device=device) for _ in shapes])

    options = {"lr": 0.1, "lr_decay": 0.01, "weight_decay": 0.02, "eps": 1e-8, "maximize": maximize}
    results = []
    for device in ("ocl", "cpu"):
        arguments = lists(device)
        if scaled:
            options |= {"grad_scale": torch.tensor(4.0, device=device), "found_inf": torch.tensor(0.0, device=device)}
        torch._fused_adagrad_(*arguments, **options)
        results.append(arguments[:3])
    assert_same(results[0][0], results[1][0])
    assert_same(results[0][2], results[1][2])


def test_an_infinity_skips_the_step():
    x, g, total = draw((5, 7)).to("ocl"), draw((5, 7), seed=1).to("ocl"), torch.ones(5, 7, device="ocl")
    before = x.clone()
    torch._fused_adagrad_([x], [g], [total], [torch.tensor(1.0, device="ocl")], lr=0.1, lr_decay=0, weight_decay=0, eps=1e-8, maximize=False,
                          found_inf=torch.tensor(1.0, device="ocl"))  # fmt: skip
    assert torch.equal(x, before) and torch.equal(total, torch.ones_like(total))
