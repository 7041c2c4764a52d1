"""Devices, memory, streams, events, generators, copies, saving: what is not an op."""

import io
import os
import pickle
import subprocess
import sys
import textwrap

import pytest
import torch
from common import assert_same, draw


def python(code, **environment):
    """Run code in a fresh interpreter."""
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, **environment},
    )


def test_autoload_needs_no_import():
    done = python(
        "import torch; x = torch.ones(3, device='ocl'); print((x + 1).sum().item(), torch.accelerator.current_accelerator())"
    )
    assert done.stdout.split() == ["6.0", "ocl"], done.stderr


def test_import_where_autoload_is_off():
    done = python(
        """
        import torch
        assert not hasattr(torch, "ocl")
        import oncilla
        print(torch.zeros(2, device="ocl").device)
        """,
        TORCH_DEVICE_BACKEND_AUTOLOAD="0",
    )
    assert done.stdout.strip() == "ocl:0", done.stderr


def test_importing_the_package_first():
    done = python("import oncilla, torch; print(torch.zeros(2, device='ocl').device)")
    assert done.stdout.strip() == "ocl:0", done.stderr


def test_another_torch_version_is_refused():
    import oncilla

    oncilla._check_version("2.13.0+cpu", "2.13.1")
    with pytest.raises(ImportError, match=r"built for torch 2\.13, but torch 2\.14\.0 is installed"):
        oncilla._check_version("2.13.0+cpu", "2.14.0")


def test_module_and_accelerator():
    assert torch.ocl.is_available() and torch.ocl.device_count() >= 1
    assert torch.accelerator.current_accelerator().type == "ocl"
    assert torch.accelerator.device_count() == torch.ocl.device_count()
    assert torch.ocl.current_device() == 0 == torch.accelerator.current_device_index()
    with torch.ocl.device(0):
        assert torch.empty(1, device="ocl").device == torch.device("ocl:0")
    properties = torch.ocl.get_device_properties()
    assert torch.ocl.get_device_name() == properties.name and properties.total_memory > 0
    torch.ocl.synchronize()
    torch.accelerator.synchronize()
    assert torch.get_device_module("ocl") is torch.ocl
    assert torch.empty(1).ocl().is_ocl and torch.nn.Linear(1, 1).ocl().weight.is_ocl


def test_a_device_that_does_not_exist_is_named():
    with pytest.raises(RuntimeError, match="invalid device index 99"):
        torch.empty(1, device="ocl:99")
    with pytest.raises(ValueError, match="expected an ocl device, but got cpu"):
        torch.ocl.get_device_name("cpu")


def test_memory_statistics():
    torch.ocl.empty_cache()
    before = torch.ocl.memory_allocated()
    x = torch.empty(1 << 20, device="ocl")
    assert torch.ocl.memory_allocated() - before >= 4 << 20
    assert torch.ocl.memory_reserved() >= torch.ocl.memory_allocated()
    del x
    assert torch.ocl.memory_allocated() == before
    assert torch.ocl.max_memory_allocated() >= before + (4 << 20)
    torch.ocl.reset_peak_memory_stats()
    assert torch.ocl.max_memory_allocated() == torch.ocl.memory_allocated()
    reserved = torch.ocl.memory_reserved()
    torch.ocl.empty_cache()
    assert torch.ocl.memory_reserved() < reserved
    assert "allocated" in torch.ocl.memory_summary()
    assert torch.ocl.memory_stats()["allocation.all.allocated"] > 0
    assert torch.accelerator.memory_allocated() == torch.ocl.memory_allocated()


def test_out_of_memory_is_pytorchs_error():
    with pytest.raises(torch.OutOfMemoryError, match=r"(?i)asked|tried|allocat"):
        torch.empty(1 << 50, dtype=torch.uint8, device="ocl")
    done = python(
        """
        import torch
        torch.ocl.set_per_process_memory_fraction(0.0001)
        try:
            [torch.empty(1 << 22, device="ocl") for _ in range(10000)]
        except torch.OutOfMemoryError as error:
            print("caught")
        torch.zeros(4, device="ocl").add_(1)
        """
    )
    assert done.stdout.strip() == "caught" and done.returncode == 0, done.stderr


