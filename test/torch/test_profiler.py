"""torch.profiler: device times by op, shapes, annotations; and the trace of plans beside it."""

import json

import pytest
import torch
from torch.profiler import ProfilerActivity, profile, record_function

DEVICE = torch.autograd.DeviceType.PrivateUse1


@pytest.fixture(scope="module")
def work():
    x = torch.randn(64, 64).to("ocl").requires_grad_()

    def run():
        with record_function("mine"):
            y = (x @ x).relu().sum()
        y.backward()
        torch.ocl.synchronize()

    run()  # compiled
    return run


def test_device_times_by_op(work, tmp_path):
    with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.PrivateUse1], record_shapes=True) as profiler:
        work()
        torch.ones(1000).to("ocl")
    events = profiler.events()
    kernels = [e for e in events if e.device_type == DEVICE and e.name not in ("mine", "copy_h2d")]
    (copied,) = (e for e in events if e.name == "copy_h2d")
    assert copied.device_type == DEVICE and copied.device_time_total > 0
    assert [e.name for e in events if [k.name for k in e.kernels] == ["copy_h2d"]] == ["aten::_copy_from"]
    assert [e.name.split()[0] for e in kernels].count("matmul") == 3 and all(e.device_time_total > 0 for e in kernels)
    forward = next(e for e in events if e.name == "aten::mm")
    assert forward.input_shapes == [[64, 64], [64, 64]] and [k.name.split()[0] for k in forward.kernels] == ["matmul"]
    assert forward.self_device_time_total == forward.kernels[0].duration > 0
    # Autograd's thread is linked, too.
    assert sum(bool(e.kernels) for e in events if e.name == "aten::mm") == 3
    annotation = next(e for e in events if e.name == "mine")
    assert annotation.device_time_total >= forward.device_time_total and annotation.cpu_time_total > 0
    for kernel in kernels:
        assert events[0].time_range.start <= kernel.time_range.start + 1000  # microseconds: one clock
    averages = profiler.key_averages(group_by_input_shape=True)
    table = averages.table(sort_by="self_device_time_total")
    assert "Self OCL" in table and "[[64, 64], [64, 64]]" in table
    profiler.export_chrome_trace(str(tmp_path / "trace.json"))
    spans = [e for e in json.loads((tmp_path / "trace.json").read_text())["traceEvents"] if e.get("cat") == "kernel"]
    assert len(spans) == len(kernels) and any("float32[64, 64]" in s["args"]["shapes"] for s in spans)


def test_schedule_and_nothing_afterwards(work):
    found = []
    with profile(
        activities=[ProfilerActivity.CPU, ProfilerActivity.PrivateUse1],
        schedule=torch.profiler.schedule(wait=1, warmup=1, active=1, repeat=2),
        on_trace_ready=lambda p: found.append(sum(e.name.startswith("matmul") for e in p.events() if e.device_type == DEVICE)),
    ) as profiler:
        for _ in range(6):
            work()
            profiler.step()
    assert found == [3, 3]
    with profile(activities=[ProfilerActivity.CPU]) as profiler:
        work()
    assert not any(e.device_type == DEVICE and e.name.startswith("matmul") for e in profiler.events())


def test_kernels_of_a_plan(tmp_path):
    x, w = torch.randn(2, 16, 20, 20, device="ocl"), torch.randn(24, 16, 3, 3, device="ocl")
    torch.ocl.synchronize()
    with torch.ocl.trace(str(tmp_path / "plans.json")):
        torch.nn.functional.conv2d(x, w)
    spans = json.loads((tmp_path / "plans.json").read_text())["traceEvents"]
    (plan,) = [e for e in spans if e.get("cat") == "device"]
    kernels = [e for e in spans if e.get("cat") == "kernel"]
    assert len(kernels) > 1, "packing, and the product"
    slack = 1e-3  # microseconds: times are written to a nanosecond
    for before, kernel in zip([None, *kernels], kernels, strict=False):
        assert kernel["tid"] == plan["tid"] and kernel["dur"] > 0
        assert plan["ts"] - slack <= kernel["ts"] and kernel["ts"] + kernel["dur"] <= plan["ts"] + plan["dur"] + slack
        assert before is None or before["ts"] + before["dur"] <= kernel["ts"] + slack, "one after the other"


def test_trace_of_plans_goes_on_beside_it(work, tmp_path):
    with torch.ocl.trace(str(tmp_path / "plans.json")):
        work()
        with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.PrivateUse1]) as profiler:
            work()
        work()
    plans = json.loads((tmp_path / "plans.json").read_text())["traceEvents"]
    assert sum(e["name"].startswith("matmul") and e.get("cat") == "device" for e in plans) == 9
    assert sum(e.name.startswith("matmul") for e in profiler.events() if e.device_type == DEVICE) == 3
