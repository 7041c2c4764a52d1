"""Medians, modes, distinct elements, counts and segments against the CPU."""

import pytest
import torch
from common import assert_same, check, draw
from test_indexing import EVERY, distinct, small, whole

NAN = float("nan")


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.int64], ids=str)
def test_order_statistics(dtype):
    x = distinct((3, 7, 2), dtype)
    check(lambda x: x.kthvalue(3, 1), x)
    check(lambda x: x.median(1), x)
    check(lambda x: x.nanmedian(1, keepdim=True), x)
    check(lambda x: x.median(), x)
    check(lambda x: x.mode(1), small((3, 7, 2), dtype), grad=False)


def test_order_statistics_of_float32():
    some_nan = torch.tensor([[3.0, NAN, 1, 2, NAN, 0, 5], [NAN] * 7, [4.0, 1, 3, 2, 9, 8, 7]])
    for fn in (torch.median, torch.nanmedian):
        check(lambda x, fn=fn: fn(x, 1)[0], some_nan, grad=False)
        check(lambda x, fn=fn: fn(x[::2], 1)[1], some_nan, grad=False)
        check(lambda x, fn=fn: fn(x), some_nan)
        check(lambda x, fn=fn: fn(x), draw((0,)), grad=False)
        check(lambda x, fn=fn: fn(x, 0), draw(()))
        check(lambda x, fn=fn: fn(x, 1), draw((0, 3)), grad=False)
        with pytest.raises(IndexError, match="non-zero size"):
            fn(torch.empty(3, 0, device="ocl"), 1)
    check(lambda x: x.kthvalue(1, keepdim=True), distinct((4, 6)).T)
    check(lambda x: x.mode(0, keepdim=True), torch.tensor([[1.0, 2], [5, 2], [1, 4], [0, 3], [0, 3]]))
    check(lambda x: x.mode(), draw(()))
    with pytest.raises(RuntimeError, match="out of range"):
        torch.empty(3, device="ocl").kthvalue(4)
    whole_values, whole_index = torch.empty(1, device="ocl").expand(2), torch.empty(2, dtype=torch.int64, device="ocl")
    with pytest.raises(RuntimeError, match="unsupported operation"):
        torch.kthvalue(torch.empty(2, 3, device="ocl"), 1, out=(whole_values, whole_index))
    values, index = torch.zeros(4, 2, device="ocl")[:, ::2], torch.empty(0, dtype=torch.int64, device="ocl")
    torch.median(distinct((4, 6)).to("ocl"), 1, keepdim=True, out=(values, index))
    assert_same((values, index), tuple(distinct((4, 6)).median(1, keepdim=True)))


@pytest.mark.parametrize("dtype", EVERY, ids=str)
def test_unique(dtype):
    x = small((3, 7, 2), dtype)
    check(lambda x: x.unique(return_inverse=True, return_counts=True), x, grad=False)
    if dtype in (torch.float32, torch.int64):
        rows = small((3, 4, 2), dtype).abs() % 2
        for dim in range(3):
            check(lambda x, d=dim: x.unique(return_inverse=True, return_counts=True, dim=d), rows, grad=False)
        check(lambda x: x.unique_consecutive(return_inverse=True, return_counts=True), x, grad=False)
        check(lambda x: x.unique_consecutive(return_inverse=True, return_counts=True, dim=0), rows[0], grad=False)


def test_unique_of_float32():
    for x in (draw((0,)), draw((2, 0)), draw(()), torch.tensor([1.0, NAN, 1, NAN, 0, 0])):
        check(lambda x: x.unique(), x, grad=False)
        check(lambda x: torch._unique2(x, True, True, True)[1:], x[x == x] if x.dim() else x, grad=False)
        check(lambda x: x.unique_consecutive(return_counts=True), x, grad=False)
    check(lambda x: x.unique(dim=0), draw((0, 3)), grad=False)
    check(lambda x: x.unique(dim=1, return_inverse=True), small((9, 33), torch.float32)[:, torch.arange(33) // 3], grad=False)
    with pytest.raises(RuntimeError, match="0 sized dimensions"):
        torch.empty(3, 0, device="ocl").unique(dim=0)


def test_bincount():
    x = whole(3, 0, 3, 1, 7, 3)
    for of in (x, x.int(), x.to(torch.uint8), x[:0]):
        check(lambda x: x.bincount(), of, grad=False)
        check(lambda x: x.bincount(minlength=12), of, grad=False)
    check(lambda x, w: x.bincount(w), x, draw((6,)), grad=False)
    check(lambda x, w: x.bincount(w), x, whole(1, 2, 3, 4, 5, 6), grad=False)
    for wrong in (whole(1, -1), whole(1, 2).view(1, 2)):
        with pytest.raises(RuntimeError, match="1-d non-negative"):
            wrong.to("ocl").bincount()


@pytest.mark.parametrize("reduce", ["sum", "mean", "max", "min", "prod"])
def test_segment_reduce(reduce):
    lengths = whole(2, 0, 3, 1)
    x = torch.tensor([1.0, 2, 3, 0, NAN, 3]).unsqueeze(1) * torch.tensor([1.0, 2])

    def fn(x, n, **options):
        return torch.segment_reduce(x, reduce, lengths=n, axis=0, **options)

    check(fn, x, lengths)
    check(lambda x, n: fn(x, n, initial=1, unsafe=True), x, lengths)
    check(lambda x, n: torch.segment_reduce(x, reduce, lengths=n, axis=1), draw((2, 6, 3)), torch.stack([lengths, lengths.flip(0)]))
    if reduce == "sum":
        check(lambda x, o: torch.segment_reduce(x, reduce, offsets=o), x, whole(0, 2, 2, 5, 6))
        with pytest.raises(RuntimeError):
            fn(x.to("ocl"), whole(2, 5).to("ocl"))


def test_repeat_interleave():
    x, repeats = draw((4, 3)), whole(2, 0, 3, 1)
    check(lambda x, n: x.repeat_interleave(n, 0), x, repeats)
    check(lambda x, n: x.repeat_interleave(n, 0, output_size=6), x, repeats)
    check(lambda x: x.repeat_interleave(2), x)
    check(lambda n: torch.repeat_interleave(n), repeats.int(), grad=False)
    check(lambda n: torch.repeat_interleave(n), repeats[:0], grad=False)
    with pytest.raises(RuntimeError, match="negative"):
        torch.repeat_interleave(whole(1, -1).to("ocl"))


def test_nonzero_static():
    x = (draw((3, 5)) > 0).float()
    for size in (0, 3, 20):
        check(lambda x, n=size: torch.nonzero_static(x, size=n, fill_value=-7), x, grad=False)
    check(lambda x: torch.nonzero_static(x, size=2), torch.tensor(3.0), grad=False)


@pytest.mark.parametrize("reduce", ["prod", "mean", "amax", "amin"])
def test_index_reduce(reduce):
    x, index, source = draw((3, 5, 2)), whole(4, 0, 4, 1, 4), draw((3, 5, 2), seed=1)
    for include_self in (True, False):
        check(
            lambda x, i, s, inside=include_self: x.clone().index_reduce_(1, i, s, reduce, include_self=inside),
            x,
            index,
            source,
            grad=reduce != "prod",
        )
