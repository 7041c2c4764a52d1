"""Optimizers: SGD, Adam and AdamW against the CPU, foreach and fused; _foreach_* themselves, one by one and joined; no step falls back."""

import json
import os
import random
import subprocess
import sys

import pytest
import torch
from common import assert_same, draw

SETTINGS = [
    (torch.optim.SGD, {"lr": 0.05}),
    (torch.optim.SGD, {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.01}),
    (torch.optim.SGD, {"lr": 0.05, "momentum": 0.9, "nesterov": True, "maximize": True}),
    (torch.optim.SGD, {"lr": 0.05, "momentum": 0.8, "dampening": 0.3}),
    (torch.optim.Adam, {"lr": 0.01}),
    (torch.optim.Adam, {"lr": 0.01, "weight_decay": 0.1, "amsgrad": True}),
    (torch.optim.AdamW, {"lr": 0.01}),
    (torch.optim.AdamW, {"lr": 0.01, "amsgrad": True, "maximize": True}),
]


def parameters(device, dtype=torch.float32):
    shapes = [((7, 5), "dense"), ((3,), "dense"), ((2, 3, 4, 5), "channels_last"), ((), "dense"), ((1000,), "dense")]
    return [torch.nn.Parameter(draw(s, dtype, layout=how, seed=i).to(device)) for i, (s, how) in enumerate(shapes)]


def train(device, kind, settings, steps, dtype=torch.float32):
    params = parameters(device, dtype)
    optimizer = kind(params, **settings)
    for step in range(steps):
        for i, p in enumerate(params):
            p.grad = (draw(tuple(p.shape), dtype, seed=100 * step + i)).to(device)
        optimizer.step()
    return params, optimizer


@pytest.mark.parametrize(
    "how", [{"foreach": True}, {"fused": True}, {"foreach": False}, {}], ids=["foreach", "fused", "single", "default"]
)
@pytest.mark.parametrize("kind, settings", SETTINGS, ids=lambda v: v.__name__ if isinstance(v, type) else "-".join(v))
def test_against_cpu(kind, settings, how):
    for dtype in (torch.float32, torch.float64) if how.get("fused") else (torch.float32,):
        wanted, _ = train("cpu", kind, {**settings, "foreach": False}, 20, dtype)
        got, optimizer = train("ocl", kind, {**settings, **how}, 20, dtype)
        tight = {"rtol": 1e-5, "atol": 1e-5} if dtype == torch.float32 else {"rtol": 1e-9, "atol": 1e-9}
        assert_same([p.detach() for p in got], [p.detach() for p in wanted], **tight)
        if not how:
            assert optimizer.param_groups[0]["foreach"] is None


def test_tensor_learning_rate_and_gradient_scale():
    wanted, _ = train("cpu", torch.optim.Adam, {"lr": 0.01}, 3)
    got, _ = train("ocl", torch.optim.Adam, {"lr": torch.tensor(0.01, device="ocl"), "fused": True}, 3)
    assert_same([p.detach() for p in got], [p.detach() for p in wanted], rtol=1e-5, atol=1e-5)
    p, g = torch.ones(3, device="ocl"), torch.full((3,), 8.0, device="ocl")
    options = {
        "weight_decay": 0.0,
        "momentum": 0.0,
        "lr": 0.5,
        "dampening": 0.0,
        "nesterov": False,
        "maximize": False,
        "is_first_step": True,
    }
    scale, found = torch.tensor(4.0, device="ocl"), torch.tensor(0.0, device="ocl")
    torch._fused_sgd_([p], [g], [], **options, grad_scale=scale, found_inf=found)
    assert p.tolist() == [0.0] * 3 and g.tolist() == [2.0] * 3
    torch._fused_sgd_([p], [g], [], **options, grad_scale=scale, found_inf=found + 1)
    assert p.tolist() == [0.0] * 3


def test_an_odd_step_goes_the_slow_way_on_the_device():
    for other in ("ocl", "cpu"):
        a = [torch.ones(3, device=other), torch.ones(2, dtype=torch.float64, device=other), torch.ones(4, device=other)[::2]]
        b = torch._foreach_add(a, 2.0)
        torch._foreach_mul_(a, [2.0, 3.0, 4.0])
        assert [t.tolist() for t in b] == [[3] * 3, [3] * 2, [3] * 2]
        assert [t.tolist() for t in a] == [[2] * 3, [3] * 2, [4] * 2]
    integers = [torch.arange(3, device="ocl")]
    assert torch._foreach_add(integers, 0.5)[0].tolist() == [0.5, 1.5, 2.5]
    assert torch._foreach_sqrt([torch.tensor([4], device="ocl")])[0].tolist() == [2.0]


