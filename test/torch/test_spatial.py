"""Pools, resampling and padding against the CPU: forward, backward, out=, layouts, halves, integers, empty batches, errors."""

from functools import partial

import pytest
import torch
from common import assert_same, check, draw, moved
from torch.nn import functional as F  # noqa: N812

FLOATS = [torch.float32, torch.float64]
HALVES = [torch.float16, torch.bfloat16]
LAYOUTS = ["dense", "strided", "transposed", "channels_last", "offset"]
aten = torch.ops.aten


CLOSE = {"rtol": 1e-4, "atol": 1e-5}


def compare(fn, x, *args, grad=True, loose=None, **options):
    """fn(x, ...), forward and backward."""
    check(lambda a: fn(a, *args, **options), x, grad=grad, **(loose or {}))


def check_out(op, names, *args):
    """An overload with outputs: into empty tensors and into strided ones."""
    dtype = next(a.dtype for a in args if isinstance(a, torch.Tensor) and a.is_floating_point())
    wanted = {name: torch.empty(0, dtype=torch.int64 if name == "indices" else dtype) for name in names}
    op(*args, **wanted)
    for strided in (False, True):
        got = {
            name: torch.empty((*w.shape, 2), dtype=w.dtype, device="ocl")[..., 0]
            if strided
            else torch.empty(0, dtype=w.dtype, device="ocl")
            for name, w in wanted.items()
        }
        op(*moved(list(args)), **got)
        assert_same(list(got.values()), list(wanted.values()))


def check_error(fn, *args):
    """Both raise, with the same words."""
    with pytest.raises(RuntimeError) as wanted:
        fn(*args)
    with pytest.raises(RuntimeError) as got:
        fn(*moved(list(args)))
    assert str(got.value).split("\n")[0] == str(wanted.value).split("\n")[0]


# --- windows of one size

MAX = [
    (F.max_pool2d, (2, 3, 9, 8), {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True}),
    (F.max_pool3d, (2, 3, 7, 6, 5), {"kernel_size": 2}),
    (F.max_pool3d, (2, 3, 7, 6, 5), {"kernel_size": (3, 2, 3), "stride": (2, 1, 2), "padding": 1, "ceil_mode": True}),
    (F.max_pool3d, (3, 7, 6, 5), {"kernel_size": 2, "dilation": 2, "stride": 1}),
    (F.max_pool1d, (2, 3, 9), {"kernel_size": 3, "padding": 1, "dilation": 1}),
]
AVERAGE = [
    (F.avg_pool2d, (2, 3, 9, 8), {"kernel_size": 3, "stride": 2, "padding": 1, "count_include_pad": False}),
    (F.avg_pool3d, (2, 3, 7, 6, 5), {"kernel_size": 2}),
    (F.avg_pool3d, (2, 3, 7, 6, 5), {"kernel_size": (3, 2, 3), "stride": (2, 1, 2), "padding": 1, "ceil_mode": True}),
    (F.avg_pool3d, (2, 3, 7, 6, 5), {"kernel_size": 3, "padding": 1, "count_include_pad": False}),
    (F.avg_pool3d, (3, 7, 6, 5), {"kernel_size": 2, "stride": 1, "divisor_override": 3}),
    (F.avg_pool2d, (2, 3, 9, 8), {"kernel_size": 3, "divisor_override": -3}),
    (F.avg_pool1d, (2, 3, 9), {"kernel_size": 3, "padding": 1}),
]


@pytest.mark.parametrize("dtype", FLOATS + HALVES, ids=str)
def test_pools(dtype):
    for fn, shape, options in MAX:
        compare(fn, draw(shape, dtype), return_indices=True, **options)
    for fn, shape, options in AVERAGE:
        if dtype in HALVES and fn is F.avg_pool3d:  # the CPU has none
            x = draw(shape, dtype)
            assert_same(fn(moved(x), **options), fn(x.float(), **options).to(dtype))
            continue
        compare(fn, draw(shape, dtype), **options)


