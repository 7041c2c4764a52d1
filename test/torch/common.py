"""Compares a function on ocl with the same on the CPU, forward and backward."""

import itertools

import torch

TOLERANCE = {
    torch.float32: (2e-5, 2e-5),
    torch.float64: (1e-9, 1e-9),
    torch.float16: (2e-3, 2e-3),
    torch.bfloat16: (2e-2, 2e-2),
}


def draw(shape, dtype=torch.float32, low=-2.0, high=2.0, layout="dense", seed=0):
    """A CPU tensor with values between low and high; layout: dense, strided, transposed, channels_last, offset."""
    generator = torch.Generator().manual_seed(seed + sum(shape) * 7 + len(shape))

    def fresh(size):
        if dtype == torch.bool:
            return torch.rand(size, generator=generator) > 0.5
        if not dtype.is_floating_point:
            return torch.randint(int(low), int(high) + 1, size, generator=generator, dtype=torch.int64).to(dtype)
        return (torch.rand(size, generator=generator, dtype=torch.float64) * (high - low) + low).to(dtype)

    if layout == "strided" and shape:
        return fresh((*shape[:-1], shape[-1] * 2))[..., ::2]
    if layout == "offset" and shape:
        return fresh((shape[0] + 1, *shape[1:]))[1:]
    if layout == "transposed" and len(shape) > 1:
        return fresh((shape[-1], *shape[1:-1], shape[0])).transpose(0, -1)
    if layout == "channels_last" and len(shape) == 4:
        return fresh(shape).contiguous(memory_format=torch.channels_last)
    return fresh(tuple(shape))


def moved(value):
    """The same on ocl: tensors with their strides, lists of them."""
    if isinstance(value, torch.Tensor):
        # A copy to another device makes memory dense: give it the strides that it had.
        copy = torch.empty_strided(value.shape, value.stride(), dtype=value.dtype, device="ocl")
        return copy.copy_(value)
    if isinstance(value, (list, tuple)):
        return type(value)(moved(v) for v in value)
    return value


def flat(value):
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, (list, tuple)):
        return list(itertools.chain.from_iterable(flat(v) for v in value))
    return []


def assert_same(got, wanted, rtol=None, atol=None, **options):
    """Same values; got may be on ocl."""
    for g, w in zip(flat(got), flat(wanted), strict=True):
        assert g.shape == w.shape, f"shape {tuple(g.shape)}, not {tuple(w.shape)}"
        assert g.dtype == w.dtype, f"dtype {g.dtype}, not {w.dtype}"
        r, a = TOLERANCE.get(w.dtype, (0, 0))
        torch.testing.assert_close(
            g.detach().cpu(),
            w.detach(),
            rtol=r if rtol is None else rtol,
            atol=a if atol is None else atol,
            equal_nan=True,
            **options,
        )


def check(fn, *args, grad=True, rtol=None, atol=None):
    """fn(*args) on the CPU and on ocl: same values, and same gradients for floating arguments."""
    cpu = [torch.empty_strided(a.shape, a.stride(), dtype=a.dtype).copy_(a) if isinstance(a, torch.Tensor) else a for a in args]
    ocl = moved(cpu)
    if grad:
        for a in itertools.chain(cpu, ocl):
            if isinstance(a, torch.Tensor) and a.is_floating_point():
                a.requires_grad_()
    wanted, got = fn(*cpu), fn(*ocl)
    for tensor in flat(got):
        assert tensor.device.type == "ocl", f"the result is on {tensor.device}"
    assert_same(got, wanted, rtol, atol)
    if not grad:
        return
    outs = [(g, w) for g, w in zip(flat(got), flat(wanted), strict=True) if w.requires_grad]
    assert all(g.requires_grad for g, _ in outs)
    if not outs:
        return
    weights = [draw(tuple(w.shape), w.dtype, seed=99) for _, w in outs]
    for a in itertools.chain(cpu, ocl):
        if isinstance(a, torch.Tensor):
            a.grad = None
    torch.autograd.backward([w for _, w in outs], weights)
    torch.autograd.backward([g for g, _ in outs], [w.to("ocl") for w in weights])
    for c, o in zip(cpu, ocl, strict=True):
        if isinstance(c, torch.Tensor) and c.requires_grad:
            assert (c.grad is None) == (o.grad is None)
            if c.grad is not None:
                assert_same(o.grad, c.grad, rtol, atol)
