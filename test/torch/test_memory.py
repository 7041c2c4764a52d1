"""The caching allocator through PyTorch: counters, snapshots, running out, and that memory stays flat."""

import gc
import os
import pickle

import pytest
import torch
from test_device import python

# Keys of torch.cuda.memory_stats.
COUNTERS = ["allocation", "segment", "active", "inactive_split", "allocated_bytes", "reserved_bytes", "active_bytes",
            "inactive_split_bytes", "requested_bytes"]  # fmt: skip


def test_counters():
    torch.ocl.empty_cache()
    before = torch.ocl.memory_stats()
    assert {f"{c}.{p}.{v}" for c in COUNTERS for p in ("all", "small_pool", "large_pool")
            for v in ("current", "peak", "allocated", "freed")} <= set(before)  # fmt: skip
    small, large = torch.empty(100, device="ocl"), torch.empty(5 << 20, device="ocl")
    now = torch.ocl.memory_stats()

    def change(key):
        return now[key] - before[key]

    assert change("requested_bytes.small_pool.current") == 400 and change("requested_bytes.large_pool.current") == 20 << 20
    assert change("allocated_bytes.small_pool.current") == 512 and change("allocated_bytes.all.current") == (20 << 20) + 512
    assert change("allocation.all.current") == 2 and change("segment.large_pool.current") == 1
    assert change("active.all.current") == 2 and now["inactive_split_bytes.small_pool.current"] > 0
    del small, large
    torch.ocl.empty_cache()
    now = torch.ocl.memory_stats()
    assert change("allocation.all.current") == 0 and change("allocation.all.freed") == 2 and change("num_device_free") >= 1
    assert change("reserved_bytes.all.current") == 0
    torch.ocl.reset_accumulated_memory_stats()
    assert torch.ocl.memory_stats()["allocation.all.allocated"] == 0
    summary = torch.ocl.memory_summary()
    assert "Reserved memory" in summary and "small" in summary and "small" not in torch.ocl.memory_summary(abbreviated=True)
    assert torch.ocl.memory_allocated() == torch.accelerator.memory_allocated()


def test_empty_cache_gives_all_back():
    done = python(
        """
        import torch
        x = [torch.rand(n, device="ocl") for n in (10, 1000, 300000, 5000000)]
        y = (x[2] @ x[2]).item()
        del x
        torch.ocl.empty_cache()
        print(torch.ocl.memory_reserved(), torch.ocl.memory_allocated())
        """
    )
    assert done.stdout.split() == ["0", "0"], done.stderr


def test_out_of_memory_in_training_leaves_the_process_usable():
    done = python(
        """
        import torch
        torch.ocl.set_per_process_memory_fraction(0.01)
        assert torch.ocl.get_per_process_memory_fraction() == 0.01
        limit = int(torch.ocl.mem_get_info()[1] * 0.01)
        model = torch.nn.Linear(64, 64).to("ocl")
        def step(rows):
            model(torch.ones(rows, 64, device="ocl")).relu().square().sum().backward()
        step(16)
        for _ in range(3):
            try:
                step(limit // 64 // 4)
            except torch.OutOfMemoryError as error:
                assert "memory cap" in str(error) and "asked for" in str(error), error
            else:
                raise SystemExit("it fits")
            model.zero_grad()
            step(16)
            assert model.weight.grad.isfinite().all().item()
        stats = torch.ocl.memory_stats()
        assert stats["num_ooms"] == 3 and stats["reserved_bytes.all.peak"] <= limit, stats
        torch.ocl.set_per_process_memory_fraction(1.0)
        step(limit // 64 // 4)
        print("fine")
        """
    )
    assert done.stdout.strip() == "fine", done.stderr + done.stdout


def test_snapshot_and_history(tmp_path):
    torch.ocl.memory._record_memory_history(max_entries=1000)
    try:
        x = torch.empty(1234, device="ocl")
        address = x.untyped_storage().data_ptr()
        del x
        kept = torch.empty(3 << 20, dtype=torch.uint8, device="ocl")
        with pytest.raises(torch.OutOfMemoryError):
            torch.empty(1 << 50, dtype=torch.uint8, device="ocl")
        torch.ocl.memory._dump_snapshot(str(tmp_path / "snapshot.pickle"))
    finally:
        torch.ocl.memory._record_memory_history(None)
    snapshot = pickle.loads((tmp_path / "snapshot.pickle").read_bytes())
    trace = snapshot["device_traces"][0]
    mine = [entry for entry in trace if entry.get("addr") == address and "segment" not in entry["action"]]
    assert [entry["action"] for entry in mine] == ["alloc", "free_requested", "free_completed"]
    assert mine[0]["size"] == 4936 and mine[0]["time_us"] <= mine[1]["time_us"]
    assert any(frame["name"] == "test_snapshot_and_history" for frame in mine[0]["frames"])
    blocks = {block["address"]: block for segment in snapshot["segments"] for block in segment["blocks"]}
    block = blocks[kept.untyped_storage().data_ptr()]
    assert block["state"] == "active_allocated" and block["requested_size"] == 3 << 20
    assert block["frames"][0]["filename"] == __file__
    for segment in snapshot["segments"]:
        assert sum(block["size"] for block in segment["blocks"]) == segment["total_size"]
    # PyTorch's own reader of such files.
    from torch.cuda import _memory_viz

    assert "4.8KiB" in _memory_viz.trace(snapshot)
    assert "MiB allocated" in _memory_viz.segsum(snapshot) and "viz" in _memory_viz.trace_plot(snapshot)
    count = len(torch.ocl.memory._snapshot()["device_traces"][0])
    torch.empty(7, device="ocl")
    assert len(torch.ocl.memory._snapshot()["device_traces"][0]) == count


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_memory_stays_flat(request):
    """Steps of ever new shapes: neither tensors, nor plans, nor anything on the host may pile up."""
    steps = 20_000 if request.config.getoption("--long", default=False) else 2000
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(16, 32), torch.nn.ReLU(), torch.nn.Linear(32, 4)).to("ocl")
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9)
    data = torch.randn(4096, 16).to("ocl")

    def step(i):
        rows = 1 + i * 7919 % 4000
        optimizer.zero_grad()
        model(data[:rows]).square().mean().backward()
        optimizer.step()

    def measure():
        torch.ocl.synchronize()
        gc.collect()
        return resident(), torch.ocl.memory_reserved(), torch.ocl.memory_allocated()

    for i in range(200):
        step(i)
    before = measure()
    for i in range(200, steps):
        step(i)
    after = measure()
    plans = torch.ocl.plan_stats()
    assert plans["size"] <= 4096
    for name, b, a in zip(("resident", "reserved", "allocated"), before, after, strict=True):
        assert a <= b * 1.02, f"{name}: {b / 2**20:.1f} MiB after 200 steps, {a / 2**20:.1f} after {steps}; plans {plans}"