def test_pool_layouts():
    for fn, shape, options in MAX[:2] + AVERAGE[:2]:
        for layout in LAYOUTS:
            compare(fn, draw(shape, layout=layout), **options)
        compare(fn, draw((0, *shape[1:])), **options)
    x = draw((2, 3, 5, 4, 6)).contiguous(memory_format=torch.channels_last_3d)
    check(lambda a: F.max_pool3d(a, 2), x)
    assert F.max_pool3d(moved(x), 2).is_contiguous(memory_format=torch.channels_last_3d)
    special = draw((1, 2, 4, 4, 4))
    special[0, 0, 1, 1, 1], special[0, 1] = float("nan"), -float("inf")
    check(lambda a: F.max_pool3d(a, 2, return_indices=True), special, grad=False)


@pytest.mark.parametrize("dtype", [torch.int64, torch.int32, torch.uint8], ids=str)
def test_maxima_of_integers(dtype):
    for fn, shape, options in MAX[:3]:
        compare(fn, draw(shape, dtype, 0, 100), return_indices=True, grad=False, **options)


def test_pool_out():
    x2, x3 = draw((2, 3, 6, 6)), draw((2, 3, 6, 6, 4))
    check_out(aten.max_pool2d_with_indices.out, ("out", "indices"), x2, [2, 2], [2, 2], [0, 0], [1, 1], False)
    check_out(aten.max_pool3d_with_indices.out, ("out", "indices"), x3, [2], [], [0], [1], False)
    check_out(aten.avg_pool2d.out, ("out",), x2, [2, 2])
    check_out(aten.avg_pool3d.out, ("out",), x3, [2, 2, 2])
    y2, i2 = F.max_pool2d(x2, 2, return_indices=True)
    y3, i3 = F.max_pool3d(x3, 2, return_indices=True)
    grad = ("grad_input",)
    check_out(aten.max_pool2d_with_indices_backward.grad_input, grad, y2, x2, [2, 2], [2, 2], [0, 0], [1, 1], False, i2)
    check_out(aten.max_pool3d_with_indices_backward.grad_input, grad, y3, x3, [2] * 3, [2] * 3, [0] * 3, [1] * 3, False, i3)
    check_out(aten.avg_pool2d_backward.grad_input, grad, y2, x2, [2, 2], [2, 2], [0, 0], False, True, None)
    check_out(aten.avg_pool3d_backward.grad_input, grad, y3, x3, [2] * 3, [2] * 3, [0] * 3, False, True, None)


# --- windows of unlike sizes

ADAPTIVE = [
    (F.adaptive_avg_pool1d, F.adaptive_max_pool1d, (2, 3, 11), 4),
    (F.adaptive_avg_pool2d, F.adaptive_max_pool2d, (2, 3, 9, 8), (3, 5)),
    (F.adaptive_avg_pool2d, F.adaptive_max_pool2d, (3, 4, 5), (7, 6)),
    (F.adaptive_avg_pool2d, F.adaptive_max_pool2d, (2, 3, 6, 8), (None, 2)),
    (F.adaptive_avg_pool2d, F.adaptive_max_pool2d, (2, 3, 6, 5), 1),
    (F.adaptive_avg_pool3d, F.adaptive_max_pool3d, (2, 2, 5, 6, 7), (2, 4, 7)),
    (F.adaptive_avg_pool3d, F.adaptive_max_pool3d, (2, 5, 6, 7), (3, 1, 9)),
]


@pytest.mark.parametrize("dtype", FLOATS + HALVES, ids=str)
def test_adaptive(dtype):
    # The CPU adds up halves in halves.
    loose = {"rtol": 2e-2, "atol": 2e-2} if dtype in HALVES else {}
    for average, maximum, shape, size in ADAPTIVE:
        compare(average, draw(shape, dtype), size, loose=loose)
        compare(maximum, draw(shape, dtype), size, return_indices=True, loose=loose)


def test_adaptive_layouts():
    for average, maximum, shape, size in (ADAPTIVE[1], ADAPTIVE[5]):
        for layout in LAYOUTS:
            compare(average, draw(shape, layout=layout), size)
            compare(maximum, draw(shape, layout=layout), size)
        compare(average, draw((0, *shape[1:])), size)
        compare(maximum, draw((0, *shape[1:])), size)
        compare(average, draw(shape), 0, grad=False)
    x = moved(draw((2, 3, 9, 8), layout="channels_last"))
    assert F.adaptive_avg_pool2d(x, 3).is_contiguous(memory_format=torch.channels_last)
    special = draw((1, 2, 5, 5))
    special[0, 0, 1, 1], special[0, 1] = float("nan"), -float("inf")
    check(lambda a: F.adaptive_max_pool2d(a, 3, return_indices=True), special, grad=False)


