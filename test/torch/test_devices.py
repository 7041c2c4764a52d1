"""Several devices, also of several OpenCL platforms, in one process.

Where there is one device only, these tests run in another process that has two: pocl's two CPU drivers, or pocl beside Intel's runtime.
"""

import io
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import torch

F = torch.nn.functional
ROOT = Path(__file__).resolve().parents[2]
several = pytest.mark.skipif(
    torch.ocl.device_count() < 2, reason="this process has one device: test_with_two_devices starts another"
)


def test_with_two_devices():
    if torch.ocl.device_count() > 1:
        return  # the others run in this process
    run = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", __file__]
    environment = {**os.environ, "POCL_DEVICES": "pthread basic"}
    chosen = Path(os.environ.get("OCL_ICD_VENDORS", "")).parent.name
    if chosen == "intel":
        run = [str(ROOT / "scripts" / "with-runtime"), "pocl+intel", *run]
        environment = {k: v for k, v in os.environ.items() if k != "OCL_ICD_VENDORS"}
    elif "Portable Computing Language" not in torch.ocl.get_device_properties().platform:
        pytest.skip(f"{torch.ocl.get_device_properties().platform} offers one device")
    done = subprocess.run(run, capture_output=True, text=True, timeout=300, env=environment)
    assert done.returncode == 0 and "skipped" not in done.stdout, done.stdout[-3000:] + done.stderr[-2000:]


@several
def test_current_device():
    assert torch.ocl.current_device() == 0
    with torch.ocl.device(1):
        x = torch.empty(2, device="ocl")
        assert x.device == torch.device("ocl:1") and torch.ocl.current_stream().device_index == 1
        with torch.accelerator.device_index(0):
            assert torch.empty(1, device="ocl").device.index == 0
        assert torch.accelerator.current_device_index() == 1
    assert torch.ocl.current_device() == 0
    with torch.ocl.device_of(x):
        assert torch.ocl.current_device() == 1
    assert (x + 1).device == x.device and torch.ocl.current_device() == 0
    threading.Thread(target=torch.ocl.set_device, args=(1,)).start()
    assert torch.ocl.current_device() == 0
    with pytest.raises(RuntimeError, match="invalid device index 7"):
        torch.ocl.set_device(7)


@several
def test_training_gives_the_same_on_each():
    def train(device):
        torch.manual_seed(0)
        model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Dropout(0.5), torch.nn.Linear(8, 2)).to(device)
        optimizer = torch.optim.Adam(model.parameters())
        x = torch.randn(3, 4, device=device)
        for _ in range(3):
            optimizer.zero_grad()
            loss = model(x).square().sum()
            loss.backward()
            optimizer.step()
        return torch.cat([p.detach().flatten() for p in model.parameters()]).cpu(), loss.item()

    (first, a), (second, b) = train("ocl:0"), train("ocl:1")
    torch.testing.assert_close(first, second, rtol=1e-5, atol=1e-6)
    assert abs(a - b) <= 1e-5 * abs(a)


@several
def test_copies():
    x = torch.arange(12.0, device="ocl:1").view(3, 4)
    y = x.to("ocl:0")
    assert y.device.index == 0 and torch.equal(y.cpu(), x.cpu())
    assert torch.equal(torch.empty(4, 3, device="ocl:0").t().copy_(x).cpu(), x.cpu())
    assert torch.equal(
        torch.empty(3, 4, dtype=torch.float16, device="ocl:0").copy_(x[:, :1]).cpu(), x.cpu()[:, :1].expand(3, 4).half()
    )
    assert x.fill_(torch.tensor(2.0, device="ocl:0")).sum().item() == 24
    a = torch.ones(2, device="ocl:1", requires_grad=True)
    ((a * 2).to("ocl:0").sum() + (a * 3).sum().to("ocl:0")).backward()
    assert a.grad.device.index == 1 and a.grad.tolist() == [5, 5]
    file = io.BytesIO()
    torch.save(x, file)
    for where, index in [(None, 1), ("ocl:0", 0), ({"ocl:1": "ocl:0"}, 0)]:
        file.seek(0)
        assert torch.load(file, map_location=where, weights_only=True).device == torch.device("ocl", index)


