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
        x = torch.eye(3).to("ocl")
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            for _ in range(3):
                y = torch.cholesky_inverse(x)
        assert y.sum().item() == 3 and y.device.type == "ocl"
        texts = [str(w.message) for w in seen if "[fallback]" in str(w.message)]
        assert len(texts) == 1 and "aten::cholesky_inverse" in texts[0] and "runs on the CPU" in texts[0], texts
        assert torch.ocl.fallbacks() == {"aten::cholesky_inverse": 3}, torch.ocl.fallbacks()
        torch.ocl.reset_fallbacks()
        assert torch.ocl.fallbacks() == {}
        print("fine")
        """
    )
    assert done.stdout.strip() == "fine", done.stderr


def test_error_mode_by_environment():
    done = python("import torch; torch.cholesky_inverse(torch.ones(3, 3, device='ocl'))", ONCILLA_FALLBACK="error")
    assert done.returncode != 0 and "NotImplementedError: [fallback] aten::cholesky_inverse" in done.stderr
    done = python("import torch; torch.ocl.fallbacks()", ONCILLA_FALLBACK="maybe")
    assert done.returncode != 0 and "not maybe" in done.stderr


def test_error_mode():
    with pytest.raises(NotImplementedError, match="aten::cholesky_inverse"):
        torch.cholesky_inverse(torch.ones(3, 3, device="ocl"))


def test_gradients_go_through(warn):
    x = torch.diag(torch.tensor([2.0, 3.0])).to("ocl").requires_grad_()
    torch.linalg.det(x * 1).backward()
    assert x.grad.cpu().tolist() == [[3, 0], [0, 2]]
    assert torch.ocl.fallbacks()


def test_a_declined_dtype_says_why(warn):
    x = torch.ones(3, dtype=torch.complex64, device="ocl")
    torch.testing.assert_close(x.atan().cpu(), torch.ones(3, dtype=torch.complex64).atan())
    assert "aten::atan" in torch.ocl.fallbacks()
    with torch.ocl.fallback_mode("error"), pytest.raises(NotImplementedError, match="ComplexFloat"):
        x.atan()


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
    rates = torch.full((20,), 5.0, device="ocl")
    draws = [torch.poisson(rates, generator=torch.Generator("ocl").manual_seed(4)).cpu() for _ in range(2)]
    assert torch.equal(*draws)
    torch.ocl.manual_seed(5)
    a = torch.poisson(rates).cpu()
    torch.ocl.manual_seed(5)
    assert torch.equal(a, torch.poisson(rates).cpu())


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
