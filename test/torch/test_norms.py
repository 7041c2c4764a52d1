"""Layer, RMS and group normalisation and the CTC loss against the CPU, forward and backward; nothing may fall back."""

import pytest
import torch
from common import assert_same, check, draw, moved
from torch.nn import functional as F  # noqa: N812

FLOATS = [torch.float32, torch.float64]
HALVES = [torch.float16, torch.bfloat16]
LOOSE = {"rtol": 1e-4, "atol": 1e-4}


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize(
    "shape, groups, layout",
    [
        ((2, 6, 5, 7), 3, "dense"),
        ((2, 6, 5, 7), 3, "channels_last"),
        ((3, 4, 5), 2, "transposed"),
        ((5, 6), 2, "strided"),
        ((2, 4, 3, 2, 5), 4, "dense"),
        ((2, 4, 1, 3, 2, 2), 1, "dense"),
    ],
    ids=str,
)
def test_group_norm(shape, groups, layout, dtype):
    x, w, b = draw(shape, dtype, layout=layout), draw((shape[1],), dtype, seed=1), draw((shape[1],), dtype, seed=2)
    check(lambda x, w, b: F.group_norm(x, groups, w, b), x, w, b, **LOOSE)
    check(lambda x: F.group_norm(x, groups), x, **LOOSE)
    check(lambda x, w: F.group_norm(x, groups, w, eps=0.1), x, w, **LOOSE)
    # The CPU's backward without a weight raises where there is a bias.
    ones = torch.ones(shape[1], dtype=dtype)
    check(lambda x, b: F.group_norm(x, groups, ones if x.is_cpu else None, b), x, b, **LOOSE)


def test_group_norm_keeps_channels_last():
    x = draw((2, 4, 3, 5), layout="channels_last")
    assert F.group_norm(moved(x), 2).stride() == F.group_norm(x, 2).stride()


@pytest.mark.parametrize("dtype", HALVES, ids=str)
@pytest.mark.parametrize("params", ["same", "float32"])
def test_group_norm_of_halves(dtype, params):
    kept = dtype if params == "same" else torch.float32
    x, w, b = draw((2, 6, 5, 7), dtype), draw((6,), kept, seed=1), draw((6,), kept, seed=2)
    weights = draw((2, 6, 5, 7), dtype, seed=3)
    # The CPU's own gradients of halves round on the way: compare with float64.
    wide = [t.double().requires_grad_() for t in (x, w, b)]
    wanted = F.group_norm(wide[0], 3, wide[1], wide[2])
    wanted.backward(weights.double())
    ocl = [t.to("ocl").requires_grad_() for t in (x, w, b)]
    got = F.group_norm(ocl[0], 3, ocl[1], ocl[2])
    got.backward(weights.to("ocl"))
    tolerance = {torch.float16: 2e-3, torch.bfloat16: 1.6e-2}[dtype]
    assert got.dtype == dtype
    torch.testing.assert_close(got.detach().cpu().double(), wanted.detach(), rtol=tolerance, atol=tolerance)
    for o, t in zip(ocl, wide, strict=True):
        assert o.grad.dtype == o.dtype
        torch.testing.assert_close(o.grad.cpu().double(), t.grad, rtol=tolerance, atol=10 * tolerance)


def test_group_norm_statistics_and_masks():
    x, w, b = draw((2, 6, 5)), draw((6,), seed=1), draw((6,), seed=2)
    wanted = torch.native_group_norm(x, w, b, 2, 6, 5, 3, 1e-5)
    got = torch.native_group_norm(x.to("ocl"), w.to("ocl"), b.to("ocl"), 2, 6, 5, 3, 1e-5)
    assert got[1].shape == (2, 3)
    assert_same(got, wanted, **LOOSE)
    grad = draw((2, 6, 5), seed=3)
    for mask in ([True, False, False], [False, True, False], [False, False, True], [True, True, True]):
        args = (grad, x, wanted[1], wanted[2], w)
        expected = torch.ops.aten.native_group_norm_backward(*args, 2, 6, 5, 3, mask)
        given = torch.ops.aten.native_group_norm_backward(*(a.to("ocl") for a in args), 2, 6, 5, 3, mask)
        for g, e, wanted_here in zip(given, expected, mask, strict=True):
            if wanted_here:
                assert_same(g, e, **LOOSE)
            else:
                assert g is None


def test_group_norm_of_nothing():
    empty = torch.native_group_norm(torch.empty(0, 4, 3, device="ocl"), None, None, 0, 4, 3, 2, 1e-5)
    assert [tuple(t.shape) for t in empty] == [(0, 4, 3), (0, 2), (0, 2)]
    x, w = torch.empty(0, 4, 3, device="ocl", requires_grad=True), torch.ones(4, device="ocl", requires_grad=True)
    torch.native_group_norm(x, w, None, 0, 4, 3, 2, 1e-5)[0].sum().backward()
    assert x.grad.shape == (0, 4, 3) and torch.equal(w.grad.cpu(), torch.zeros(4))


