"""The CPU fallback: counted, warned of once, refused where devices mix, raised where asked."""

import pytest
import torch
from test_device import python


@pytest.fixture
def warn():
    with torch.ocl.fallback_mode("warn"):
        torch.ocl.reset_fallbacks()
        yield


def test_counts_and_one_warning():
    done = python(
        """
        import torch, warnings
        x = torch.arange(9.0).view(3, 3).to("ocl")
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            for _ in range(3):
                y = torch.trace(x)
        assert y.item() == 12 and y.device.type == "ocl"
        texts = [str(w.message) for w in seen if "[fallback]" in str(w.message)]
        assert len(texts) == 1 and "aten::trace" in texts[0] and "runs on the CPU" in texts[0], texts
        assert torch.ocl.fallbacks() == {"aten::trace": 3}, torch.ocl.fallbacks()
        torch.ocl.reset_fallbacks()
        assert torch.ocl.fallbacks() == {}
        print("fine")
        """
    )
    assert done.stdout.strip() == "fine", done.stderr


def test_error_mode_by_environment():
    done = python("import torch; torch.trace(torch.ones(3, 3, device='ocl'))", ONCILLA_FALLBACK="error")
    assert done.returncode != 0 and "NotImplementedError: [fallback] aten::trace" in done.stderr
    done = python("import torch; torch.ocl.fallbacks()", ONCILLA_FALLBACK="maybe")
    assert done.returncode != 0 and "not maybe" in done.stderr


def test_error_mode():
    with pytest.raises(NotImplementedError, match="aten::trace"):
        torch.trace(torch.ones(3, 3, device="ocl"))


def test_gradients_go_through(warn):
    x = torch.arange(4.0).view(2, 2).to("ocl").requires_grad_()
    torch.trace(x * x).backward()
    assert x.grad.cpu().tolist() == [[0, 0], [0, 6]]
    assert torch.ocl.fallbacks()


def test_a_declined_dtype_says_why(warn):
    x = torch.ones(3, dtype=torch.complex64, device="ocl")
    assert torch.equal((x + x).cpu(), torch.full((3,), 2 + 0j))
    assert "aten::add.Tensor" in torch.ocl.fallbacks()
    with torch.ocl.fallback_mode("error"), pytest.raises(NotImplementedError, match="ComplexFloat"):
        x + x


@pytest.mark.parametrize(
    "call",
    [
        lambda a, b: a + b,
        lambda a, b: torch.dot(a, b),
        lambda a, b: torch.cat([a, b]),
        lambda a, b: torch.index_select(a, 0, torch.tensor([0])),
        lambda a, b: torch.gather(a, 0, torch.tensor([0])),
        lambda a, b: torch.cumsum(a, 0, out=b),
        lambda a, b: torch.mm(a[None], b[:, None]),
        lambda a, b: torch.nn.functional.linear(a[None], b[None]),
        lambda a, b: torch.nn.functional.conv1d(a[None, None], b[None, None, :2]),
        lambda a, b: a.masked_fill(torch.zeros(3, dtype=torch.bool), 1.0),
        lambda a, b: torch.outer(a, b),
        lambda a, b: torch.nn.functional.embedding(torch.tensor([0]), a[:, None]),
    ],
)
def test_mixed_devices_are_refused(warn, call):
    with pytest.raises(RuntimeError, match=r"same device|is on cpu"):
        call(torch.ones(3, device="ocl"), torch.ones(3))


def test_generators_of_ours_serve_cpu_ops(warn):
    weights = torch.ones(10, device="ocl")
    draws = [torch.multinomial(weights, 5, generator=torch.Generator("ocl").manual_seed(4)).cpu() for _ in range(2)]
    assert torch.equal(*draws)
    torch.ocl.manual_seed(5)
    a = torch.randperm(20, device="ocl").cpu()
    torch.ocl.manual_seed(5)
    assert torch.equal(a, torch.randperm(20, device="ocl").cpu())


def test_integer_convolution(warn):
    x, w = torch.randint(-9, 9, (1, 2, 5, 6)), torch.randint(-9, 9, (3, 2, 3, 3))
    got = torch.nn.functional.conv2d(x.to("ocl"), w.to("ocl"))
    torch.testing.assert_close(got.cpu(), torch.nn.functional.conv2d(x, w))
    assert "aten::convolution_overrideable" in torch.ocl.fallbacks()


@pytest.mark.parametrize("kind", [torch.nn.LSTM, torch.nn.GRU])
def test_recurrent_networks(warn, kind):
    torch.manual_seed(0)
    model = kind(4, 5)
    x = torch.randn(3, 2, 4)
    wanted = model(x)[0]
    wanted.sum().backward()
    gradient = model.weight_ih_l0.grad.clone()
    model.zero_grad()
    model.to("ocl")
    got = model(x.to("ocl"))[0]
    got.sum().backward()
    torch.testing.assert_close(got.cpu(), wanted)
    torch.testing.assert_close(model.weight_ih_l0.grad.cpu(), gradient)
