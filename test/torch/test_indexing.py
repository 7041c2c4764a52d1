"""Reading and writing by index, and masks, against the CPU, forward and backward."""

import pytest
import torch
from common import assert_same, check, draw, moved

FLOATS = [torch.float32, torch.float64]
HALVES = [torch.float16, torch.bfloat16]
OTHERS = [torch.int64, torch.int32, torch.uint8, torch.bool]
EVERY = FLOATS + HALVES + OTHERS


def whole(*values):
    return torch.tensor(values)


def index_of(shape, size, seed=0):
    """Positions below size; every one but 0 and the last occurs where there is room."""
    return torch.randint(size, shape, generator=torch.Generator().manual_seed(seed + size))


def distinct(shape, dtype=torch.float32, seed=0):
    """Values of which no two are equal, so that their order has one answer."""
    n = torch.Size(shape).numel()
    values = torch.randperm(n, generator=torch.Generator().manual_seed(seed)).reshape(shape)
    return (values - n // 2).to(dtype) / 4 if dtype.is_floating_point else values.to(dtype)


def small(shape, dtype, seed=0):
    """Whole numbers, whose sums and products are exact in every dtype."""
    low = 0 if dtype == torch.uint8 else -2
    return draw(shape, torch.int64, low, 2, seed=seed).to(dtype)


def same_out(call, *args, shape=(0,), dtype=None):
    """out=, from an empty tensor and into every second element of a wider one."""
    wanted = call(*args)
    ocl = moved(list(args))
    out = torch.empty(shape, dtype=wanted.dtype, device="ocl")
    assert call(*ocl, out=out) is out
    assert_same(out, wanted)
    if wanted.dim():
        strided = torch.zeros((*wanted.shape[:-1], wanted.shape[-1] * 2), dtype=wanted.dtype, device="ocl")[..., ::2]
        call(*ocl, out=strided)
        assert_same(strided, wanted)


# --- reading


@pytest.mark.parametrize("dtype", EVERY, ids=str)
def test_gather(dtype):
    index = index_of((3, 2, 4), 5)
    check(lambda x, i: x.gather(1, i), draw((3, 5, 4), dtype, layout="transposed"), index)
    if dtype == torch.float32:
        check(lambda x, i: x.gather(-1, i), draw((4, 6)), index_of((3, 9), 6))
        check(lambda x, i: x.gather(0, i), draw(()), whole(0, 0, 0))
        check(lambda x, i: x.gather(0, i), draw((5,)), torch.tensor(3))
        check(lambda x, i: x.gather(0, i.int()), draw((5, 2)), index_of((3, 2), 5))
        check(lambda x, i: x.gather(1, i), draw((3, 5)), index_of((3, 0), 5))
        check(lambda x, i: torch.take_along_dim(x, i, 1), draw((3, 5)), index_of((3, 5), 5))
        same_out(lambda x, i, out=None: torch.gather(x, 0, i, out=out), draw((4, 3)), index_of((2, 3), 4))


@pytest.mark.parametrize("dtype", EVERY, ids=str)
def test_index_select(dtype):
    check(lambda x, i: x.index_select(1, i), draw((3, 5, 4), dtype, layout="strided"), whole(4, 0, 4, 2))
    if dtype == torch.float32:
        check(lambda x, i: x.index_select(-1, i.int()), draw((4, 6)), index_of((18,), 6)[::2])
        check(lambda x, i: x.index_select(0, i), draw(()), whole(0))
        check(lambda x, i: x.index_select(0, i), draw((5,)), torch.tensor(3))
        check(lambda x, i: x.index_select(0, i), draw((0, 3)), torch.empty(0, dtype=torch.int64))
        check(lambda x, i: torch.take(x, i), draw((3, 5)), whole([0, -1], [7, -15]))
        same_out(lambda x, i, out=None: torch.index_select(x, 1, i, out=out), draw((4, 3)), whole(2, 2, 0, 1))
        same_out(lambda x, i, out=None: torch.take(x, i, out=out), draw((4, 3)), whole(2, 2, 0, 11))


def test_embedding():
    words = index_of((4, 3), 6)
    table = draw((6, 5))
    embed = torch.nn.functional.embedding
    check(lambda i, w: embed(i, w), words, table)
    check(lambda i, w: embed(i, w, padding_idx=2), words, table)
    check(lambda i, w: embed(i.int(), w, scale_grad_by_freq=True), words, table)
    check(lambda i, w: embed(i, w), words, draw((6, 5), torch.float64))
    check(lambda i, w: embed(i, w), words, draw((6, 5), torch.bfloat16))
    check(lambda i, w: embed(i, w), words[:0], table)
    grad, rows = draw((2000, 3)).to("ocl"), index_of((2000,), 4).to("ocl")
    first = torch.ops.aten.embedding_dense_backward(grad, rows, 4, -1, False)
    assert all(torch.equal(torch.ops.aten.embedding_dense_backward(grad, rows, 4, -1, False).cpu(), first.cpu()) for _ in range(3))


READS = {
    "one": lambda x, i, j, m: x[i],
    "middle": lambda x, i, j, m: x[:, i],
    "two": lambda x, i, j, m: x[i, j],
    "broadcast": lambda x, i, j, m: x[i[:, None], j],
    "behind": lambda x, i, j, m: x[:, i, j],
    "apart": lambda x, i, j, m: x[i, :, j],
    "three": lambda x, i, j, m: x[i, j, i],
    "negative": lambda x, i, j, m: x[-1 - i, 1:],
    "int32": lambda x, i, j, m: x[i.int()],
    "list": lambda x, i, j, m: x[[0, 2]],
    "mask": lambda x, i, j, m: x[m],
    "mask_behind": lambda x, i, j, m: x[:, m[0]],
    "mask_and_index": lambda x, i, j, m: x[m[:, 0], :, 1],
    "new_dim": lambda x, i, j, m: x[None, i],
    "nothing": lambda x, i, j, m: x[i[:0]],
}


@pytest.mark.parametrize("name", READS)
def test_indexing(name):
    i, j, mask = whole(2, 0, 2), whole(1, 1, 0), torch.tensor([[1, 0, 1], [0, 0, 0], [1, 1, 0]]).bool()
    for layout in ("dense", "transposed"):
        check(READS[name], draw((3, 3, 3), layout=layout), i, j, mask)


@pytest.mark.parametrize("dtype", EVERY, ids=str)
def test_indexing_of_dtypes(dtype):
    check(lambda x, i: x[:, i, i], draw((2, 3, 4), dtype), whole(2, -3, 1))
    check(lambda x, i: x[i], draw((4, 3), dtype), whole([2, -3], [1, 1]))


def test_indexing_with_cpu_indices_and_out():
    x = draw((4, 3))
    there = x.to("ocl")
    assert_same(there[whole(2, -1)], x[whole(2, -1)])
    assert_same(there[x[:, 0] > 0], x[x[:, 0] > 0])
    assert_same(there[1, 2], x[1, 2])
    i = whole(2, 0).to("ocl")
    for out in (torch.empty(0, device="ocl"), torch.zeros(2, 6, device="ocl")[:, ::2]):
        torch.ops.aten.index.Tensor_out(there, [i], out=out)
        assert_same(out, x[whole(2, 0)])


# --- writing

WRITES = {
    "one": lambda x, i, j, m, v: x.index_put((i,), v[0, 0]),
    "number": lambda x, i, j, m, v: x.index_put((i, j), torch.tensor(2.0, device=x.device)),
    "slices": lambda x, i, j, m, v: x.index_put((i[:2],), v),
    "accumulate": lambda x, i, j, m, v: x.index_put((i, j), v[0], accumulate=True),
    "middle": lambda x, i, j, m, v: torch.ops.aten.index_put(x, [None, i], v[0, :1], True),
    "apart": lambda x, i, j, m, v: torch.ops.aten.index_put(x, [i, None, j], v[0], True),
    "mask": lambda x, i, j, m, v: x.index_put((m,), v[0, 0], accumulate=True),
}


@pytest.mark.parametrize("name", WRITES)
def test_index_put(name):
    i, j, mask = whole(2, 0, -2), whole(1, -1, 0), torch.tensor([[1, 0, 1], [0, 0, 0], [1, 1, 0]]).bool()
    for layout in ("dense", "transposed"):
        check(WRITES[name], draw((3, 3, 3), layout=layout), i, j, mask, draw((1, 3, 3), seed=3))


@pytest.mark.parametrize("dtype", EVERY, ids=str)
def test_index_put_of_dtypes(dtype):
    def write(x, i, v, accumulate):
        return x.clone().index_put_((i, i), v, accumulate=accumulate)

    check(lambda x, i, v: write(x, i, v, False), draw((3, 4, 2), dtype), whole(2, 0), draw((2,), dtype, seed=1))
    check(lambda x, i, v: write(x, i, v, True), small((3, 4, 2), dtype), whole(2, 0, 2), small((3, 1), dtype, seed=1), grad=False)


def test_assignment():
    def write(x, i, m):
        x[m] = -1.0
        x[i, 1] = 7
        x[0] = x[1]
        x[:, i[:1]] = x[:, 1:2] * 2
        x.T[i] += 1
        return x

    mask = draw((4, 3)) > 0.5
    check(lambda x, i, m: write(x * 1, i, m), draw((4, 3)), whole(2, 0), mask)
    check(lambda x, i, v: x.put(i, v, accumulate=True), draw((4, 3)), whole(2, -1, 2), draw((3,), seed=2))
    check(lambda x, i, v: (x.T * 1).put(i, v), draw((4, 3)), whole(2, -1, 5), draw((3,), seed=2))


@pytest.mark.parametrize("dtype", EVERY, ids=str)
def test_scatter(dtype):
    index = whole([0, 4, 2, 1], [3, 0, 1, 2])  # no position twice along dim 1
    check(lambda x, i, s: x.scatter(1, i, s), draw((3, 5), dtype), index, draw((2, 4), dtype, seed=1))
    check(lambda x, i: x.scatter(1, i, 1), draw((3, 5), dtype), index)
    check(lambda x, i, s: x.scatter_add(0, i, s), small((3, 5), dtype), index % 3, small((2, 4), dtype, seed=1))


def test_scatter_of_float32():
    index = index_of((4, 5), 4)
    check(lambda x, i, s: x.scatter_add(0, i, s), draw((6, 5), layout="strided"), index, draw((4, 5), seed=1, layout="transposed"))
    check(lambda x, i, s: (x * 1).T.scatter_add_(1, i, s), draw((6, 5)), index.T, draw((5, 4), seed=1))
    check(lambda x, i, s: x.scatter(0, i, s), draw(()), torch.tensor(0), draw((), seed=1))
    check(lambda x, i, s: x.scatter_add(0, i, s), draw((3, 2)), torch.empty(0, 2, dtype=torch.int64), draw((0, 2), seed=1))
    check(lambda x, i: (x * 1).scatter_(1, i, 2.5), draw((4, 5)), index[:, :2])
    check(lambda x, i, s: x.scatter(0, i, s, reduce="multiply"), draw((6, 5)), index, draw((4, 5), seed=1), grad=False)
    check(lambda x, i: x.scatter(0, i, 3.0, reduce="add"), draw((6, 5)), index, grad=False)
    same_out(
        lambda x, i, s, out=None: torch.scatter_add(x, 0, i, s, **({} if out is None else {"out": out})),
        draw((6, 5)), index, draw((4, 5), seed=1),
    )  # fmt: skip


@pytest.mark.parametrize("include", [True, False], ids=["with_self", "without_self"])
@pytest.mark.parametrize("reduce", ["sum", "prod", "mean", "amax", "amin"])
def test_scatter_reduce(reduce, include):
    def fn(x, i, s):
        return x.scatter_reduce(0, i, s, reduce, include_self=include)

    index = index_of((4, 3), 5)
    check(fn, distinct((5, 3)), index, distinct((4, 3), seed=1) + 0.125)
    check(fn, distinct((5, 3), torch.float64), index, distinct((4, 3), torch.float64, seed=1) + 0.125)
    for dtype in [*HALVES, torch.int64, torch.int32]:
        check(fn, small((5, 3), dtype), index, small((4, 3), dtype, seed=1), grad=False)
    x, s = draw((5, 3)), draw((4, 3), seed=1)
    s[1, 1] = float("nan")
    check(fn, x, index, s, grad=False)


@pytest.mark.parametrize("dtype", EVERY, ids=str)
def test_slices_by_index(dtype):
    x, index, source = small((3, 5, 2), dtype), whole(4, 0, 4), small((3, 3, 2), dtype, seed=1)
    check(lambda x, i, s: x.index_add(1, i, s), x, index, source)
    check(lambda x, i, s: x.index_copy(1, i, s), x, whole(4, 0, 1), source)
    check(lambda x, i: x.index_fill(1, i, 1), x, whole(4, -4))
    if dtype == torch.float32:
        check(lambda x, i, s: x.index_add(0, i.int(), s, alpha=0.5), draw((5,)), index, draw((3,), seed=1))
        check(lambda x, i, s: x.index_add(0, i, s), draw(()), whole(0), draw((), seed=1))
        check(lambda x, i, v: x.index_fill(0, i, v.detach()), draw((5, 2)), whole(4, 1), draw((), seed=1))
        check(lambda x, i, s: (x * 1).T.index_add_(1, i, s), draw((5, 2)), index, draw((2, 3), seed=1))
        check(lambda x, i, s: (x * 1).T.index_copy_(1, i, s), draw((5, 2)), whole(4, 2), draw((2, 2), seed=1))


# --- masks


@pytest.mark.parametrize("dtype", EVERY, ids=str)
def test_masks(dtype):
    x = small((3, 4, 2), dtype)
    mask = draw((3, 4, 2), torch.bool)
    check(lambda x: x.nonzero(), x, grad=False)
    check(lambda x, m: x.masked_select(m), x, mask)
    check(lambda x, m, s: x.masked_scatter(m, s), x, mask, small((5, 6), dtype, seed=1))


def test_masks_of_other_shapes():
    check(lambda x: x.nonzero(), torch.tensor([[0.0, 1], [2, 0]]).T, grad=False)
    check(lambda x: x.nonzero(), torch.tensor(3.0), grad=False)
    check(lambda x: x.nonzero(), torch.tensor(0.0), grad=False)
    check(lambda x: x.nonzero(), draw((0, 3)), grad=False)
    check(lambda x: x.nonzero(as_tuple=True), small((70, 5), torch.float32), grad=False)
    check(lambda x: torch.where(x > 0), draw((4, 5)), grad=False)
    check(lambda x, m: x.masked_select(m), draw((4, 1)), draw((3,), torch.bool))
    check(lambda x, m: x.masked_select(m), draw((4, 3), layout="transposed"), torch.tensor(True))
    check(lambda x, m, s: (x * 1).T.masked_scatter_(m, s), draw((4, 3)), draw((4,), torch.bool), draw((12,), seed=1))
    same_out(lambda x, m, out=None: torch.masked_select(x, m, out=out), draw((4, 3)), draw((4, 3), torch.bool))
    same_out(lambda x, out=None: torch.nonzero(x, **({} if out is None else {"out": out})), small((4, 3), torch.float32))


# --- errors, and what lies outside

ERRORS = [
    (lambda x, i: x.gather(0, i), RuntimeError),  # rank
    (lambda x, i: x.gather(0, i[:, None].float()), RuntimeError),
    (lambda x, i: x.index_select(2, i), IndexError),
    (lambda x, i: x.index_select(0, i[:, None]), IndexError),
    (lambda x, i: x.index_select(0, i.float()), RuntimeError),
    (lambda x, i: x[i, i, i], IndexError),
    (lambda x, i: x[i[:2], i], IndexError),
    (lambda x, i: x[i[:2] > 0], IndexError),  # a mask of another size
    (lambda x, i: x[i.float()], IndexError),
    (lambda x, i: x[:, :0][:, i], IndexError),
    (lambda x, i: x.index_put_((i,), x[:2]), RuntimeError),
    (lambda x, i: x.index_put_((i,), x.double()), RuntimeError),
    (lambda x, i: x.put_(i, x[0, :1]), IndexError),
    (lambda x, i: x.scatter(0, i[:, None], x.double()), RuntimeError),
    (lambda x, i: x.scatter(0, i[:, None], x[:1]), RuntimeError),
    (lambda x, i: x.scatter_reduce(0, i[:, None], x, "most"), RuntimeError),
    (lambda x, i: x.index_add(0, i, x[:2]), (RuntimeError, IndexError)),
    (lambda x, i: x.index_copy(0, i, x[:2]), IndexError),
    (lambda x, i: x.masked_select(i[:, None]), RuntimeError),
    (lambda x, i: x.masked_scatter(i[:, None], x), RuntimeError),
    (lambda x, i: x.cumsum(2), IndexError),
    (lambda x, i: x.sort(2), IndexError),
    (lambda x, i: x.topk(5), RuntimeError),
    (lambda x, i: torch.searchsorted(x, x[:2]), RuntimeError),
    (lambda x, i: x.flip((0, 0)), RuntimeError),
    (lambda x, i: x.roll((1, 2), 0), RuntimeError),
]


@pytest.mark.parametrize("number", range(len(ERRORS)))
def test_errors(number):
    call, kind = ERRORS[number]
    for device in ("cpu", "ocl"):
        with pytest.raises(kind):
            call(torch.ones(3, 4, device=device), torch.tensor([0, 1, 2], device=device))


def test_positions_outside_read_nan_and_write_nothing():
    x, far = draw((4, 3)).to("ocl"), whole(1, 4, 2**40, -9).to("ocl")

    def waited(result):
        with pytest.raises(IndexError, match="out of range"):
            torch.ocl.synchronize()
        return result

    for read in (lambda: x[far], lambda: x.index_select(0, far), lambda: x.gather(0, far[:, None].expand(4, 3))):
        got = waited(read())
        assert_same(got[0], x[1].cpu())
        assert got[1:].isnan().all().item()
    assert waited(x.long()[far])[1:].cpu().tolist() == [[0, 0, 0]] * 3
    ones = torch.ones(4, 3, device="ocl")
    wanted = x.cpu()
    wanted[1] = 1
    assert_same(waited(x.index_put((far,), ones)), wanted)
    assert_same(waited(x.index_copy(0, far, ones)), wanted)
    assert_same(waited(x.scatter(0, far[:, None].expand(4, 3), ones)), wanted)


def test_sums_by_index_repeat():
    x, index = draw((3000, 3)).to("ocl"), index_of((3000,), 7).to("ocl")
    sums = [torch.zeros(7, 3, device="ocl").index_add(0, index, x).cpu() for _ in range(3)]
    puts = [torch.zeros(7, 3, device="ocl").index_put((index,), x, accumulate=True).cpu() for _ in range(3)]
    assert all(torch.equal(sums[0], other) for other in sums + puts)