UNARY = ["sqrt", "rsqrt", "reciprocal", "neg", "abs", "sign", "exp", "log"]


@pytest.mark.parametrize(
    "name", [*UNARY, "add", "sub", "mul", "div", "maximum", "minimum", "clamp_min", "clamp_max", "lerp", "addcmul", "addcdiv"]
)
def test_foreach(name):
    shapes = [(5, 7), (3,), (0,), (64,), ()]

    def lists(device):
        return [[draw(s, low=0.3, high=2, seed=k * 10 + i).to(device) for i, s in enumerate(shapes)] for k in range(3)]

    values = [0.5, 1.5, 2.0, -1.0, 3.0]
    if name in UNARY:
        calls = [lambda f, a, b, c: f(a)]
    elif name == "lerp":
        calls = [lambda f, a, b, c: f(a, b, 0.3), lambda f, a, b, c: f(a, b, c), lambda f, a, b, c: f(a, b, values)]
    elif name in ("addcmul", "addcdiv"):
        calls = [
            lambda f, a, b, c: f(a, b, c, 0.3),
            lambda f, a, b, c: f(a, b, c, values),
            lambda f, a, b, c: f(a, b, c, torch.tensor(values)),
        ]
    else:
        calls = [lambda f, a, b, c: f(a, 0.7), lambda f, a, b, c: f(a, values), lambda f, a, b, c: f(a, b)]
        if name in ("add", "sub"):
            calls.append(lambda f, a, b, c: f(a, b, alpha=0.25))
        if name in ("add", "mul", "div"):
            calls.append(lambda f, a, b, c: f(a, torch.tensor(2.5, device=a[0].device)))
            calls.append(lambda f, a, b, c: f(a, torch.tensor(2.5)))
    for call in calls:
        wanted, got = (
            call(getattr(torch, f"_foreach_{name}"), *lists("cpu")),
            call(getattr(torch, f"_foreach_{name}"), *lists("ocl")),
        )
        assert_same(got, wanted)
        there = lists("ocl")
        call(getattr(torch, f"_foreach_{name}_"), *there)
        assert_same(there[0], wanted)


SIZES = [(5, 7), (3,), (5, 7), (64,)]


def one_after_another(device, dtype, seed):
    """Random calls over lists of which some share memory: as they are, shifted by an element, in another order."""
    rng = random.Random(seed)
    memory = draw((200,), dtype, seed=seed).to(device)

    def views(start):
        starts = [start, start + 35, start + 38, start + 73]
        return [memory[at : at + torch.Size(s).numel()].view(s) for at, s in zip(starts, SIZES, strict=True)]

    apart = [[draw(s, dtype, seed=seed + 10 * k + i).to(device) for i, s in enumerate(SIZES)] for k in range(3)]
    lists = [*apart, views(0), views(1), [apart[0][i] for i in (2, 1, 0, 3)]]
    for _ in range(16):
        # Lists of one call that overlap without being the same have no defined result on any device.
        a, b, c = rng.choice([(0, 1, 2), (3, 0, 1), (4, 2, 2), (1, 5, 0), (5, 3, 1), (2, 4, 1), (1, 1, 3), (0, 0, 0)])
        to, x, y = lists[a], lists[b], lists[c]
        numbers = [rng.uniform(-1, 1) for _ in SIZES]
        how = rng.randrange(8)
        if how == 0:
            torch._foreach_mul_(to, numbers)
        elif how == 1:
            torch._foreach_add_(to, x, alpha=0.25)
        elif how == 2:
            torch._foreach_lerp_(to, x, 0.125)
        elif how == 3:
            torch._foreach_addcmul_(to, x, y, numbers)
        elif how == 4:  # made on the way, and gone before anything ran
            made = torch._foreach_abs(x)
            torch._foreach_mul_(made, -0.5)
            torch._foreach_maximum_(to, made)
            del made
        elif how == 5:  # its memory may be that of the one before
            made = torch._foreach_mul(y, 0.75)
            lists[rng.randrange(3)] = made
        elif how == 6:
            torch._foreach_sub_(to, 0.5)
            to[1].mul_(-1)
        else:
            torch._foreach_clamp_min_(to, -1.5)
            torch._foreach_clamp_max_(to, 1.5)
    return [t.cpu() for tensors in lists for t in tensors]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_foreach_one_after_another(dtype):
    for seed in range(25):
        assert_same(one_after_another("ocl", dtype, seed), one_after_another("cpu", dtype, seed))


