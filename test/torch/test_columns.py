"""Windows as columns, distances between rows, matrix functions: compositions that read by position or reduce over broadcast rows."""

import pytest
import torch
from common import check, draw
from torch.nn import functional as F  # noqa: N812  (the field's name)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16], ids=str)
def test_columns(dtype):
    x = draw((2, 3, 7, 6), dtype)
    check(lambda x: F.unfold(x, (3, 2), dilation=(2, 1), padding=(1, 0), stride=(1, 2)), x)
    y = draw((2, 3 * 6, 15), dtype)
    check(lambda y: F.fold(y, (7, 6), (3, 2), dilation=(2, 1), padding=(1, 0), stride=(1, 2)), y)
    if dtype != torch.float32:
        return
    check(lambda x: F.unfold(x[0], 2), x)
    check(lambda x: F.unfold(x.transpose(2, 3), 2, stride=2), x)
    check(lambda x: F.unfold(x, 7, padding=1), x)
    check(lambda x: F.unfold(x[:0], 2), x)
    check(lambda x: F.unfold(x, 2, padding=1), x > 0, grad=False)
    check(lambda y: F.fold(y[1], (7, 6), (3, 2), dilation=(2, 1), padding=(1, 0), stride=(1, 2)), y)
    check(lambda x: F.unfold(x, 2), torch.full((1, 1, 4, 4), float("inf")), grad=False)
    check(lambda y: F.fold(y, (4, 4), 2), torch.tensor(float("inf")).expand(1, 4, 9).contiguous(), grad=False)
    with pytest.raises(RuntimeError, match="calculated shape"):
        F.unfold(torch.empty(1, 1, 2, 2, device="ocl"), 3)


def test_unfold():
    x = draw((3, 7, 2))
    check(lambda x: x.unfold(1, 3, 2) * 1, x)
    check(lambda x: x.unfold(1, 3, 1) * 1, x)
    check(lambda x: x.unfold(0, 1, 3) * 1, x)
    check(lambda x: x.unfold(-1, 2, 1).unfold(1, 2, 2) * 1, x)
    check(lambda x: x.unfold(0, 1, 1) * 1, draw(()))


@pytest.mark.parametrize("p", [0, 0.5, 1, 1.5, 2, 3, float("inf")])
def test_distances(p):
    a, b = draw((2, 5, 3)), draw((2, 4, 3), seed=1)
    b[:, 0] = a[:, 0]
    check(lambda a, b: torch.cdist(a, b, p), a, b, atol=1e-4)
    check(lambda a: F.pdist(a, p), a[0])
    if p == 2:
        check(lambda a, b: torch.cdist(a, b, p), a, b[:1].double().float())
        check(lambda a, b: torch.cdist(a[:, :0], b), a, b)
        check(lambda a, b: torch.cdist(a[..., :0], b[..., :0]), a, b)
        check(lambda a, b: torch.cdist(a, b), draw((30, 4)), draw((3, 27, 4)), rtol=1e-4, atol=1e-4)
        check(lambda a: F.pdist(a), a[0, :1])


def test_matrix_functions():
    x = draw((2, 4, 4))
    check(torch.matrix_exp, x, rtol=1e-4, atol=1e-4)
    check(lambda x: torch.matrix_exp(x * 20), x[:, :1, :1], rtol=1e-4)
    check(lambda x: torch.matrix_exp(x), x[:0])
    small = draw((20, 24), torch.int8, low=-100, high=100)
    check(torch._int_mm, small, small.T.contiguous(), grad=False)


@pytest.mark.parametrize("dtype", [torch.int64, torch.int32, torch.uint8, torch.int16], ids=str)
def test_products_of_integers(dtype):
    a, b = draw((5, 7), dtype, low=0, high=200), draw((7, 4), dtype, low=0, high=200)
    check(torch.mm, a, b, grad=False)
    if dtype == torch.int64:
        check(lambda a, b: torch.addmm(a[:, :4], a, b, beta=3, alpha=-2), a, b, grad=False)
        check(lambda a, b: torch.bmm(a.unsqueeze(0), b.unsqueeze(0)), a, b, grad=False)
        check(lambda a, b: a @ b[:, 0], a, b, grad=False)
        check(lambda a, b: a[0].dot(b[:, 0]), a, b, grad=False)
        check(torch.mm, a + (1 << 62), b, grad=False)


def test_max_unpool():
    def there_and_back(x):
        y, index = F.max_pool2d(x, 2, return_indices=True)
        return F.max_unpool2d(y, index, 2)

    check(there_and_back, draw((2, 3, 6, 4)))
    check(there_and_back, draw((3, 6, 4)))

    def of_overlapping_windows(x):
        y, index = F.max_pool2d(x, 3, 1, return_indices=True)
        return F.max_unpool2d(y, index, 3, 1)

    check(of_overlapping_windows, draw((2, 3, 6, 4)), grad=False)
    index = torch.tensor([[[0, 35], [7, 36]]], device="ocl")
    with pytest.raises(IndexError, match=r"max_unpool2d.*index 36"):
        torch.ops.aten.max_unpool2d(torch.ones(1, 2, 2, device="ocl"), index, (6, 6)).sum().item()

    def in_three_dims(x):
        y, index = F.max_pool3d(x, 2, return_indices=True)
        return F.max_unpool3d(y, index, 2)

    check(in_three_dims, draw((2, 3, 4, 2, 4)))


def test_slow_convolutions():
    x, w = draw((2, 3, 7, 6)), draw((4, 3, 3, 2), seed=1)
    nn = torch._C._nn
    check(lambda x, w, b: nn.thnn_conv2d(x, w, (3, 2), b, 1, (1, 0)), x, w, draw((4,)), rtol=1e-4, atol=1e-4)
    check(lambda x, w: nn.slow_conv_dilated2d(x, w, (3, 2), None, 1, 0, (2, 1)), x, w, rtol=1e-4, atol=1e-4)
    check(lambda x, w: nn.slow_conv_transpose2d(x, w.transpose(0, 1), (3, 2), None, 2, 1, 1), x, w, rtol=1e-4, atol=1e-4)
    check(lambda x, w: nn.slow_conv3d(x, w, (1, 3, 2), None), x.unsqueeze(2), w.unsqueeze(2), rtol=1e-4, atol=1e-4)
