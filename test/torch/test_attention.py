"""scaled_dot_product_attention, fused and composed, against the CPU's composition; nothing may fall back."""

import math

import pytest
import torch
from common import assert_same, check, draw, moved
from torch.nn import functional as F  # noqa: N812
from torch.nn.attention import SDPBackend, sdpa_kernel

sdpa = F.scaled_dot_product_attention
FLOATS = [torch.float32, torch.float64]
LOOSE = {"rtol": 1e-4, "atol": 1e-5}


def heads(batch, number, length, size, dtype=torch.float32, seed=0, layout="dense"):
    return draw((batch, number, length, size), dtype, seed=seed, layout=layout)


def chosen(*args, **options):
    return SDPBackend(torch._fused_sdp_choice(*args, **options))


def same(fn, *args, only=None, **tolerance):
    """fn on both devices; on ocl by that backend alone, on the CPU by the composition."""
    device = {"cpu": [SDPBackend.MATH], "ocl": [only or SDPBackend.OVERRIDEABLE]}

    def run(*tensors):
        with sdpa_kernel(device[tensors[0].device.type]):
            return fn(*tensors)

    check(run, *args, **(tolerance or LOOSE))


@pytest.mark.parametrize("only", [SDPBackend.OVERRIDEABLE, SDPBackend.MATH], ids=["fused", "math"])
@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_values_and_gradients(dtype, only):
    q, k, v = heads(2, 3, 9, 5, dtype), heads(2, 3, 13, 5, dtype, 1), heads(2, 3, 13, 7, dtype, 2)
    same(sdpa, q, k, v, only=only)
    same(lambda q, k, v: sdpa(q, k, v, is_causal=True), q, k, v, only=only)
    same(lambda q, k, v: sdpa(q, k, v, is_causal=True, scale=-0.7), heads(1, 2, 17, 5, dtype), k[:1, :2], v[:1, :2], only=only)


@pytest.mark.parametrize("only", [SDPBackend.OVERRIDEABLE, SDPBackend.MATH], ids=["fused", "math"])
@pytest.mark.parametrize("shape", [(9, 13), (13,), (2, 1, 1, 13), (1, 3, 9, 13), (2, 3, 9, 1)], ids=str)
def test_masks(shape, only):
    q, k, v = heads(2, 3, 9, 5), heads(2, 3, 13, 5, seed=1), heads(2, 3, 13, 7, seed=2)
    shown, added = draw(shape, torch.bool, seed=3), draw(shape, seed=4)
    same(lambda q, k, v, m: sdpa(q, k, v, m), q, k, v, shown, only=only)
    same(lambda q, k, v, m: sdpa(q, k, v, m.detach(), scale=0.3), q, k, v, added, only=only)


def test_rows_that_see_nothing_give_zero():
    q, k, v = heads(1, 2, 4, 5), heads(1, 2, 6, 5, seed=1), heads(1, 2, 6, 3, seed=2)
    mask = torch.ones(4, 6, dtype=torch.bool)
    mask[1] = False
    same(lambda q, k, v, m: sdpa(q, k, v, m), q, k, v, mask)
    assert not sdpa(moved(q), moved(k), moved(v), moved(mask))[:, :, 1].cpu().any()


def test_the_choice():
    q, k, v = (moved(heads(2, 4, 5, 6, seed=s)) for s in range(3))
    fused, composed = SDPBackend.OVERRIDEABLE, SDPBackend.MATH
    mask = torch.zeros(5, 5, device="ocl")
    assert chosen(q, k, v) == fused
    assert chosen(q, k, v, mask) == fused
    assert chosen(q, k, v, mask, 0.5) == fused
    assert chosen(q, k, v, None, 0.0, True, scale=2.0) == fused
    assert chosen(q, k[:, :2], v[:, :2], enable_gqa=True) == fused
    assert chosen(q, k[:, :2], v[:, :2]) == composed
    assert chosen(q, k[:, :1].expand(-1, 3, -1, -1), v[:, :3], enable_gqa=True) == composed
    assert chosen(q[0], k[0], v[0]) == composed
    assert chosen(q, k[:1], v[:1]) == composed
    assert chosen(q, k, v, mask.requires_grad_()) == composed
    with torch.no_grad():
        assert chosen(q, k, v, mask) == fused
    assert chosen(q, k, v, mask.detach().double()) == composed
    assert chosen(q, k, v, mask.detach(), 0.0, True) == composed
    assert chosen(q[:, :, :0], k, v) == composed
    assert chosen(*[moved(heads(1, 1, 2, 2000)) for _ in range(3)]) == composed
    with sdpa_kernel([SDPBackend.MATH]):
        assert chosen(q, k, v) == composed
    with sdpa_kernel([SDPBackend.FLASH_ATTENTION]), pytest.raises(RuntimeError, match="No available kernel"):
        sdpa(q, k, v)


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_groups_of_heads(dtype):
    q, k, v = heads(2, 6, 7, 5, dtype), heads(2, 2, 9, 5, dtype, 1), heads(2, 2, 9, 3, dtype, 2)
    for only in (SDPBackend.OVERRIDEABLE, SDPBackend.MATH):
        same(lambda q, k, v: sdpa(q, k, v, is_causal=True, enable_gqa=True), q, k, v, only=only)


