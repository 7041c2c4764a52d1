"""Reductions beyond the common ones, norms and what scales by them."""

import pytest
import torch
from common import check, draw
from torch.nn import functional as F  # noqa: N812


def test_sums_and_counts():
    x = draw((5, 7)).trunc()
    x[1, 2] = float("nan")
    check(lambda a: (a.nansum(), a.nansum(1), a.nansum(0, keepdim=True), a.nansum(1, dtype=torch.float64)), x)
    check(lambda a: (a.count_nonzero(), a.count_nonzero(1), a.bool().count_nonzero((0, 1))), x, grad=False)
    check(lambda a: (torch.trace(a), torch.trace(a.long())), draw((4, 6)), grad=False)
    check(torch.trace, draw((4, 6)))


def test_both_extremes():
    x = draw((5, 7))
    check(lambda a: (*torch.aminmax(a), *torch.aminmax(a, dim=1), *torch.aminmax(a, dim=0, keepdim=True)), x)
    x[1, 2] = float("nan")
    check(lambda a: (*torch.aminmax(a), *torch.aminmax(a, dim=1)), x, grad=False)
    with pytest.raises(RuntimeError, match="empty"):
        torch.aminmax(torch.empty(0, device="ocl"))


def test_equality():
    x = draw((5, 7)).to("ocl")
    other = x.clone()
    assert torch.equal(x, other) and not torch.equal(x, x[:4])
    other[4, 6] += 1
    assert not torch.equal(x, other)
    nan = torch.full((2,), float("nan"), device="ocl")
    assert not torch.equal(nan, nan.clone())


def test_deviation_and_mean():
    check(lambda a: (*torch.std_mean(a, 1), *torch.std_mean(a), *torch.std_mean(a, 0, correction=0, keepdim=True)), draw((5, 7)))


@pytest.mark.parametrize("p", [0, 1, 2, 3, 0.5, float("inf"), -float("inf"), -1])
def test_norms(p):
    check(
        lambda a: (torch.linalg.vector_norm(a, p), torch.linalg.vector_norm(a, p, 1), torch.norm(a, p, 0)),
        draw((5, 7), low=0.2),
        rtol=1e-4,
    )
    check(lambda a: torch.norm(a, p, 1, dtype=torch.float64), draw((5, 7), low=0.2), grad=False, rtol=1e-4)


def test_renorm():
    x = draw((5, 4, 3))
    check(lambda a: (a.renorm(2, 0, 1.5), a.renorm(1, 1, 2.0), a.renorm(float("inf"), -1, 0.5)), x, rtol=1e-4)
    weight = draw((9, 4))
    index = torch.tensor([[1, 3], [3, 8]])

    def embed(table):
        table = table.clone()
        return F.embedding(index.to(table.device), table, max_norm=1.0), table

    check(embed, weight, grad=False)


@pytest.mark.parametrize("dim", [0, 2])
def test_weight_norm(dim):
    sizes = [1, 1, 1]
    sizes[dim] = (4, 3, 5)[dim]
    check(lambda v, g: torch._weight_norm(v, g, dim), draw((4, 3, 5)), draw(tuple(sizes), low=0.5, high=2, seed=1), rtol=1e-4)


def test_products_of_others():
    a, b, c = draw((3, 4, 5)), draw((3, 5, 2), seed=1), draw((4, 2), seed=2)
    check(lambda x, y, z: torch.addbmm(z, x, y, beta=0.5, alpha=2), a, b, c)
    check(lambda x, y: torch.vdot(x, y), draw((9,)), draw((9,), seed=1))
    for gelu in (False, True):
        check(lambda x, y, z, g=gelu: torch._addmm_activation(z[0], x[0], y[0], use_gelu=g), a, b, c, grad=False)


def test_assertions():
    torch._assert_async(torch.tensor(1, device="ocl"), "fine")
    with pytest.raises(RuntimeError, match="not fine"):
        torch._assert_async(torch.tensor(0, device="ocl"), "not fine")
    x = torch.ones(4, device="ocl")
    assert x.is_set_to(x.view(4)) and not x.is_set_to(x[1:])
