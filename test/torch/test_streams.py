"""Streams, events, pinned memory: what may run at the same time, and in which order."""

import threading
import time

import pytest
import torch
from common import draw
from test_device import python

MIB = 1 << 20


def timed():
    return torch.ocl.Event(enable_timing=True)


@pytest.fixture(scope="module")
def busy():
    """Enqueues a product that takes some hundred milliseconds; returns its result's place."""
    a = torch.rand(1500, 1500, device="ocl")
    out = a @ a

    def work():
        for _ in range(3):
            torch.mm(a, a, out=out)
        return out

    return work


def test_a_copy_overlaps_a_kernel(busy):
    host, there = torch.ones(MIB).pin_memory(), torch.empty(MIB, device="ocl")
    there.copy_(host, non_blocking=True)
    torch.ocl.synchronize()
    compute, transfer = torch.ocl.Stream(), torch.ocl.Stream()
    assert compute != transfer and compute != torch.ocl.current_stream()
    begin, end, copied = timed(), timed(), timed()
    with torch.ocl.stream(compute):
        begin.record()
        busy()
        end.record()
    assert not end.query()  # and what was enqueued is on its way
    with torch.ocl.stream(transfer):
        there.copy_(host, non_blocking=True)
        copied.record()
    torch.ocl.synchronize()
    assert begin.elapsed_time(copied) < begin.elapsed_time(end), "the copy waited for the kernels of another stream"


def test_streams_wait_for_events_and_streams(busy):
    first, second = torch.ocl.Stream(), torch.ocl.Stream()
    x = torch.zeros(1000, device="ocl")
    assert (x * 2).sum().item() == 0  # compiled here, so that no compilation delays what must wait below
    with torch.ocl.stream(first):
        busy()
        x.add_(1)
        ready = first.record_event()
    with torch.ocl.stream(second):
        second.wait_event(ready)
        y = x * 2
    torch.ocl.current_stream().wait_stream(second)
    assert y.sum().item() == 2000 and ready.query()
    until = time.monotonic() + 30
    while not first.query():  # polled, it turns true
        assert time.monotonic() < until
    before, after = timed(), timed()
    before.record()
    busy()
    after.record()
    after.synchronize()
    assert 1 < before.elapsed_time(after) < 60_000
    with pytest.raises(ValueError, match="timing"):
        ready.elapsed_time(after)
    with pytest.raises(ValueError, match="recorded"):
        timed().elapsed_time(after)


def test_memory_used_on_another_stream_is_not_given_away(busy):
    other = torch.ocl.Stream()
    x = torch.ones(MIB, device="ocl")
    torch.ocl.synchronize()
    address = x.untyped_storage().data_ptr()
    with torch.ocl.stream(other):
        busy()
        y = x + 1
    x.record_stream(other)
    del x
    assert torch.ocl.memory_stats()["active.all.current"] > torch.ocl.memory_stats()["allocation.all.current"]
    z = torch.zeros(MIB, device="ocl")  # overwrites the memory where it gets it
    assert z.untyped_storage().data_ptr() != address
    other.synchronize()
    assert torch.equal(y.cpu(), torch.full((MIB,), 2.0))
    del z
    kept = [torch.empty(MIB, device="ocl") for _ in range(8)]
    assert torch.ocl.memory_stats()["active.all.current"] == torch.ocl.memory_stats()["allocation.all.current"]
    assert kept


def test_asynchronous_copies(busy):
    host = draw((MIB,)).pin_memory()
    there = torch.empty(MIB, device="ocl")
    back = torch.empty(MIB).pin_memory()
    torch.ocl.synchronize()
    busy()
    there.copy_(host, non_blocking=True)
    there.add_(1)
    back.fill_(-1)
    back.copy_(there, non_blocking=True)
    assert not torch.ocl.current_stream().query(), "a copy waited"
    torch.ocl.synchronize()
    assert torch.equal(back, host + 1)


def test_pageable_memory_may_change_at_once(busy):
    for count in (1000, 2 * MIB):  # copied aside; waited for
        host = torch.ones(count)
        there = torch.empty(count, device="ocl")
        busy()
        there.copy_(host, non_blocking=True)
        host.zero_()
        assert there.sum().item() == count


def test_pinned_memory_lives_as_long_as_its_copies(busy):
    torch.ocl.synchronize()
    before = torch.accelerator.memory_stats()["allocation.all.current"]
    there = [torch.empty(MIB, device="ocl") for _ in range(4)]
    busy()
    for i, t in enumerate(there):
        t.copy_(torch.full((MIB,), float(i)).pin_memory(), non_blocking=True)  # freed before it is read
        torch.full((MIB,), 99.0).pin_memory()
    assert [t.mean().item() for t in there] == [0, 1, 2, 3]
    assert torch.accelerator.memory_stats()["allocation.all.current"] == before + 4
    part = torch.arange(10.0).pin_memory()[3:7]
    assert part.is_pinned() and part.to("ocl", non_blocking=True).tolist() == [3, 4, 5, 6]
    assert not torch.arange(3.0).is_pinned()


def test_threads_with_streams_of_their_own():
    results, errors = [None] * 4, []

    def work(i):
        try:
            stream = torch.ocl.Stream()
            with torch.ocl.stream(stream):
                x = torch.full((1000,), float(i), device="ocl", requires_grad=True)
                y = x
                for _ in range(20):
                    y = y * 1.0 + 1
                y.sum().backward()
                assert x.grad.sum().item() == 1000
                results[i] = y.mean().item()
            assert torch.ocl.current_stream() == torch.ocl.default_stream()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not errors and results == [20.0, 21.0, 22.0, 23.0]


def test_loader_with_workers_and_pinned_batches():
    done = python(
        """
        import torch

        class Squares(torch.utils.data.Dataset):
            def __len__(self):
                return 24
            def __getitem__(self, i):
                return torch.full((100,), float(i)), i * i

        def main():
            torch.ones(1, device="ocl").item()  # the parent has used the device before it forks
            loader = torch.utils.data.DataLoader(Squares(), batch_size=4, num_workers=2, pin_memory=True, persistent_workers=True)
            for _ in range(2):
                total = 0
                for x, y in loader:
                    assert x.is_pinned() and y.is_pinned()
                    x, y = x.to("ocl", non_blocking=True), y.to("ocl", non_blocking=True)
                    total += (x.mean(1).square() - y).abs().sum().item()
                assert total == 0, total

        if __name__ == "__main__":
            main()
            print("fine")
        """
    )
    assert done.stdout.strip() == "fine" and done.returncode == 0, done.stderr


def test_exit_with_work_in_flight_is_clean():
    done = python(
        """
        import threading, torch
        x = torch.rand(600, 600, device="ocl")
        stream = torch.ocl.Stream()
        with torch.ocl.stream(stream):
            for _ in range(5):
                x = x @ x
        host = x.to("cpu", non_blocking=True)
        threading.Thread(target=lambda: torch.ones(10, device="ocl").sum()).start()
        print("fine")
        """
    )
    assert done.stdout.strip() == "fine" and done.returncode == 0 and done.stderr == "", (done.returncode, done.stderr)