def test_composed_calls():
    """What the choice leaves to PyTorch's composition runs on the device too."""
    q, k, v = heads(2, 3, 5, 4), heads(2, 3, 7, 4, seed=1), heads(2, 3, 7, 6, seed=2)
    check(lambda q, k, v: sdpa(q[0], k[0], v[0], is_causal=True), q, k, v, **LOOSE)
    check(lambda q, k, v: sdpa(q, k[:1, :1], v[:1, :1]), q, k, v, **LOOSE)
    check(lambda q, k, v, m: sdpa(q, k, v, m), q, k, v, draw((5, 7), seed=3), **LOOSE)
    check(lambda q, k, v: sdpa(q, k[:, :, :0], v[:, :, :0]), q, k, v, grad=False)
    check(lambda q, k, v: sdpa(q[:, :, :0], k, v), q, k, v, grad=False)


def test_where_out():
    shown, a, b = draw((3, 4), torch.bool), draw((3, 4), seed=1), draw((4,), seed=2)
    for out in (torch.empty(3, 4), torch.empty(4, 3).t(), torch.empty(0), a.clone()):
        wanted = torch.where(shown, a, b, out=out.clone())
        assert_same(torch.where(shown.to("ocl"), a.to("ocl"), b.to("ocl"), out=moved(out)), wanted)
    alias = moved(a)
    torch.where(moved(shown), alias, moved(b), out=alias)
    assert_same(alias, torch.where(shown, a, b))
    with pytest.raises(RuntimeError, match="out type"):
        torch.where(moved(shown), moved(a), moved(b), out=torch.empty(3, 4, dtype=torch.int64, device="ocl"))


def test_layouts():
    q, k, v = (draw((2, 9, 3, 5), seed=s).transpose(1, 2) for s in range(3))
    same(sdpa, q, k, v)
    same(sdpa, *(heads(2, 3, 9, 5, seed=s, layout="strided") for s in range(3)))
    same(lambda q, k, v: sdpa(q, k[:, :1].expand(-1, 3, -1, -1), v), q, k, v)
    y = sdpa(moved(q), moved(k), moved(v))
    assert y.transpose(1, 2).is_contiguous()
    # An expanded gradient, and some of the inputs alone.
    for wanted in range(3):
        ocl, cpu = [moved(t) for t in (q, k, v)], [t.clone() for t in (q, k, v)]
        for side in (ocl, cpu):
            side[wanted].requires_grad_()
            sdpa(*side).sum().backward()
        assert_same(ocl[wanted].grad, cpu[wanted].grad, **LOOSE)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_halves(dtype):
    given = [heads(2, 2, 9, 5, dtype), heads(2, 2, 11, 5, dtype, 1), heads(2, 2, 11, 7, dtype, 2)]
    mask = draw((9, 11), torch.bool, seed=3)
    weights = draw((2, 2, 9, 7), dtype, seed=4)
    wide = [t.double().requires_grad_() for t in given]
    wanted = sdpa(*wide, mask)
    wanted.backward(weights.double())
    tolerance = {torch.float16: 2e-3, torch.bfloat16: 1.6e-2}[dtype]
    for only in (SDPBackend.OVERRIDEABLE, SDPBackend.MATH):
        ocl = [t.to("ocl").requires_grad_() for t in given]
        with sdpa_kernel([only]):
            got = sdpa(*ocl, mask.to("ocl"))
            got.backward(weights.to("ocl"))
        assert got.dtype == dtype
        torch.testing.assert_close(got.detach().cpu().double(), wanted.detach(), rtol=tolerance, atol=tolerance)
        for o, w in zip(ocl, wide, strict=True):
            torch.testing.assert_close(o.grad.cpu().double(), w.grad, rtol=4 * tolerance, atol=4 * tolerance)


