"""Bags of embeddings against the CPU, forward and backward; nothing may fall back."""

import pytest
import torch
from common import assert_same, check, draw
from torch.nn import functional as F  # noqa: N812

INDICES = [1, 4, 4, 0, 3, 2, 4, 1, 5]
OFFSETS = [0, 3, 3, 8]


def bag(weight, mode, offsets=OFFSETS, dtype=torch.int64, **options):
    device = weight.device
    return F.embedding_bag(
        torch.tensor(INDICES, dtype=dtype, device=device),
        weight,
        torch.tensor(offsets, dtype=dtype, device=device),
        mode=mode,
        **options,
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
def test_embedding_bag(mode, dtype):
    weight = draw((6, 5), dtype)
    check(lambda w: bag(w, mode), weight)
    check(lambda w: bag(w, mode, dtype=torch.int32), weight, grad=False)
    check(lambda w: bag(w, mode, padding_idx=4), weight)
    check(lambda w: bag(w, mode, padding_idx=-1), weight)
    check(lambda w: bag(w, mode, [0, 3, 3, 9], include_last_offset=True), weight)
    check(lambda w: F.embedding_bag(torch.tensor([[1, 2, 2], [5, 0, 1]], device=w.device), w, mode=mode), weight)
    check(lambda w: bag(w, mode), draw((6, 5), dtype, layout="transposed"))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_per_sample_weights(dtype):
    weight, scale = draw((6, 5), dtype), draw((9,), dtype, seed=1)
    check(lambda w, s: bag(w, "sum", per_sample_weights=s), weight, scale)
    check(lambda w, s: bag(w, "sum", per_sample_weights=s, padding_idx=4), weight, scale)


def test_nothing():
    weight = draw((6, 5))
    for mode in ("sum", "mean", "max"):
        check(
            lambda w, mode=mode: F.embedding_bag(
                torch.zeros(0, dtype=torch.int64, device=w.device), w, torch.zeros(2, dtype=torch.int64, device=w.device), mode=mode
            ),
            weight,
        )


def test_the_module_learns():
    torch.manual_seed(0)
    model = torch.nn.EmbeddingBag(6, 5, mode="mean")
    indices = torch.tensor(INDICES), torch.tensor(OFFSETS)
    model(*indices).square().sum().backward()
    wanted = model.weight.grad.clone()
    model.zero_grad()
    model.to("ocl")
    model(*(i.to("ocl") for i in indices)).square().sum().backward()
    torch.testing.assert_close(model.weight.grad.cpu(), wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_halves(dtype):
    for mode in ("sum", "mean", "max"):
        scale = draw((9,), dtype, seed=1) if mode == "sum" else None
        weight, wide = draw((6, 5), dtype).to("ocl").requires_grad_(), draw((6, 5), dtype).double().requires_grad_()
        got = bag(weight, mode, per_sample_weights=None if scale is None else scale.to("ocl"))
        wanted = bag(wide, mode, per_sample_weights=None if scale is None else scale.double())
        grad = draw((4, 5), dtype, seed=2)
        got.backward(grad.to("ocl"))
        wanted.backward(grad.double())
        tolerance = {torch.float16: 2e-3, torch.bfloat16: 1.6e-2}[dtype]
        assert got.dtype == weight.grad.dtype == dtype
        torch.testing.assert_close(got.detach().cpu().double(), wanted.detach(), rtol=tolerance, atol=tolerance)
        torch.testing.assert_close(weight.grad.cpu().double(), wide.grad, rtol=3 * tolerance, atol=3 * tolerance)


@pytest.mark.parametrize("mode", ["sum", "mean"])
def test_gradients_scaled_by_frequency(mode):
    indices, offsets = torch.tensor([1, 2, 1, 4, 1, 2]), torch.tensor([0, 2, 5])
    weight = draw((5, 3))
    on_ocl = weight.to("ocl").requires_grad_()
    F.embedding_bag(indices.to("ocl"), on_ocl, offsets.to("ocl"), mode=mode, scale_grad_by_freq=True).square().sum().backward()
    # The CPU's bags divide by the frequency of another index; its embedding does not.
    weight.requires_grad_()
    bags = F.embedding(indices, weight, scale_grad_by_freq=True).split([2, 3, 1])
    torch.stack([getattr(words, mode)(0) for words in bags]).square().sum().backward()
    assert_same(on_ocl.grad, weight.grad)
