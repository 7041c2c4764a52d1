"""An index out of range is raised where the host waits next, once, and names op, value and size."""

import json

import pytest
import torch
from test_device import python
from torch.nn import functional as F  # noqa: N812

ROWS, COLUMNS = 5, 3


def table():
    return torch.arange(15.0, device="ocl").view(ROWS, COLUMNS)


def beside(index):
    """The index for each column."""
    return index[:, None].expand(-1, COLUMNS)


def rows(index):
    return torch.ones(len(index), COLUMNS, device="ocl")


def planes(index):
    """Four positions of a plane of 2 x 2, unpooled to 5 positions."""
    return torch.ops.aten.max_unpool2d(torch.ones(1, 1, 2, 2, device="ocl"), index.view(1, 1, 2, 2), [1, ROWS])


# What is called with an index [4] for 5 rows; the op in the message; whether negative ones count from the end; the rest of it.
DIM, DIM1, FLAT = "dimension 0 with size 5", "dimension 1 with size 5", "a tensor of 5 elements"
OPS = {
    "index_select": (lambda i: table().index_select(0, i), "index_select", False, DIM),
    "gather": (lambda i: table().gather(0, beside(i)), "gather", False, DIM),
    "gather, last dim": (lambda i: table().T.contiguous().gather(-1, i[None]), "gather", False, DIM1),
    "embedding": (lambda i: F.embedding(i, table()), "embedding", False, DIM),
    "embedding_bag": (lambda i: F.embedding_bag(i.view(2, 2), table()), "embedding_bag", False, DIM),
    "take": (lambda i: torch.ones(ROWS, device="ocl").take(i), "take", True, FLAT),
    "index": (lambda i: table()[i], "index", True, DIM),
    "index, two": (lambda i: table()[i, i.clamp(0, 2)], "index", True, DIM),
    "index, last dim": (lambda i: table().T[:, i], "index", True, DIM1),
    "index beside a mask": (
        lambda i: torch.ones(4, ROWS, device="ocl")[torch.ones(4, dtype=torch.bool, device="ocl"), i],
        "index",
        True,
        DIM1,
    ),
    "index_put": (lambda i: table().index_put((i,), rows(i)), "index_put", True, DIM),
    "index_put, accumulate": (lambda i: table().index_put((i,), rows(i), accumulate=True), "index_put", True, DIM),
    "index_put, two": (lambda i: table().index_put((i, i.clamp(0, 2)), rows(i)[:, 0]), "index_put", True, DIM),
    "put": (lambda i: torch.ones(ROWS, device="ocl").put_(i, rows(i)[:, 0]), "put", True, FLAT),
    "scatter": (lambda i: table().scatter(0, beside(i), rows(i)), "scatter", False, DIM),
    "scatter of a number": (lambda i: table().scatter(0, beside(i), 1.0), "scatter", False, DIM),
    "scatter, reduce": (lambda i: table().scatter(0, beside(i), 2.0, reduce="add"), "scatter", False, DIM),
    "scatter_add": (lambda i: table().scatter_add(0, beside(i), rows(i)), "scatter_add", False, DIM),
    "scatter_reduce": (lambda i: table().scatter_reduce(0, beside(i), rows(i), "amax"), "scatter_reduce", False, DIM),
    "index_add": (lambda i: table().index_add(0, i, rows(i)), "index_add", False, DIM),
    "index_copy": (lambda i: table().index_copy(0, i, rows(i)), "index_copy", False, DIM),
    "index_reduce": (lambda i: table().index_reduce(0, i, rows(i), "amin"), "index_reduce", False, DIM),
    "index_fill": (lambda i: table().index_fill(0, i, 1.0), "index_fill", True, DIM),
    "one_hot": (lambda i: F.one_hot(i, ROWS), "scatter", False, DIM1),
    "nll_loss": (lambda i: F.nll_loss(torch.ones(4, ROWS, device="ocl"), i), "nll_loss", False, DIM1),
    "cross_entropy": (lambda i: F.cross_entropy(torch.ones(4, ROWS, device="ocl"), i), "nll_loss", False, DIM1),
    "nll_loss, one": (lambda i: F.nll_loss(torch.ones(ROWS, device="ocl"), i[1]), "nll_loss", False, DIM),
    "nll_loss of images": (
        lambda i: F.nll_loss(torch.ones(1, ROWS, 2, 2, device="ocl"), i.view(1, 2, 2)),
        "nll_loss",
        False,
        DIM1,
    ),
    "max_unpool2d": (planes, "max_unpool2d", False, FLAT),
    "multi_margin_loss": (lambda i: F.multi_margin_loss(torch.ones(4, ROWS, device="ocl"), i), "gather", False, DIM1),
    "embedding_dense_backward": (
        lambda i: torch.ops.aten.embedding_dense_backward(rows(i), i, ROWS, -1, False),
        "embedding_dense_backward",
        False,
        DIM,
    ),
}