def test_adaptive_out():
    x2, x3 = draw((2, 3, 7, 6)), draw((2, 3, 5, 6, 4))
    check_out(aten.adaptive_avg_pool2d.out, ("out",), x2, [3, 2])
    check_out(aten.adaptive_avg_pool3d.out, ("out",), x3, [2, 4, 3])
    check_out(aten.adaptive_max_pool2d.out, ("out", "indices"), x2, [3, 2])
    check_out(aten.adaptive_max_pool3d.out, ("out", "indices"), x3, [2, 4, 3])
    y2, i2 = F.adaptive_max_pool2d(x2, (3, 2), return_indices=True)
    y3, i3 = F.adaptive_max_pool3d(x3, (2, 4, 3), return_indices=True)
    check_out(aten.adaptive_avg_pool3d_backward.grad_input, ("grad_input",), y3, x3)
    check_out(aten.adaptive_max_pool2d_backward.grad_input, ("grad_input",), y2, x2, i2)
    check_out(aten.adaptive_max_pool3d_backward.grad_input, ("grad_input",), y3, x3, i3)


def fractional(x, fn, kernel, size, samples):
    return fn(x, kernel, size, return_indices=True, _random_samples=samples.to(x.device))


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_fractional(dtype):
    for fn, shape, kernel, size in [
        (F.fractional_max_pool2d, (2, 3, 9, 8), (2, 3), (4, 3)),
        (F.fractional_max_pool2d, (3, 9, 8), 2, (5, 1)),
        (F.fractional_max_pool3d, (2, 3, 7, 8, 6), (2, 2, 3), (3, 4, 2)),
    ]:
        batch, channels = (1, shape[0]) if len(shape) == 3 else shape[:2]
        samples = draw((batch, channels, 3 if fn is F.fractional_max_pool3d else 2), dtype, 0.05, 0.95, seed=3)
        for layout in ("dense", "strided"):
            compare(fractional, draw(shape, dtype, layout=layout), fn, kernel, size, samples)
    x = draw((2, 3, 6, 6), dtype)
    samples = draw((2, 3, 2), dtype, 0.05, 0.95, seed=3)
    check_out(aten.fractional_max_pool2d.output, ("output", "indices"), x, [2, 2], [3, 3], samples)
    y, index = aten.fractional_max_pool2d(x, [2, 2], [3, 3], samples)
    check_out(aten.fractional_max_pool2d_backward.grad_input, ("grad_input",), y, x, [2, 2], [3, 3], index)
    x = draw((2, 3, 6, 6, 5), dtype)
    samples = draw((2, 3, 3), dtype, 0.05, 0.95, seed=3)
    check_out(aten.fractional_max_pool3d.output, ("output", "indices"), x, [2] * 3, [3] * 3, samples)
    y, index = aten.fractional_max_pool3d(x, [2] * 3, [3] * 3, samples)
    check_out(aten.fractional_max_pool3d_backward.grad_input, ("grad_input",), y, x, [2] * 3, [3] * 3, index)
    assert F.fractional_max_pool2d(moved(x[:, :, 0]), 2, output_ratio=(0.5, 0.5)).shape == (2, 3, 3, 2)  # draws on the device


# --- resampling

SIZES = {3: ((2, 3, 7), (13,), (1.7,)), 4: ((2, 3, 9, 7), (5, 12), (1.3, 0.6)), 5: ((1, 2, 5, 4, 6), (3, 9, 7), (2.0, 1.5, 0.5))}
MODES = [
    ("nearest", (3, 4, 5)),
    ("nearest-exact", (3, 4, 5)),
    ("linear", (3,)),
    ("bilinear", (4,)),
    ("trilinear", (5,)),
    ("bicubic", (4,)),
]