def test_group_norm_twice():
    x, w, b = draw((2, 4, 3), torch.float64), draw((4,), torch.float64, seed=1), draw((4,), torch.float64, seed=2)

    def penalty(x, w, b):
        y = F.group_norm(x, 2, w, b)
        (grad,) = torch.autograd.grad(y.pow(3).sum(), x, create_graph=True)
        return grad.square().sum()

    check(penalty, x, w, b, rtol=1e-6, atol=1e-6)


def test_group_norm_errors():
    x = torch.ones(2, 6, 5, device="ocl")
    for call, message in [
        (lambda: F.group_norm(x, 4), "divisible by num_groups"),
        (lambda: F.group_norm(x, 0), "greater than 0|by zero|division"),
        (lambda: F.group_norm(x, 3, torch.ones(5, device="ocl")), "number of channels"),
        (lambda: F.group_norm(x, 3, torch.ones(6)), "same device"),
        (lambda: F.group_norm(x, 3, torch.ones(6, device="ocl", dtype=torch.float64)), "mixed dtype"),
    ]:
        with pytest.raises((RuntimeError, ZeroDivisionError), match=message):
            call()


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_layer_norm(dtype):
    x, w, b = (
        draw((3, 4, 5), dtype, layout="transposed"),
        draw((4, 5), dtype, seed=1),
        draw((4, 5), dtype, seed=2, layout="strided"),
    )
    check(lambda x, w, b: F.layer_norm(x, (4, 5), w, b), x, w, b, **LOOSE)
    check(lambda x, w: F.layer_norm(x, (4, 5), w), x, w, **LOOSE)
    check(lambda x: F.layer_norm(x, (5,), eps=0.1), x, **LOOSE)
    check(lambda x: F.layer_norm(x, (7,)), draw((7,), dtype), **LOOSE)
    statistics = torch.native_layer_norm(x.to("ocl"), (4, 5), None, None, 1e-5)
    assert_same(statistics, torch.native_layer_norm(x, (4, 5), None, None, 1e-5), **LOOSE)


@pytest.mark.parametrize("dtype", HALVES, ids=str)
@pytest.mark.parametrize("kind", ["layer", "rms"])
def test_rows_of_halves(dtype, kind):
    x, w, b = draw((6, 40), dtype), draw((40,), dtype, seed=1), draw((40,), dtype, seed=2)
    weights = draw((6, 40), dtype, seed=3)

    def forward(x, w, b):
        return F.layer_norm(x, (40,), w, b) if kind == "layer" else F.rms_norm(x, (40,), w, 1e-5)

    wide = [t.double().requires_grad_() for t in (x, w, b)]
    wanted = forward(*wide)
    wanted.backward(weights.double())
    for kept in (dtype, torch.float32) if kind == "layer" else (dtype,):
        ocl = [x.to("ocl").requires_grad_(), w.to("ocl", kept).requires_grad_(), b.to("ocl", kept).requires_grad_()]
        got = forward(*ocl)
        got.backward(weights.to("ocl"))
        tolerance = {torch.float16: 2e-3, torch.bfloat16: 1.6e-2}[dtype]
        assert got.dtype == dtype
        torch.testing.assert_close(got.detach().cpu().double(), wanted.detach(), rtol=tolerance, atol=tolerance)
        for o, t in zip(ocl, wide, strict=True):
            if t.grad is not None:
                assert o.grad.dtype == o.dtype
                torch.testing.assert_close(o.grad.cpu().double(), t.grad, rtol=tolerance, atol=3 * tolerance)


def test_layer_norm_of_nothing_and_errors():
    x, w = torch.empty(0, 4, device="ocl", requires_grad=True), torch.ones(4, device="ocl", requires_grad=True)
    F.layer_norm(x, (4,), w).sum().backward()
    assert x.grad.shape == (0, 4) and torch.equal(w.grad.cpu(), torch.zeros(4))
    with pytest.raises(RuntimeError, match="normalized_shape"):
        F.layer_norm(torch.ones(2, 3, device="ocl"), (4,))
    with pytest.raises(RuntimeError, match="normalized_shape"):
        F.layer_norm(torch.ones(2, 3, device="ocl"), (3,), torch.ones(4, device="ocl"))
    with pytest.raises(RuntimeError, match="same device"):
        F.layer_norm(torch.ones(2, 3, device="ocl"), (3,), torch.ones(3))


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_rms_norm(dtype):
    x, w = draw((3, 4, 5), dtype, layout="transposed"), draw((4, 5), dtype, seed=1)
    check(lambda x, w: F.rms_norm(x, (4, 5), w), x, w, **LOOSE)
    check(lambda x: F.rms_norm(x, (5,), eps=0.1), x, **LOOSE)
    check(lambda x, w: F.rms_norm(x, (5,), w[0]), draw((2, 3, 4, 5), dtype, layout="channels_last"), w, **LOOSE)
    x, w = torch.empty(0, 4, device="ocl", requires_grad=True), torch.ones(4, device="ocl", requires_grad=True)
    F.rms_norm(x, (4,), w).sum().backward()
    assert x.grad.shape == (0, 4) and torch.equal(w.grad.cpu(), torch.zeros(4))