@several
@pytest.mark.parametrize(
    "call",
    [
        lambda x, y: x + y,
        lambda x, y: x @ y.T,
        lambda x, y: torch.cat([x, y]),
        lambda x, y: torch.where(x > 0, x, y),
        lambda x, y: torch.add(x, x, out=y),
        lambda x, y: torch.index_select(x, 0, torch.zeros(1, dtype=torch.long, device=y.device)),
        lambda x, y: F.linear(x, y),
        lambda x, y: F.conv1d(x[None], y[:, :, None]),
        lambda x, y: F.embedding(torch.zeros(1, dtype=torch.long, device=y.device), x),
        lambda x, y: F.layer_norm(x, (2,), y[0]),
        lambda x, y: F.batch_norm(x, y[0], y[1]),
        lambda x, y: F.cross_entropy(x, torch.zeros(2, dtype=torch.long, device=y.device)),
        lambda x, y: F.scaled_dot_product_attention(x[None], y[None], y[None]),
        lambda x, y: x.scatter_(0, torch.zeros(2, 2, dtype=torch.long, device=y.device), 1.0),
        lambda x, y: x[torch.zeros(1, dtype=torch.long, device=y.device)],
        lambda x, y: x[y > 0],
        lambda x, y: x.index_put_((torch.zeros(1, dtype=torch.long, device=y.device),), x[0].clone()),
        lambda x, y: torch._foreach_add([x], [y]),
        lambda x, y: torch._foreach_mul_([x], y[0, 0]),
        lambda x, y: torch._foreach_lerp([x], [x], [y]),
    ],
)
def test_mixed_devices_are_refused(call):
    with pytest.raises(RuntimeError, match="same device"):
        call(torch.ones(2, 2, device="ocl:1"), torch.ones(2, 2, device="ocl:0"))


@several
def test_an_error_is_its_device_s():
    far = torch.tensor([5], device="ocl:1")
    torch.ones(2, device="ocl:1").index_select(0, far)
    torch.ocl.synchronize(0)
    with pytest.raises(IndexError, match="index 5"):
        torch.ocl.synchronize(1)
    torch.ones(2, device="ocl:1").index_select(0, far)
    ready = torch.ocl.current_stream(1).record_event()
    with pytest.raises(IndexError, match="index 5"):  # the host waits
        torch.ocl.current_stream(0).wait_event(ready)


@several
def test_generators_memory_and_events():
    torch.manual_seed(3)
    draws = [torch.rand(5, device=f"ocl:{i}").tolist() for i in range(2)]
    assert draws[0] == draws[1]
    torch.ocl.set_rng_state(torch.ocl.get_rng_state(1), 0)
    with torch.random.fork_rng(devices=[1], device_type="ocl"):
        torch.rand(5, device="ocl:1")
    assert len(torch.ocl.get_rng_state_all()) == torch.ocl.device_count()
    before = [torch.ocl.memory_allocated(i) for i in range(2)]
    x = torch.empty(1 << 20, device="ocl:1")
    assert torch.ocl.memory_allocated(0) == before[0] and torch.ocl.memory_allocated("ocl:1") == before[1] + (4 << 20)
    torch.ocl.reset_peak_memory_stats(1)
    assert torch.ocl.max_memory_allocated(1) == torch.ocl.memory_allocated(1)
    ready = torch.Event(device="ocl:1")
    x.fill_(3)
    ready.record(torch.ocl.current_stream(1))
    torch.ocl.current_stream(0).wait_event(ready)
    assert ready.query()
    first, second = (torch.Event(device=f"ocl:{i}", enable_timing=True) for i in range(2))
    first.record(torch.ocl.current_stream(0))
    second.record(torch.ocl.current_stream(1))
    second.synchronize()
    first.synchronize()
    with pytest.raises(RuntimeError, match="two devices"):
        first.elapsed_time(second)
    stream = torch.ocl.Stream(1)
    with torch.ocl.stream(stream):
        assert torch.ocl.current_stream(1) == stream and (x + 1).device.index == 1
    torch.ocl.synchronize(1)
    torch.accelerator.synchronize("ocl:1")


@several
def test_threads():
    results, errors = [], []

    def work(i):
        try:
            x = torch.full((100,), float(i), device=f"ocl:{i % 2}", requires_grad=True)
            (x * 2).sum().backward()
            results.append((x * x.grad).sum().item())
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not errors and sorted(results) == [200.0 * i for i in range(6)]


def network(device):
    torch.manual_seed(1)
    layers = [torch.nn.Conv2d(3, 8, 3, padding=1), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(8 * 36, 5)]
    return torch.nn.Sequential(*layers).to(device)