@pytest.mark.parametrize("dtype", FLOATS + HALVES, ids=str)
def test_interpolate(dtype):
    # The CPU rounds halves between the dims.
    loose = {torch.float32: {"rtol": 1e-4, "atol": 1e-5}, torch.float64: {}}.get(dtype, {"rtol": 3e-2, "atol": 3e-2})
    for mode, ranks in MODES:
        for rank in ranks:
            shape, size, factors = SIZES[rank]
            x = draw(shape, dtype)
            compare(F.interpolate, x, size, mode=mode, loose=loose)
            compare(F.interpolate, x, scale_factor=factors, mode=mode, loose=loose)
            if not mode.startswith("nearest"):
                compare(F.interpolate, x, size, mode=mode, align_corners=True, loose=loose)


def test_gradient_of_nearest_is_that_of_its_forward():
    """In three dims the CPU's is not, with factors that are not output over input."""
    x = moved(draw((1, 2, 5, 4, 6), torch.float64)).requires_grad_()
    y = F.interpolate(x, scale_factor=(0.7, 2.2, 1.4))
    assert_same(y.detach(), F.interpolate(x.detach().cpu(), scale_factor=(0.7, 2.2, 1.4)))
    weight = moved(draw(tuple(y.shape), torch.float64, seed=1))
    (grad,) = torch.autograd.grad(y, x, weight)
    torch.testing.assert_close((x * grad).sum().item(), (y * weight).sum().item())


def test_interpolate_layouts():
    for mode, rank in [("nearest", 4), ("bilinear", 4), ("bicubic", 4), ("linear", 3), ("trilinear", 5)]:
        shape, size, _ = SIZES[rank]
        for layout in LAYOUTS:
            compare(F.interpolate, draw(shape, layout=layout), size, mode=mode, loose=CLOSE)
        compare(F.interpolate, draw((0, *shape[1:])), size, mode=mode)
    check(lambda a: F.interpolate(a, (4, 3), mode="area"), draw((2, 3, 9, 7)))


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
def test_antialias(mode, dtype):
    for size in ((4, 5), (17, 3), (20, 19)):
        compare(F.interpolate, draw((2, 3, 13, 11), dtype), size, mode=mode, antialias=True, loose=CLOSE)
    check(lambda a: F.interpolate(a, scale_factor=(0.4, 1.3), mode=mode, antialias=True), draw((2, 3, 13, 11), dtype), **CLOSE)


def test_interpolate_out():
    for name, rank in [("nearest1d", 3), ("nearest2d", 4), ("nearest3d", 5)]:
        shape, size, _ = SIZES[rank]
        for prefix in ("upsample_", "_upsample_"):
            full = f"{prefix}{name}" if prefix == "upsample_" else f"{prefix}{name.replace('nearest', 'nearest_exact')}"
            check_out(getattr(aten, full).out, ("out",), draw(shape), list(size))
            check_out(
                getattr(aten, full + "_backward").grad_input, ("grad_input",), draw((*shape[:2], *size)), list(size), list(shape)
            )
    smooth = [("upsample_linear1d", 3), ("upsample_bilinear2d", 4), ("upsample_trilinear3d", 5), ("upsample_bicubic2d", 4),
              ("_upsample_bilinear2d_aa", 4), ("_upsample_bicubic2d_aa", 4)]  # fmt: skip
    for name, rank in smooth:
        shape, size, _ = SIZES[rank]
        check_out(getattr(aten, name).out, ("out",), draw(shape), list(size), False)
        check_out(
            getattr(aten, name + "_backward").grad_input, ("grad_input",), draw((*shape[:2], *size)), list(size), list(shape), False
        )


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_grid_sample(dtype):
    loose = {"rtol": 2e-4, "atol": 2e-4} if dtype == torch.float32 else {}
    for shape, points, modes in [
        ((2, 3, 6, 5), (2, 4, 7, 2), ("bilinear", "nearest", "bicubic")),
        ((2, 2, 4, 5, 3), (2, 3, 4, 2, 3), ("bilinear", "nearest")),
    ]:
        x, grid = draw(shape, dtype), draw(points, dtype, -1.4, 1.4, seed=1)
        for mode in modes:
            for border in ("zeros", "border", "reflection"):
                for corners in (False, True):
                    check(partial(F.grid_sample, mode=mode, padding_mode=border, align_corners=corners), x, grid, **loose)
        for layout in ("strided", "transposed", "channels_last"):
            check(lambda a, g: F.grid_sample(a, g, align_corners=False), draw(shape, dtype, layout=layout),
                  draw(points, dtype, -1.4, 1.4, "strided", 1), **loose)  # fmt: skip
        for a, g in [((0, *shape[1:]), (0, *points[1:])), (shape, (points[0], 0, *points[2:]))]:
            check(lambda a, g: F.grid_sample(a, g, align_corners=False), draw(a, dtype), draw(g, dtype))
        only = moved(grid).requires_grad_()
        F.grid_sample(moved(x), only, align_corners=False).sum().backward()
        wanted = grid.clone().requires_grad_()
        F.grid_sample(x, wanted, align_corners=False).sum().backward()
        assert_same(only.grad, wanted.grad, **loose)


