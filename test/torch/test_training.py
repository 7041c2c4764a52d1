"""Whole runs: the digits example on both devices, bit-identity, checkpoints across devices."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "train_digits.py"


@pytest.fixture(scope="module")
def digits():
    spec = importlib.util.spec_from_file_location("train_digits", EXAMPLE)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def train(digits, device, steps, optimizer=torch.optim.AdamW, state=None, start=0, **options):
    (x, y), _ = digits.load_data(0, torch.device(device))
    torch.manual_seed(0)
    model = digits.make_model().to(device)
    opt = optimizer(model.parameters(), **options)
    if state:
        model.load_state_dict(state["model"])
        opt.load_state_dict(state["optimizer"])
    losses = []
    for step in range(start, start + steps):
        rows = slice(step * 16 % 1024, step * 16 % 1024 + 16)
        opt.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(x[rows]), y[rows])
        loss.backward()
        opt.step()
        losses.append(loss.item())
    return losses, {"model": model.state_dict(), "optimizer": opt.state_dict()}


@pytest.mark.parametrize(
    "optimizer, options",
    [
        (torch.optim.AdamW, {"lr": 1e-3}),
        (torch.optim.SGD, {"lr": 0.05, "momentum": 0.9}),
        (torch.optim.Adam, {"lr": 1e-3, "fused": True}),
    ],
)
def test_fifty_steps_agree(digits, optimizer, options):
    torch.ocl.reset_fallbacks()
    wanted, _ = train(digits, "cpu", 50, optimizer, **{**options, "fused": None})
    got, _ = train(digits, "ocl", 50, optimizer, **options)
    worst = max(abs(g - w) / abs(w) for g, w in zip(got, wanted, strict=True))
    assert worst < 1e-3, f"worst relative difference {worst:.2e}"
    assert torch.ocl.fallbacks() == {}


def test_two_runs_are_bit_identical(digits):
    runs = [train(digits, "ocl", 10, lr=1e-3) for _ in range(2)]
    assert runs[0][0] == runs[1][0]
    for a, b in zip(runs[0][1]["model"].values(), runs[1][1]["model"].values(), strict=True):
        assert torch.equal(a.cpu(), b.cpu())


@pytest.mark.parametrize("first, then", [("cpu", "ocl"), ("ocl", "cpu")])
def test_a_checkpoint_continues_on_the_other_device(digits, tmp_path, first, then):
    whole, _ = train(digits, "cpu", 14, lr=1e-3)
    _, state = train(digits, first, 7, lr=1e-3)
    torch.save(state, tmp_path / "checkpoint.pt")
    state = torch.load(tmp_path / "checkpoint.pt", map_location=then, weights_only=True)
    rest, _ = train(digits, then, 7, state=state, start=7, lr=1e-3)
    assert rest == pytest.approx(whole[7:], rel=1e-3)


def test_the_example(tmp_path):
    run = [sys.executable, str(EXAMPLE), "--epochs", "1", "--batch-size", "128", "--out"]
    done = subprocess.run([*run, str(tmp_path / "a"), "--device", "ocl"], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "a" / "results.json").read_text())
    assert results["fallbacks"] == {} and results["accuracy"] > 0.6 and len(results["losses"]) == 12
    assert (tmp_path / "a" / "digits.png").read_bytes().startswith(b"\x89PNG")
    done = subprocess.run(
        [*run, str(tmp_path / "b"), "--device", "cpu", "--resume", str(tmp_path / "a" / "checkpoint.pt")],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "b" / "results.json").read_text())
    assert len(results["losses"]) == 24 and results["losses"][12] < results["losses"][0]
