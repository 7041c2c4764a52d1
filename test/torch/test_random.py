"""Random draws: the same from the same seed, and of the distribution that is asked for (moments and quantiles of 40,000 draws)."""

import math

import pytest
import torch

N = 40_000

# name: (draw into a tensor, mean, standard deviation); None: infinite
DRAWS = {
    "exponential": (lambda t: t.exponential_(2.0), 0.5, 0.5),
    "geometric": (lambda t: t.geometric_(0.25), 4.0, math.sqrt(0.75) / 0.25),
    "log_normal": (lambda t: t.log_normal_(0.2, 0.5), math.exp(0.325), math.sqrt((math.exp(0.25) - 1) * math.exp(0.65))),
    "normal_means": (lambda t: t.copy_(torch.normal(torch.full_like(t, 3.0), 2.0)), 3.0, 2.0),
    "normal_deviations": (lambda t: t.copy_(torch.normal(1.0, torch.full_like(t, 0.5))), 1.0, 0.5),
    "normal_both": (lambda t: t.copy_(torch.normal(torch.full_like(t, -1.0), torch.full((1,), 3.0, device=t.device))), -1.0, 3.0),
}


@pytest.mark.parametrize(("name", "dtype"), [*((n, torch.float32) for n in DRAWS), ("exponential", torch.float64)], ids=str)
def test_moments(name, dtype):
    fill, mean, deviation = DRAWS[name]
    torch.manual_seed(3)
    first = fill(torch.empty(N, dtype=dtype, device="ocl")).cpu().double()
    torch.manual_seed(3)
    assert torch.equal(first, fill(torch.empty(N, dtype=dtype, device="ocl")).cpu().double())
    assert not torch.equal(first, fill(torch.empty(N, dtype=dtype, device="ocl")).cpu().double())
    # Five standard errors; that of the deviation is taken from the draws' fourth moment.
    assert abs(first.mean().item() - mean) < 5 * deviation / math.sqrt(N)
    fourth = (first - first.mean()).pow(4).mean().item()
    error = math.sqrt(fourth - first.var().item() ** 2) / (2 * deviation * math.sqrt(N))
    assert abs(first.std().item() - deviation) < 5 * error


def test_cauchy_has_its_quartiles():
    torch.manual_seed(3)
    x = torch.empty(N, device="ocl").cauchy_(1.0, 2.0).cpu()
    low, middle, high = torch.quantile(x, torch.tensor([0.25, 0.5, 0.75])).tolist()
    # The density at the median is 1 / (2 pi), at the quartiles half of that.
    error = 0.5 / math.sqrt(N) * 2 * math.pi
    assert abs(middle - 1) < 5 * error and abs(low + 1) < 9 * error and abs(high - 3) < 9 * error


def test_ranges_of_values():
    x = torch.empty(N, device="ocl").exponential_()
    assert x.min().item() > 0 and x.max().item() > 7
    y = torch.empty(N, dtype=torch.int64, device="ocl").geometric_(0.9)
    assert y.min().item() == 1
    for wrong in (
        lambda t: t.exponential_(0.0),
        lambda t: t.cauchy_(0.0, 0.0),
        lambda t: t.geometric_(1.0),
        lambda t: t.log_normal_(0.0, 0.0),
    ):
        with pytest.raises(RuntimeError, match="expects"):
            wrong(torch.empty(3, device="ocl"))
    with pytest.raises(RuntimeError, match=r">= 0\.0"):
        torch.normal(torch.zeros(2, device="ocl"), torch.tensor([1.0, -1.0], device="ocl"))


def test_permutations():
    torch.manual_seed(5)
    first = torch.randperm(1000, device="ocl")
    torch.manual_seed(5)
    assert torch.equal(first, torch.randperm(1000, device="ocl"))
    assert torch.equal(first.sort().values.cpu(), torch.arange(1000))
    # Each number comes to each half equally often.
    front = torch.stack([torch.randperm(8, device="ocl")[:4] for _ in range(400)]).cpu().flatten().bincount(minlength=8)
    assert front.sub(200).abs().max().item() < 5 * math.sqrt(400 * 0.25)
    assert torch.randperm(0, device="ocl").shape == (0,)


@pytest.mark.parametrize("replacement", [True, False])
def test_multinomial(replacement):
    torch.manual_seed(7)
    p = torch.tensor([0.0, 1.0, 3.0, 0.0, 4.0, 0.0])
    if replacement:
        draws = torch.multinomial(p.to("ocl"), 20_000, True).cpu()
        share = draws.bincount(minlength=6) / 20_000
        assert (share - p / 8).abs().max().item() < 5 * math.sqrt(0.25 / 20_000)
        assert share[p == 0].eq(0).all()
        rows = torch.multinomial(torch.stack([p, p.flip(0)]).to("ocl"), 50, True).cpu()
        assert rows.shape == (2, 50) and set(rows[0].tolist()) <= {1, 2, 4} and set(rows[1].tolist()) <= {1, 3, 4}
    else:
        rows = torch.multinomial(p.repeat(2000, 1).to("ocl"), 2).cpu()
        assert (rows[:, 0] != rows[:, 1]).all()
        first = rows[:, 0].bincount(minlength=6) / 2000
        assert (first - p / 8).abs().max().item() < 5 * math.sqrt(0.25 / 2000)
    with pytest.raises(RuntimeError, match="element < 0"):
        torch.multinomial(torch.tensor([1.0, -1.0], device="ocl"), 2, replacement)


def test_rrelu():
    torch.manual_seed(9)
    x = torch.randn(N, device="ocl", requires_grad=True)
    y = torch.nn.functional.rrelu(x, 0.1, 0.3, training=True)
    y.sum().backward()
    slope = x.grad.cpu()
    below = x.detach().cpu() <= 0
    assert torch.equal(slope[~below], torch.ones_like(slope[~below]))
    torch.testing.assert_close(y.detach().cpu(), (x.detach().cpu() * slope))
    assert slope[below].min() >= 0.1 and slope[below].max() <= 0.3
    assert abs(slope[below].mean().item() - 0.2) < 5 * 0.2 / math.sqrt(12 * below.sum().item())
    torch.testing.assert_close(
        torch.nn.functional.rrelu(x.detach(), 0.1, 0.3).cpu(), torch.nn.functional.leaky_relu(x.detach().cpu(), 0.2)
    )