def test_streams_and_events():
    stream = torch.ocl.Stream()
    x = torch.ones(1000, device="ocl")
    ready = torch.Event(device="ocl")
    ready.record()
    with torch.ocl.stream(stream):
        assert torch.ocl.current_stream() == stream
        stream.wait_event(ready)
        y = x * 2
        x.record_stream(stream)
    assert torch.ocl.current_stream() != stream
    torch.ocl.current_stream().wait_stream(stream)
    assert y.sum().item() == 2000
    start, end = torch.ocl.Event(enable_timing=True), torch.ocl.Event(enable_timing=True)
    start.record()
    for _ in range(5):
        x = x + 1
    end.record()
    end.synchronize()
    assert end.query() and start.elapsed_time(end) >= 0


def test_generators():
    torch.manual_seed(3)
    a = torch.rand(100, device="ocl")
    torch.ocl.manual_seed(3)
    b = torch.rand(100, device="ocl")
    assert torch.equal(a.cpu(), b.cpu())
    state = torch.ocl.get_rng_state()
    c = torch.randn(33, device="ocl")
    torch.ocl.set_rng_state(state)
    assert torch.equal(c.cpu(), torch.randn(33, device="ocl").cpu())
    generator = torch.Generator("ocl").manual_seed(7)
    copy = generator.clone_state() if hasattr(generator, "clone_state") else None
    d = torch.rand(5, device="ocl", generator=generator)
    if copy is not None:
        assert torch.equal(d.cpu(), torch.rand(5, device="ocl", generator=copy).cpu())
    assert generator.initial_seed() == 7 and generator.device.type == "ocl"
    with torch.random.fork_rng(device_type="ocl"):
        torch.rand(5, device="ocl")
    with pytest.raises(RuntimeError, match="16 bytes"):
        torch.ocl.set_rng_state(torch.zeros(3, dtype=torch.uint8))


def test_numbers_do_not_depend_on_layout():
    torch.ocl.manual_seed(1)
    a = torch.empty(4, 6, device="ocl").uniform_()
    torch.ocl.manual_seed(1)
    b = torch.empty(6, 4, device="ocl").t().uniform_()
    assert torch.equal(a.cpu(), b.cpu())


@pytest.mark.parametrize(
    "fill, mean, deviation",
    [
        (lambda x: x.uniform_(-1, 3), 1, 4 / 12**0.5),
        (lambda x: x.normal_(2, 3), 2, 3),
        (lambda x: x.bernoulli_(0.3), 0.3, 0.21**0.5),
        (lambda x: x.random_(0, 11), 5, 10**0.5),
        (lambda x: x.random_(0, 1 << 40), 2.0**39, 2.0**40 / 12**0.5),
        (lambda x: torch.nn.functional.dropout(x.fill_(1.0), 0.25), 1, (1 / 3) ** 0.5),
    ],
    ids=["uniform", "normal", "bernoulli", "random", "random_large", "dropout"],
)
def test_moments_of_random_numbers(fill, mean, deviation):
    torch.ocl.manual_seed(0)
    x = fill(torch.empty(40000, dtype=torch.float64, device="ocl")).cpu()
    assert abs(x.mean() - mean) < 5 * deviation / 200
    assert abs(x.std() / deviation - 1) < 0.03


@pytest.mark.parametrize("layout", ["dense", "strided", "transposed", "offset", "channels_last"])
@pytest.mark.parametrize(
    "dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.uint8, torch.bool]
)
def test_copies_there_and_back(layout, dtype):
    x = draw((2, 3, 5, 7), dtype, 0, 3, layout=layout)
    y = x.to("ocl")
    assert torch.equal(y.cpu(), x)
    assert torch.equal(y.permute(3, 1, 0, 2).contiguous().cpu(), x.permute(3, 1, 0, 2).contiguous())
    assert torch.equal(y[:, 1::2, ::3].clone().cpu(), x[:, 1::2, ::3])
    out = torch.zeros(7, 5, 3, 2, dtype=dtype).permute(3, 2, 1, 0)
    assert torch.equal(out.copy_(y), x)
    there = torch.zeros(7, 5, 3, 2, dtype=dtype, device="ocl").permute(3, 2, 1, 0)
    assert torch.equal(there.copy_(x, non_blocking=True).cpu(), x)


@pytest.mark.parametrize(
    "to",
    [torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int8, torch.int32, torch.int64, torch.uint8, torch.bool],
)
@pytest.mark.parametrize("source", [torch.float32, torch.float16, torch.int64, torch.uint8, torch.bool])
def test_casts(source, to):
    x = draw((3, 5), source, 0, 100)
    assert torch.equal(x.to("ocl").to(to).cpu(), x.to(to))


