"""Trains a network on a device and keeps what tests compare: the first step in full, the losses of all steps, the peaks of memory."""

import contextlib
from dataclasses import dataclass, field

import torch

BATCHES = 4  # as many different batches, over and over


@dataclass
class Run:
    losses: list[float] = field(default_factory=list)
    first: dict[str, torch.Tensor] = field(
        default_factory=dict
    )  # in float64 on the CPU: loss, gradients, parameters and buffers after
    allocated: int = 0
    reserved: int = 0


def moved(tensors, device, dtype):
    return [t.to(device, dtype if t.is_floating_point() else None) for t in tensors]


def train(network, device="cpu", dtype=torch.float32, steps=1, autocast=None, jitter=0.0):
    """The same weights and batches for every device and dtype, but for a jitter, relative to each weight.

    autocast is the dtype of torch.autocast; float16 brings a GradScaler.

    The first step is plain SGD, because its update is linear in the gradient: Adam's first step is the gradient's sign, which rounding decides where the
    gradient is zero by symmetry, as of a bias in front of a normalisation. AdamW takes over from there.
    """
    torch.manual_seed(0)
    model = network.build().to(dtype)
    if jitter:
        with torch.no_grad():
            for p in model.parameters():
                p.mul_(1 + jitter * torch.randn_like(p))
    batches = [moved(network.batch(seed), device, dtype) for seed in range(BATCHES)]
    if device == "ocl":
        torch.ocl.empty_cache()
        torch.ocl.reset_peak_memory_stats()
    model = model.to(device)
    # The usual first scale overflows on purpose, and such a step is left out.
    scaler = torch.amp.GradScaler(device, init_scale=1024.0, enabled=autocast == torch.float16)
    sgd = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-4)
    adam = torch.optim.AdamW(model.parameters(), lr=network.lr)
    run = Run()
    for step in range(steps):
        optimizer = adam if step else sgd
        optimizer.zero_grad()
        with torch.autocast(device, autocast) if autocast else contextlib.nullcontext():
            loss = model(*batches[step % BATCHES])
        scaler.scale(loss).backward()
        run.losses.append(loss.item())
        scaler.unscale_(optimizer)
        if step == 0 and not autocast:
            run.first["loss"] = loss.detach()
            run.first |= {f"gradient of {k}": p.grad.clone() for k, p in model.named_parameters() if p.grad is not None}
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        scaler.step(optimizer)
        scaler.update()
        if step == 0 and not autocast:
            run.first |= {f"{k} after the step": v.clone() for k, v in model.state_dict().items()}
            run.first = {k: v.to("cpu", torch.float64) for k, v in run.first.items()}
    if device == "ocl":
        run.allocated, run.reserved = torch.ocl.max_memory_allocated(), torch.ocl.max_memory_reserved()
    return run