def train_in_parallel(shares, steps=4):
    model = network("ocl:0")
    both = torch.ocl.DataParallel(model, shares=shares)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    generator = torch.Generator().manual_seed(2)
    losses = []
    for _ in range(steps):
        x, y = torch.randn(11, 3, 6, 6, generator=generator).to("ocl:0"), torch.randint(5, (11,), generator=generator).to("ocl:0")
        optimizer.zero_grad()
        loss = F.cross_entropy(both(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    return torch.stack(losses).cpu(), torch.cat([p.detach().flatten() for p in model.parameters()]).cpu()


@several
@pytest.mark.parametrize("shares", [None, (0.8, 0.2), (1, 3), (1e-6, 1)])
def test_data_parallel_trains_as_one_device(shares):
    one = train_in_parallel((1, 1e-9))
    several = train_in_parallel(shares)
    again = train_in_parallel(shares)
    torch.testing.assert_close(several, one, rtol=1e-4, atol=1e-5)
    for first, second in zip(several, again, strict=True):
        assert torch.equal(first, second)


@several
def test_data_parallel_parts():
    both = torch.ocl.DataParallel(network("ocl:0"), shares=(3, 1))
    assert both.shares == [0.75, 0.25] and both.sizes(11) == [8, 3] and both.sizes(1) == [1, 0] and both.sizes(0) == [0, 0]
    seen = []
    both.module[0].register_forward_hook(lambda module, inputs, output: seen.append((output.device.index, len(output))))
    both(torch.ones(11, 3, 6, 6, device="ocl:0"))
    assert seen == [(0, 8), (1, 3)]
    assert both(torch.ones(0, 3, 6, 6, device="ocl:0")).shape == (0, 5)
    before = [b.clone() for b in both.buffers()], torch.ocl.get_rng_state(0)
    shares = both.measure(torch.ones(4, 3, 6, 6, device="ocl:0"))
    assert shares == both.shares and abs(sum(shares) - 1) < 1e-9 and min(shares) > 0
    assert torch.equal(before[1], torch.ocl.get_rng_state(0))
    assert all(p.grad is None for p in both.parameters())


@several
def test_data_parallel_gives_what_the_module_gives():
    class Two(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.norm = torch.nn.BatchNorm1d(3)
            self.unused = torch.nn.Parameter(torch.zeros(2))

        def forward(self, x, scale, *, offset):
            return {"a": self.norm(x) * scale, "b": (offset.sum(1), "text")}

    model = Two().to("ocl:0")
    x, offset = torch.randn(6, 3, device="ocl:0"), torch.randn(6, 2, device="ocl:0")
    found = torch.ocl.DataParallel(model, shares=(2, 1))(x, 2.0, offset=offset)
    parts = [F.batch_norm(part, None, None, training=True) * 2 for part in (x[:4], x[4:])]
    torch.testing.assert_close(found["a"], torch.cat(parts), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(found["b"][0], offset.sum(1))
    assert found["b"][1] == "text" and model.norm.num_batches_tracked.item() == 1
    torch.testing.assert_close(model.norm.running_mean, 0.1 * x[:4].mean(0), rtol=1e-4, atol=1e-6)  # of the first part
    found["a"].sum().backward()
    assert model.norm.bias.grad.tolist() == [12.0] * 3 and model.unused.grad is None


@several
def test_data_parallel_refuses():
    model = network("ocl:0")
    with pytest.raises(ValueError, match=r"0\.weight is on ocl:0, not on the first device, ocl:1"):
        torch.ocl.DataParallel(model, devices=[1, 0])
    for shares in [(1,), (1, 0), (1, -1), (1, float("nan")), (1, float("inf"))]:
        with pytest.raises(ValueError, match="one positive number for each of 2 devices"):
            torch.ocl.DataParallel(model, shares=shares)
    both = torch.ocl.DataParallel(model)
    with pytest.raises(ValueError, match=r"\[2, 3\], \[4\]"):
        both(torch.ones(2, 3), torch.ones(4))
    with pytest.raises(ValueError, match="there is none"):
        both(3)
    with pytest.raises(ValueError, match="single number"):
        torch.ocl.DataParallel(torch.nn.MSELoss())(torch.ones(4, device="ocl:0"), torch.ones(4, device="ocl:0"))