@pytest.mark.parametrize("dtype", HALVES, ids=str)
def test_grid_sample_of_halves(dtype):
    # The CPU computes in halves, so that the wider dtype is what halves are compared with.
    x, grid = draw((2, 3, 6, 5), dtype), draw((2, 4, 7, 2), dtype, -0.9, 0.9, seed=1)
    got = F.grid_sample(moved(x), moved(grid), align_corners=False)
    wanted = F.grid_sample(x.double(), grid.double(), align_corners=False)
    assert got.dtype == dtype
    tolerance = 2e-3 if dtype == torch.float16 else 2e-2
    assert_same(got.double(), wanted, tolerance, tolerance)


# --- padding

PADS = [
    ((2, 3, 7), (2, 5)),
    ((3, 7), (1, 4)),
    ((2, 3, 5, 7), (1, 2, 3, 4)),
    ((3, 5, 7), (2, -1, 0, 3)),
    ((2, 2, 3, 4, 5), (1, 3, 2, 0, 1, 2)),
    ((2, 3, 4, 5), (0, 1, 2, 0, 1, 1)),
]


@pytest.mark.parametrize("dtype", FLOATS + HALVES, ids=str)
def test_pads(dtype):
    # The CPU adds up halves in halves.
    loose = {"rtol": 5e-2, "atol": 5e-2} if dtype in HALVES else {}
    for shape, pads in PADS:
        for mode in ("reflect", "replicate"):
            compare(F.pad, draw(shape, dtype), pads, mode=mode, loose=loose)
        compare(F.pad, draw(shape, dtype), pads, value=-1.5)


def test_pad_layouts():
    for mode in ("reflect", "replicate", "constant"):
        for shape, pads in (PADS[2], PADS[4]):
            for layout in LAYOUTS:
                compare(F.pad, draw(shape, layout=layout), pads, mode=mode)
            compare(F.pad, draw((0, *shape[1:])), pads, mode=mode)
    assert F.pad(moved(draw((2, 3, 5, 7), layout="channels_last")), (1, 1, 1, 1), mode="reflect").is_contiguous(
        memory_format=torch.channels_last
    )


@pytest.mark.parametrize("dtype", [torch.int64, torch.int32, torch.uint8, torch.bool], ids=str)
def test_pads_of_integers(dtype):
    for shape, pads in PADS[2:4]:
        x = draw(shape, dtype, 0, 9)
        for mode in ("reflect", "replicate"):
            if dtype != torch.bool:
                compare(F.pad, x, pads, mode=mode, grad=False)
        for value in (0, 1, 100):
            compare(F.pad, x, pads, value=value, grad=False)
    if dtype == torch.int64:
        compare(F.pad, draw((3, 4), dtype), (1, 2), value=-100, grad=False)


def test_constant_pads():
    check(lambda a: F.pad(a, (1, 2)), draw((5,)))
    check(lambda a: F.pad(a, (3, -2, 0, 0, 1, 1)), draw((2, 3, 4)))
    check(lambda a: F.pad(a, (-1, -2)), draw((5,)))
    check(lambda a: F.pad(a, ()), draw((2, 3)))
    check(lambda a: F.pad(a, (1, 1)), draw((2, 0)), grad=False)
    check(lambda a: F.pad(a, (2, 1, -3, 0)), draw((3, 4)), grad=False)
    check(lambda a: F.pad(a, (1, 1), value=float("inf")), draw((2, 3)))
    check(lambda a: F.pad(a, (1, 1) * 9), torch.ones((1,) * 9))
    check_error(lambda a: F.pad(a, (-3, -3, 1, 1)), draw((4, 5)))
    check_error(lambda a: F.pad(a, (1, 1, 1)), draw((4, 5)))
    check_error(lambda a: F.pad(a, (1, 1), value=1e6), draw((4, 5), torch.float16))
    check_error(lambda a: F.pad(a, (1, 1), value=1e300), draw((4, 5)))