def test_complex_is_stored_moved_and_conjugated():
    x = torch.randn(3, 4, dtype=torch.complex64)
    y = x.to("ocl")
    assert torch.equal(y.cpu(), x)
    assert torch.equal(y.conj().cpu(), x.conj().resolve_conj())
    assert torch.equal(y.conj().clone().cpu(), x.conj().resolve_conj())
    assert torch.equal(y.t().conj().contiguous().cpu(), x.t().conj().resolve_conj())
    assert torch.equal(y.conj().imag.clone().cpu(), x.conj().imag.resolve_neg())
    assert torch.equal(torch.view_as_real(y).cpu(), torch.view_as_real(x))
    z = x.to(torch.complex128).to("ocl")
    assert torch.equal(z.conj().clone().cpu(), x.to(torch.complex128).conj().resolve_conj())


def test_copy_on_write_and_views():
    x = torch.arange(12.0, device="ocl")
    lazy = torch._lazy_clone(x)
    lazy.add_(1)
    assert torch.equal(x.cpu(), torch.arange(12.0)) and torch.equal(lazy.cpu(), torch.arange(12.0) + 1)
    view = x.view(3, 4)
    view[1].zero_()
    assert x.cpu()[4:8].sum() == 0
    assert torch.equal(x.unfold(0, 3, 2).cpu(), x.cpu().unfold(0, 3, 2))
    x.resize_(20)
    assert torch.equal(x.cpu()[:4], torch.arange(4.0))
    y = torch.empty(0, device="ocl").set_(x.untyped_storage(), 2, (2, 3))
    assert torch.equal(y.cpu().flatten(), x.cpu()[2:8])
    with pytest.raises(RuntimeError, match="single memory location"):
        x[1:].copy_(x[:-1])


def test_modules_keep_their_parameters():
    model = torch.nn.Linear(3, 2)
    weight = model.weight
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    model.to("ocl")
    assert model.weight is weight and weight.device.type == "ocl"
    before = weight.detach().cpu()
    model(torch.ones(1, 3, device="ocl")).sum().backward()
    optimizer.step()
    assert not torch.equal(before, weight.detach().cpu())


def test_pickle_and_save():
    x = torch.randn(3, 4).to("ocl")
    assert_same(pickle.loads(pickle.dumps(x)), x.cpu())
    assert pickle.loads(pickle.dumps(x)).device.type == "ocl"
    file = io.BytesIO()
    torch.save({"x": x, "p": torch.nn.Parameter(x)}, file)
    file.seek(0)
    back = torch.load(file, weights_only=True)
    assert back["x"].device.type == "ocl" and torch.equal(back["x"].cpu(), x.cpu())
    file.seek(0)
    assert torch.load(file, map_location="cpu", weights_only=True)["p"].device.type == "cpu"
    file = io.BytesIO()
    torch.save(x.cpu(), file)
    file.seek(0)
    assert torch.equal(torch.load(file, map_location="ocl", weights_only=True).cpu(), x.cpu())


def test_pinned_memory():
    x = torch.randn(5).pin_memory()
    assert x.is_pinned() and torch.equal(x.to("ocl", non_blocking=True).cpu(), x)
    assert not torch.randn(5).is_pinned()
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.arange(6.0)), batch_size=3, pin_memory=True)
    assert [b[0].is_pinned() for b in loader] == [True, True]


def test_fork_after_use_gives_an_error():
    done = python(
        """
        import os, sys, torch
        x = torch.ones(2, device="ocl")
        pid = os.fork()
        if pid == 0:
            try:
                torch.ones(2, device="ocl") + 1
            except RuntimeError as error:
                os._exit(7 if "forked subprocess" in str(error) else 8)
            os._exit(9)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), torch.ocl._is_in_bad_fork())
        """
    )
    assert done.stdout.split() == ["7", "False"], done.stderr


def test_loader_workers_touch_host_memory_only():
    data = torch.utils.data.TensorDataset(torch.arange(8.0))
    total = sum(batch[0].to("ocl").sum().item() for batch in torch.utils.data.DataLoader(data, batch_size=2, num_workers=2))
    assert total == 28


def test_threads():
    import threading

    results = [None] * 4

    def work(i):
        x = torch.full((1000,), float(i), device="ocl")
        for _ in range(20):
            x = x * 1.0 + 1
        results[i] = x.mean().item()

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert results == [20.0, 21.0, 22.0, 23.0]


def test_trace(tmp_path):
    with torch.ocl.trace(str(tmp_path / "trace.json")):
        torch.ones(4, device="ocl").add(1)
    assert "traceEvents" in (tmp_path / "trace.json").read_text()
