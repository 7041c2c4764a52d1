"""Scans, sorts, searches, flip and roll against the CPU, forward and backward."""

import pytest
import torch
from common import assert_same, check, draw
from test_indexing import EVERY, FLOATS, distinct, same_out, small


@pytest.mark.parametrize("dtype", EVERY, ids=str)
def test_scans(dtype):
    x = small((3, 5, 2), dtype)
    check(lambda x: x.cumsum(1), x)
    check(lambda x: x.cumprod(1), x, grad=dtype in FLOATS)
    check(lambda x: x.cummax(1), x)
    check(lambda x: x.cummin(1), x)
    if dtype.is_floating_point:
        check(lambda x: x.logcumsumexp(1), draw((3, 5, 2), dtype))


def test_scans_of_float32():
    for fn in (torch.cumsum, torch.cumprod, torch.logcumsumexp, torch.cummax, torch.cummin):
        check(lambda x, fn=fn: fn(x, 0), draw((4, 3), layout="transposed"))
        check(lambda x, fn=fn: fn(x, -1), draw(()))
        check(lambda x, fn=fn: fn(x, -1), draw((0, 3)))
        check(lambda x, fn=fn: fn(x, 0), draw((300,), low=0.9, high=1.1), rtol=1e-4)
        check(lambda x, fn=fn: fn(x, 0), torch.tensor([1.0, float("nan"), 3, float("nan"), 0]), grad=False)
    check(lambda x: x.cumsum(0, dtype=torch.float64), draw((4, 3)))
    check(lambda x: (x * 1).cumsum_(1), draw((4, 3)))
    check(lambda x: (x * 1).cumprod_(1), draw((4, 3)))
    same_out(lambda x, out=None: torch.cumsum(x, 1, out=out), draw((4, 3)))
    same_out(lambda x, out=None: torch.logcumsumexp(x, 1, out=out), draw((4, 3)))


@pytest.mark.parametrize("dtype", EVERY, ids=str)
def test_sort(dtype):
    check(lambda x: x.sort(dim=1, stable=True), small((3, 7, 2), dtype))
    check(lambda x: x.sort(dim=1, descending=True, stable=True), small((3, 7, 2), dtype))
    if dtype != torch.bool:
        check(lambda x: x.topk(3, 1), distinct((3, 7, 2), dtype))
        check(lambda x: x.topk(2, 0, largest=False), distinct((3, 7, 2), dtype))


def test_sort_of_float32():
    special = torch.tensor([3.0, float("nan"), -0.0, 0.0, float("inf"), -1, float("nan"), float("-inf")])
    for descending in (False, True):
        check(lambda x, d=descending: x.sort(descending=d, stable=True), special, grad=False)
        check(lambda x, d=descending: x.argsort(0, descending=d), distinct((6, 5)).T, grad=False)
    check(lambda x: x.topk(3), special[:6], grad=False)
    check(lambda x: x.sort(), draw(()))
    check(lambda x: x.topk(1), draw(()))
    check(lambda x: x.sort(0), draw((0, 3)))
    check(lambda x: x.topk(0), draw((2, 3)))
    check(lambda x: x.msort(), distinct((40, 3)))
    check(lambda x: x.sort(0), distinct((700,)))
    x = distinct((4, 6))
    values, index = torch.zeros(4, 12, device="ocl")[:, ::2], torch.empty(0, dtype=torch.int64, device="ocl")
    torch.sort(x.to("ocl"), out=(values, index))
    assert_same((values, index), tuple(x.sort()))
    torch.topk(x.to("ocl"), 6, out=(values, index))
    assert_same((values, index), tuple(x.topk(6)))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.int64, torch.int32], ids=str)
def test_search(dtype):
    rows, values = small((3, 9), dtype).sort(1).values, small((3, 5), dtype, seed=1)
    check(lambda s, v: torch.searchsorted(s, v), rows, values, grad=False)
    check(lambda s, v: torch.searchsorted(s, v, right=True, out_int32=True), rows, values, grad=False)
    if dtype == torch.float32:
        unsorted = distinct((3, 9))
        check(lambda s, v, o: torch.searchsorted(s, v, sorter=o), unsorted, values, unsorted.argsort(1), grad=False)
        check(lambda s, v: torch.searchsorted(s[0], v, side="right"), rows, draw((2, 3, 2)), grad=False)
        check(lambda s: torch.searchsorted(s[0], 0.5), rows, grad=False)
        check(lambda s, v: torch.searchsorted(s[0], v), rows, torch.tensor(float("nan")), grad=False)
        check(lambda s, v: torch.searchsorted(s[:, :0], v), rows, values, grad=False)
        check(lambda s, v: torch.bucketize(v, s[1], right=True), rows, values, grad=False)
        check(lambda s, v: torch.bucketize(v, s[1]), rows, values.int(), grad=False)
        same_out(lambda s, v, out=None: torch.searchsorted(s, v, out=out), rows, values)
        same_out(lambda s, v, out=None: torch.bucketize(v, s, out=out), rows[0], values)


# --- coordinates


@pytest.mark.parametrize("dtype", EVERY, ids=str)
def test_flip_and_roll(dtype):
    x = draw((3, 4, 2), dtype, layout="transposed")
    check(lambda x: x.flip((0, 2)), x)
    check(lambda x: x.roll((1, -5), (0, 1)), x)
    if dtype == torch.float32:
        check(lambda x: x.flip(-1), draw((5,)))
        check(lambda x: x.flip(()), x)
        check(lambda x: x.roll(3), x)
        check(lambda x: x.roll((1, 1), (1, 1)), x)
        check(lambda x: x.flip(0).roll(1), draw((0, 3)))
        check(lambda x: x.roll(1), draw(()))
        check(lambda x: x.fliplr().rot90(), draw((3, 4)))
        check(lambda x: torch.nn.functional.channel_shuffle(x, 3), draw((2, 6, 3, 2)))
        same_out(lambda x, out=None: torch.ops.aten.narrow_copy.out(x, 0, 1, 2, out=out) if out is not None else x[1:3], x)


def test_errors():
    with pytest.raises(IndexError, match="no dimensions"):
        draw(()).to("ocl").roll(0, 0)
    with pytest.raises(IndexError, match="out of range"):
        torch.empty(0, 2, device="ocl").logcumsumexp(3)