def raised(wait=torch.ocl.synchronize):
    """The message of what a wait raises; the wait behind it raises nothing, and the device goes on."""
    with pytest.raises(IndexError) as error:
        wait()
    torch.ocl.synchronize()
    assert (torch.ones(3, device="ocl") + 1).tolist() == [2, 2, 2]
    return str(error.value).splitlines()[0]


@pytest.mark.parametrize("name", OPS)
def test_each_op(name):
    call, op, wraps, where = OPS[name]
    call(torch.tensor([0, 4, 1, 2], device="ocl"))
    if wraps:
        call(torch.tensor([0, -5, -1, 2], device="ocl"))
    call(torch.tensor([1, 0, 3, 4], device="ocl"))
    torch.ocl.synchronize()
    what = "target" if "nll" in op else "index"
    for bad in (5, -6 if wraps else -1, 2**40):
        call(torch.tensor([0, bad, 1, 2], device="ocl"))
        assert raised() == (f"[{op}] {what} {bad} is out of range for {where} (found at a synchronisation: the op ran earlier)")


def test_int32_indices():
    for op in ("index_select", "embedding", "embedding_bag", "index", "index_put", "index_add", "index_fill"):
        OPS[op][0](torch.tensor([0, 4, 1, 2], dtype=torch.int32, device="ocl"))
        torch.ocl.synchronize()
        OPS[op][0](torch.tensor([0, 7, 1, 2], dtype=torch.int32, device="ocl"))
        assert " 7 is out of range" in raised()


def test_uint8_targets_and_masks():
    logits = torch.ones(3, ROWS, device="ocl")
    F.nll_loss(logits, torch.tensor([0, 255, 1], dtype=torch.uint8, device="ocl"))
    assert "target 255" in raised()
    # A mask of bytes or bools holds no positions.
    mask = torch.tensor([255, 0, 1, 0, 0], dtype=torch.uint8, device="ocl")
    with pytest.warns(UserWarning, match="uint8"):
        assert table()[mask].tolist() == table()[[0, 2]].tolist()
    assert table()[mask.bool()].tolist() == table()[[0, 2]].tolist()
    x = table()
    x[mask.bool()] = 1
    x[mask.bool(), 1] = 2
    torch.ocl.synchronize()


def test_an_ignored_target_is_no_error():
    logits = torch.ones(3, ROWS, device="ocl")
    for ignored in (-100, 77):
        F.cross_entropy(logits, torch.tensor([0, ignored, 4], device="ocl"), ignore_index=ignored)
    torch.ocl.synchronize()
    F.cross_entropy(logits, torch.tensor([0, -100, 4], device="ocl"), ignore_index=77)
    assert "[nll_loss] target -100" in raised()


def test_an_empty_index_is_no_error():
    none = torch.empty(0, dtype=torch.int64, device="ocl")
    for op in ("index_select", "gather", "take", "index", "index_put", "put", "scatter_add", "index_add", "index_fill"):
        OPS[op][0](none)
    torch.ocl.synchronize()