@pytest.mark.parametrize("causal", [False, True])
def test_dropout(causal):
    """With values that are unit vectors the result is the weights: the same ones must serve other values and the backward."""
    size, p = 40, 0.25
    q, k, v = heads(1, 2, size, 8), heads(1, 2, size, 8, seed=1), heads(1, 2, size, size, seed=2)
    unit = torch.eye(size).repeat(1, 2, 1, 1)

    def drawn(values, seed=5, **options):
        torch.ocl.manual_seed(seed)
        return sdpa(moved(q), moved(k), moved(values), dropout_p=p, is_causal=causal, **options)

    weights = drawn(unit).cpu()
    seen = torch.ones(size, size).tril() if causal else torch.ones(size, size)
    whole = (q @ k.transpose(-1, -2) / math.sqrt(8)).masked_fill(seen == 0, -math.inf).softmax(-1)
    kept = (weights != 0).float()
    assert_same(weights, whole * kept / (1 - p), **LOOSE)
    share = kept.sum() / (2 * seen.sum())
    assert abs(share.item() - (1 - p)) < 0.04
    assert_same(drawn(v), weights @ v, **LOOSE)
    assert not torch.equal(drawn(unit, seed=6).cpu(), weights)
    torch.ocl.manual_seed(5)
    first, second = (sdpa(moved(q), moved(k), moved(unit), dropout_p=p, is_causal=causal).cpu() for _ in range(2))
    assert torch.equal(first, weights) and not torch.equal(second, weights)

    def composed(q, k, v):
        scores = (q @ k.transpose(-1, -2) / math.sqrt(8)).masked_fill(seen == 0, -math.inf)
        return (scores.softmax(-1) * kept / (1 - p)) @ v

    cpu = [t.clone().requires_grad_() for t in (q, k, v)]
    ocl = [moved(t).requires_grad_() for t in (q, k, v)]
    grad = heads(1, 2, size, size, seed=7)
    composed(*cpu).backward(grad)
    torch.ocl.manual_seed(5)
    y = sdpa(*ocl, dropout_p=p, is_causal=causal)
    torch.ocl.manual_seed(99)  # what the forward drew was saved
    y.backward(grad.to("ocl"))
    for o, c in zip(ocl, cpu, strict=True):
        assert_same(o.grad, c.grad, **LOOSE)


def test_all_dropped_and_composed_dropout():
    q, k, v = (moved(heads(1, 2, 8, 4, seed=s)).requires_grad_() for s in range(3))
    y = sdpa(q, k, v, dropout_p=1.0)
    y.sum().backward()
    assert not y.cpu().any() and not v.grad.cpu().any()
    with sdpa_kernel([SDPBackend.MATH]):
        assert sdpa(q, k, v, dropout_p=0.5).shape == (1, 2, 8, 4)


def test_errors():
    q, k, v = (moved(heads(1, 2, 4, 6, seed=s)) for s in range(3))
    with pytest.raises(RuntimeError, match="dtype"):
        sdpa(q, k.double(), v)
    with pytest.raises(RuntimeError, match="device"):
        sdpa(q, k.cpu(), v)
    with pytest.raises(RuntimeError):
        sdpa(q, k[..., :5], v)
    with pytest.raises(RuntimeError, match="is_causal"):
        sdpa(q, k, v, torch.zeros(4, 4, device="ocl"), is_causal=True)


def test_multihead_attention():
    torch.manual_seed(0)
    model = torch.nn.TransformerEncoderLayer(12, 3, 16, dropout=0.0, batch_first=True)
    x = torch.randn(2, 7, 12)
    mask = torch.nn.Transformer.generate_square_subsequent_mask(7)
    wanted = model(x, src_mask=mask, is_causal=True)
    wanted.square().sum().backward()
    expected = [p.grad.clone() for p in model.parameters()]
    model.zero_grad()
    model.to("ocl")
    got = model(x.to("ocl"), src_mask=mask.to("ocl"), is_causal=True)
    got.square().sum().backward()
    assert_same(got, wanted, rtol=1e-4, atol=1e-4)
    for p, e in zip(model.parameters(), expected, strict=True):
        assert_same(p.grad, e, rtol=1e-3, atol=1e-3)


def test_undefined_gradient():
    q = draw((1, 2, 3, 4)).to("ocl").requires_grad_()
    y = torch._C._functions.UndefinedGrad()(sdpa(q, q, q))
    assert torch.autograd.grad(y, q, torch.ones_like(y), allow_unused=True) == (None,)