def test_rms_norm_twice():
    def penalty(x, w):
        (grad,) = torch.autograd.grad(F.rms_norm(x, (5,), w, 1e-3).pow(3).sum(), x, create_graph=True)
        return grad.square().sum()

    check(penalty, draw((3, 5), torch.float64), draw((5,), torch.float64, seed=1), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_ctc_loss(dtype, reduction):
    logits, targets = draw((9, 3, 5), dtype), torch.tensor([[1, 2, 2, 3], [4, 1, 0, 0], [3, 0, 0, 0]])
    inputs, labels = [9, 7, 5], [4, 2, 1]

    def padded(x, t):
        return F.ctc_loss(x.log_softmax(-1), t, inputs, labels, reduction=reduction)

    check(padded, logits, targets, **LOOSE)
    joined = torch.tensor([1, 2, 2, 3, 4, 1, 3])
    check(lambda x, t: F.ctc_loss(x.log_softmax(-1), t, inputs, labels, reduction=reduction), logits, joined, **LOOSE)
    lengths = torch.tensor(inputs), torch.tensor(labels)
    check(
        lambda x, t: F.ctc_loss(x.log_softmax(-1), t.int(), *(v.to(x.device) for v in lengths), blank=4, reduction=reduction),
        logits,
        targets % 4,
        **LOOSE,
    )
    # Too few steps for the labels: the loss is infinite, its gradient zero where the caller asks for that.
    check(
        lambda x, t: F.ctc_loss(x.log_softmax(-1), t, [9, 1, 5], labels, reduction=reduction, zero_infinity=True),
        logits,
        targets,
        **LOOSE,
    )


def test_ctc_loss_of_one_sample_and_errors():
    check(lambda x: F.ctc_loss(x.log_softmax(-1), torch.tensor([1, 3], device=x.device), (6,), (2,)), draw((6, 5)), **LOOSE)
    check(
        lambda x: F.ctc_loss(x.log_softmax(-1), torch.zeros(2, 0, dtype=torch.int64, device=x.device), [6, 4], [0, 0]),
        draw((6, 2, 5)),
        **LOOSE,
    )
    x, t = torch.zeros(6, 2, 5, device="ocl"), torch.ones(2, 3, dtype=torch.int64, device="ocl")
    for lengths, labels, blank, message in [
        ([6, 7], [1, 1], 0, "at most"),
        ([6, 6], [1, 4], 0, "targets"),
        ([6], [1, 1], 0, "batch_size"),
        ([6, 6], [1, 1], 5, "blank"),
    ]:
        with pytest.raises(RuntimeError, match=message):
            F.ctc_loss(x, t, lengths, labels, blank)


def test_ctc_loss_with_lengths_as_tensors():
    log_prob, targets = draw((6, 2, 5)).log_softmax(-1), torch.tensor([[1, 2, 2], [3, 0, 0]])
    lengths = torch.tensor([6, 5]), torch.tensor([3, 1])
    check(lambda x, t, i, n: torch._ctc_loss(x, t, i, n)[0], log_prob, targets, *lengths, **LOOSE)


def test_batch_norm_with_outputs_and_in_steps():
    x, weight, bias = draw((4, 3, 5)), draw((3,)), draw((3,))
    mean, var = torch.zeros(3), torch.ones(3)
    moved_mean, moved_var = mean.to("ocl"), var.to("ocl")
    wanted = torch.native_batch_norm(x, weight, bias, mean, var, True, 0.1, 1e-5)
    out, save_mean, save_invstd = (torch.empty(0, device="ocl") for _ in range(3))
    on_ocl = [t.to("ocl") for t in (x, weight, bias)]
    torch.ops.aten.native_batch_norm.out(
        *on_ocl, moved_mean, moved_var, True, 0.1, 1e-5, out=out, save_mean=save_mean, save_invstd=save_invstd
    )
    assert_same([out, save_mean, save_invstd, moved_mean, moved_var], [*wanted, mean, var])
    wanted = torch.batch_norm_update_stats(x, mean, var, 0.1)
    got = torch.batch_norm_update_stats(on_ocl[0], moved_mean, moved_var, 0.1)
    assert_same([*got, moved_mean, moved_var], [*wanted, mean, var])