@pytest.mark.parametrize("size", [16, 5000, 70001])
def test_large_indices(size):
    """Beside the reading in one launch, and before it; a reduction of one stage, and of two."""
    x = torch.ones(ROWS, device="ocl")
    index = torch.zeros(size, dtype=torch.int64, device="ocl")
    for position in (0, size // 2, size - 1):
        assert x[index].sum().item() == size
        index[position] = 9
        x[index]
        assert "[index] index 9" in raised()
        index[position] = 0
    index[size - 3], index[size - 2] = 8, 7
    assert "index 8 is" in raised(lambda: x.index_add(0, index, index.float()).tolist())
    index[size - 1] = -2
    assert "index -2 is" in raised(lambda: x.index_add(0, index, index.float()).tolist())


def test_strided_and_repeated_indices():
    x, many = table(), torch.zeros(400, 7, dtype=torch.int64, device="ocl")
    many[399, 6] = 5
    assert x.flatten()[many.T[:, ::3]].shape == (7, 134)
    many.T[6, 399] = 15
    x.flatten().index_put((many.T[::2, ::3],), x[0, 0])
    assert "index 15 is out of range for dimension 0 with size 15" in raised()
    x.expand(400, ROWS, COLUMNS).gather(1, many[:, 6:, None].expand(400, 1, 2))
    assert "[gather] index 15" in raised()


WAITS = {
    "torch.accelerator.synchronize": lambda x: torch.accelerator.synchronize(),
    "item": lambda x: x.sum().item(),
    "cpu": lambda x: x.cpu(),
    "tolist": lambda x: x.tolist(),
    "print": lambda x: str(x),
    "copy to a CPU tensor": lambda x: torch.empty(x.T.shape).copy_(x.T),
    "stream": lambda x: torch.ocl.current_stream().synchronize(),
    "event": lambda x: torch.ocl.current_stream().record_event().synchronize(),
    "nonzero": lambda x: x.nonzero(),
}


@pytest.mark.parametrize("name", WAITS)
def test_each_wait(name):
    bad = table()[torch.tensor([7, 8, 0, 0], device="ocl")]
    assert "[index] index 8" in raised(lambda: WAITS[name](bad))


def test_an_event_speaks_of_what_was_before_it():
    before = torch.ocl.current_stream().record_event()
    table()[torch.tensor([7], device="ocl")]
    after = torch.ocl.current_stream().record_event()
    before.synchronize()
    assert "index 7" in raised(after.synchronize)
    after.synchronize()


def test_a_pinned_copy_is_told_of_by_its_event():
    host = torch.empty(1, COLUMNS).pin_memory()
    host.copy_(table()[torch.tensor([7], device="ocl")], non_blocking=True)
    done = torch.ocl.current_stream().record_event()
    assert "index 7" in raised(done.synchronize)


def test_the_first_op_wins_and_the_rest_is_forgotten():
    bad = torch.tensor([9], device="ocl")
    table().index_add(0, bad - 1, table()[:1])
    table().index_select(0, bad)
    table().take(bad + 10)
    assert "[index_add] index 8" in raised()


def test_streams():
    first, second = torch.ocl.Stream(), torch.ocl.Stream()
    x, bad = table(), torch.tensor([6, 7], device="ocl")
    torch.ocl.synchronize()
    with torch.ocl.stream(second):
        x[bad]
    with torch.ocl.stream(first):
        x.index_select(0, bad)
    # A stream's wait tells of its own ops,
    assert "[index_select]" in raised_by(first.synchronize)
    # and of those of streams that it waited for.
    first.wait_stream(second)
    torch.ocl.current_stream().wait_stream(first)
    assert "[index]" in raised(lambda: x.sum().item())
    # The device's wait tells of all: the first call wins.
    with torch.ocl.stream(second):
        x.take(bad + 10)
    with torch.ocl.stream(first):
        x[bad]
    assert "[take] index 17" in raised()


def raised_by(wait):
    with pytest.raises(IndexError) as error:
        wait()
    return str(error.value)


def test_valid_indices_cost_no_wait(tmp_path):
    index, x = torch.tensor([0, 4, 1, 2], device="ocl"), table()
    torch.ocl.synchronize()

    def traced(work):
        with torch.ocl.trace(str(tmp_path / "trace.json")):
            work()
        spans = [e for e in json.loads((tmp_path / "trace.json").read_text())["traceEvents"] if "dur" in e]
        return sorted({(e["name"].split()[0], e["ts"]) for e in spans if e["name"].startswith("copy_d2h")})

    one = len(traced(lambda: x.sum().item()))
    assert one > 0

    def several():
        for _ in range(3):
            x[index].index_add_(0, index.clamp_max(3), x[:4])

    assert len(traced(several)) == one  # the words, at the end of the trace
    assert len(traced(lambda: (several(), x.sum().item()))) == 2 * one
    assert len(traced(lambda: x.sum().item())) == one


def test_more_ops_than_words():
    """Words are used again once they were looked at, without a wait by the caller."""
    x, index = table(), torch.tensor([0, 4], device="ocl")
    for _ in range(3000):
        x.index_select(0, index)
    torch.ocl.synchronize()
    for _ in range(700):
        x.index_select(0, index)
    x.index_select(0, index + 1)
    with pytest.raises(IndexError, match=r"\[index_select\] index 5"):
        for _ in range(2000):
            x.index_select(0, index)
    torch.ocl.synchronize()


def test_a_backward_does_not_look_again(tmp_path):
    weight = table().requires_grad_()
    index = torch.tensor([0, 4, 4], device="ocl")
    out = (
        F.embedding(index, weight).sum()
        + weight[index].sum()
        + weight.gather(0, beside(index)).sum()
        + weight.index_select(0, index).sum()
        + weight.take(index).sum()
    )
    torch.ocl.synchronize()
    with torch.ocl.trace(str(tmp_path / "trace.json")):
        out.backward()
    assert "copy_d2h" not in (tmp_path / "trace.json").read_text()
    assert weight.grad[4].tolist() == [8, 8, 8] and weight.grad[1].tolist() == [0, 2, 0]

    # A custom function's backward may take indices of its own.
    class Own(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.sum()

        @staticmethod
        def backward(ctx, grad):
            return grad.expand(6)[torch.tensor([6], device="ocl")].expand(ROWS, COLUMNS)

    Own.apply(weight).backward()
    assert "[index] index 6" in raised()


def test_it_can_be_turned_off():
    done = python(
        """
        import torch
        print(torch.ones(2, device="ocl").index_select(0, torch.tensor([5], device="ocl")).item())
        """,
        ONCILLA_CHECK_INDEX="0",
    )
    assert done.stdout.split() == ["nan"], done.stderr