def test_what_outlives_its_storage_is_stored():
    made = torch._foreach_mul([torch.full((5,), 2.0, device="ocl")], 3.0)
    kept = torch._lazy_clone(made[0])  # shares the memory, and is all that is left of it
    del made
    torch.ocl.synchronize()
    assert kept.tolist() == [6.0] * 5


# Optimizer, launches of three steps, parameters after them.
COUNT = """
import sys, torch
kind = torch.autograd.DeviceType.PrivateUse1
for name in sys.argv[1:]:
    p = [torch.ones(9, device="ocl", requires_grad=True), torch.ones(3, 5, device="ocl", requires_grad=True)]
    optimizer = getattr(torch.optim, name)(p, lr=0.125)
    def step():
        for t in p:
            t.grad = torch.full_like(t, 0.5)
        optimizer.step()
    step()
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU, torch.profiler.ProfilerActivity.PrivateUse1]) as trace:
        for _ in range(3):
            step()
        torch.ocl.synchronize()
    print(name, sum(e.device_type == kind and e.name.startswith("foreach") for e in trace.events()), [t.tolist() for t in p])
"""


def test_a_default_step_is_one_launch():
    names = ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta", "NAdam", "RAdam", "Adamax"]

    def run(**more):
        run = [sys.executable, "-c", COUNT, *names]
        done = subprocess.run(run, capture_output=True, text=True, timeout=300, env={**os.environ, **more})
        assert done.returncode == 0, done.stderr
        lines = [line.split(" ", 2) for line in done.stdout.splitlines()]
        return {name: int(count) for name, count, _ in lines}, [numbers for _, _, numbers in lines]

    launches, numbers = run()
    apart, wanted = run(ONCILLA_JOIN="0")
    assert launches == dict.fromkeys(names, 3)
    assert apart["SGD"] == 3 and min(apart[name] for name in names[1:]) >= 12
    assert numbers == wanted  # bit for bit


def test_clip_grad_norm():
    results = []
    for device in ("cpu", "ocl"):
        params = parameters(device)
        for i, p in enumerate(params):
            p.grad = draw(tuple(p.shape), seed=i).to(device)
        norm = torch.nn.utils.clip_grad_norm_(params, 1.0)
        results.append([norm.cpu(), *[p.grad.cpu() for p in params]])
    assert_same(results[1], results[0])


def resnet50_shapes():
    """The 161 parameters of ResNet-50, each dim cut to 4 elements."""
    shapes, channels = [(4, 3, 4, 4), (4,), (4,)], 64
    for width, blocks in ((64, 3), (128, 4), (256, 6), (512, 3)):
        for block in range(blocks):
            shapes += [(4, 4, 1, 1), (4,), (4,), (4, 4, 3, 3), (4,), (4,), (4, 4, 1, 1), (4,), (4,)]
            if block == 0 and channels != width * 4:
                shapes += [(4, 4, 1, 1), (4,), (4,)]
            channels = width * 4
    return [*shapes, (4, 4), (4,)]


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("kind, options", [(torch.optim.SGD, {"momentum": 0.9, "weight_decay": 1e-4}), (torch.optim.AdamW, {})])
def test_a_step_over_many_tensors_is_few_kernels(kind, options, fused, tmp_path):
    params = [torch.nn.Parameter(torch.ones(shape, device="ocl")) for shape in resnet50_shapes()]
    assert len(params) == 161
    for p in params:
        p.grad = torch.ones_like(p)
    optimizer = kind(params, lr=0.1, **options, **({"fused": True} if fused else {}))
    optimizer.step()
    with torch.ocl.trace(str(tmp_path / "step.json")):
        optimizer.step()
    kernels = [e["name"] for e in json.loads((tmp_path / "step.json").read_text())["traceEvents"] if e.get("cat") == "device"]
    assert 1 <= len(kernels) <= (2 if fused else 8), kernels