def test_pad_out():
    for rank, (shape, pads) in {1: PADS[0], 2: PADS[2], 3: PADS[4]}.items():
        for mode in ("reflection", "replication"):
            name = f"{mode}_pad{rank}d"
            padded = [s + b + e for s, b, e in zip(shape[::-1], (*pads[::2], 0, 0), (*pads[1::2], 0, 0), strict=False)][::-1]
            check_out(getattr(aten, name).out, ("out",), draw(shape), list(pads))
            check_out(getattr(aten, name + "_backward").grad_input, ("grad_input",), draw(tuple(padded)), draw(shape), list(pads))


# --- what others are made of, errors, what is declined


def test_compositions():
    check(lambda a: F.pad(a, (1, 2, 3, 1), mode="circular"), draw((2, 3, 5, 7)))
    check(lambda a: F.pixel_unshuffle(F.pixel_shuffle(a, 2) * 2, 2), draw((2, 8, 3, 5)))
    check(lambda a: F.lp_pool2d(a, 2, 2), draw((2, 3, 6, 6), low=0.1))
    check(lambda a: torch.nn.Upsample(scale_factor=2)(a), draw((2, 3, 4, 5)))


@pytest.mark.parametrize(
    ("fn", "shape"),
    [
        (lambda a: F.adaptive_avg_pool2d(a, 2), (4, 4)),
        (lambda a: F.adaptive_avg_pool2d(a, (2, 3)), (2, 3, 0, 4)),
        (lambda a: F.adaptive_avg_pool3d(a, 2), (2, 3, 4)),
        (lambda a: F.adaptive_max_pool2d(a, 2), (2, 3, 0, 4)),
        (lambda a: F.avg_pool3d(a, 4), (2, 3, 3, 3, 3)),
        (lambda a: F.avg_pool2d(a, 2, divisor_override=0), (2, 3, 4, 4)),
        (lambda a: F.max_pool3d(a, 4), (2, 3, 3, 3, 3)),
        (lambda a: F.max_pool3d(a, 2, padding=2), (2, 3, 5, 5, 5)),
        (lambda a: F.max_pool3d(a, 2, stride=0), (2, 3, 5, 5, 5)),
        (lambda a: F.pad(a, (4, 1, 1, 1), mode="reflect"), (2, 3, 4, 4)),
        (lambda a: F.pad(a, (1, 1, 4, 1), mode="reflect"), (2, 3, 4, 4)),
        (lambda a: F.pad(a, (7, 1), mode="reflect"), (3, 7)),
        (lambda a: F.pad(a, (1, 1, 1, 1), mode="replicate"), (2, 0, 4, 4)),
        (lambda a: F.interpolate(a, (0, 2)), (2, 3, 4, 4)),
        (lambda a: F.grid_sample(a, a, align_corners=False), (2, 3, 4, 4)),
        (lambda a: F.grid_sample(a, a, align_corners=False), (2, 2, 0, 2)),
        (lambda a: aten.fractional_max_pool2d(a, [3, 3], [3, 3], a[0, :, :, :2]), (2, 3, 4, 4)),
    ],
)
def test_errors(fn, shape):
    check_error(fn, draw(shape))


@pytest.mark.fallback
def test_declined():
    torch.ocl.reset_fallbacks()
    x = draw((1, 2, 4, 4), torch.int64)
    assert_same(F.avg_pool2d(moved(x), 2), F.avg_pool2d(x, 2))
    image = draw((1, 2, 4, 4), torch.uint8, 0, 200)
    assert_same(F.interpolate(moved(image), (6, 6)), F.interpolate(image, (6, 6)))
    assert torch.ocl.fallbacks() == {"aten::avg_pool2d.out": 1, "aten::upsample_nearest2d.out": 1}
