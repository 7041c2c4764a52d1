"""``torch.ocl.DataParallel``: one batch over several devices, of whatever vendors."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import torch
from torch.autograd.function import FunctionCtx
from torch.func import functional_call
from torch.utils import _pytree as pytree


class _Replicate(torch.autograd.Function):
    """Copies of parameters, device by device; the gradients of all copies of one are added up in the devices' order.

    Left to autograd, the order would be that in which the devices finish.
    """

    @staticmethod
    def forward(ctx: FunctionCtx, devices: list[torch.device], *parameters: torch.Tensor) -> tuple[torch.Tensor, ...]:
        ctx.set_materialize_grads(False)
        ctx.homes = [p.device for p in parameters]
        return tuple(p.view_as(p) if p.device == device else p.to(device) for device in devices for p in parameters)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor | None) -> tuple[torch.Tensor | None, ...]:
        sums: list[torch.Tensor | None] = []
        for i, home in enumerate(ctx.homes):
            total = None
            for grad in grads[i :: len(ctx.homes)]:
                if grad is not None:
                    total = grad.to(home) if total is None else total + grad.to(home)
            sums.append(total)
        return None, *sums


class DataParallel(torch.nn.Module):
    """Runs a module on parts of a batch on several devices at once.

    The module and the inputs lie on the first device. Each forward copies the parameters to the others, cuts every input tensor along its first dim,
    and puts the results together on the first device, so that a loss over them is that of the whole batch and the gradients of the module's
    parameters are too, however unequal the parts are. The gradients of the parts are added in the devices' order: a run gives the same bits again.

    Results agree with one device's up to rounding, but for what depends on the batch as a whole: batch normalisation takes the statistics of each part
    and keeps those of the first, and each device draws its own random numbers (dropout).

    Parameters
    ----------
    module
        All its parameters and buffers lie on ``devices[0]``.
    devices
        At least one; all of ``ocl`` by default. ``"cpu"`` may be among them.
    shares
        How much of a batch each device takes, in any unit; equal parts by default. ``measure`` finds them.

    Raises
    ------
    ValueError
        A parameter on another device than the first; shares that are not one positive number for each device; inputs without a tensor, or whose first
        dims differ.
    """

    def __init__(
        self,
        module: torch.nn.Module,
        devices: Sequence[torch.device | str | int] | None = None,
        shares: Sequence[float] | None = None,
    ) -> None:
        super().__init__()
        if devices is None:
            devices = range(torch.ocl.device_count())
        self.devices = [torch.device("ocl", d) if isinstance(d, int) else torch.empty(0, device=d).device for d in devices]
        if not self.devices:
            raise ValueError("[DataParallel] there is no device")
        for name, tensor in (*module.named_parameters(), *module.named_buffers()):
            if tensor.device != self.devices[0]:
                raise ValueError(f"[DataParallel] {name} is on {tensor.device}, not on the first device, {self.devices[0]}")
        self.module = module
        self.shares = shares

    @property
    def shares(self) -> list[float]:
        """How much of a batch each device takes; they add up to 1."""
        return self._shares

    @shares.setter
    def shares(self, shares: Sequence[float] | None) -> None:
        wanted = [1.0] * len(self.devices) if shares is None else [float(s) for s in shares]
        if len(wanted) != len(self.devices) or not all(0 < s < float("inf") for s in wanted):
            raise ValueError(f"[DataParallel] shares are one positive number for each of {len(self.devices)} devices, not {wanted}")
        self._shares = [s / sum(wanted) for s in wanted]

    def sizes(self, batch: int) -> list[int]:
        """How many rows of a batch of so many each device takes. A device may get none."""
        ends, total = [], 0.0
        for share in self._shares:
            total += share
            ends.append(round(total * batch))
        ends[-1] = batch
        return [end - begin for begin, end in zip([0, *ends], ends, strict=False)]

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        """Run the parts, and put their results together along the first dim."""
        leaves, spec = pytree.tree_flatten((inputs, kwargs))
        batch = _batch(leaves)
        names = [name for name, _ in self.module.named_parameters()]
        sizes = self.sizes(batch)
        used = [d for d, size in enumerate(sizes) if size > 0] or [0]
        replicas = _Replicate.apply([self.devices[d] for d in used], *self.module.parameters())
        results = []
        for place, d in enumerate(used):
            begin, device = sum(sizes[:d]), self.devices[d]
            part = [x[begin : begin + sizes[d]].to(device) if isinstance(x, torch.Tensor) else x for x in leaves]
            state = dict(zip(names, replicas[place * len(names) :], strict=False))
            if d > 0:
                state |= {name: buffer.to(device) for name, buffer in self.module.named_buffers()}
            args, keywords = pytree.tree_unflatten(part, spec)
            results.append(functional_call(self.module, state, args, keywords))
            if device.type == "ocl":
                torch.accelerator.current_stream(device).query()  # begins what waits for company, before the next device is served
        return _gather(results, self.devices[0])

    def measure(self, *inputs: Any, steps: int = 3, **kwargs: Any) -> list[float]:
        """Time a forward and backward of an equal part of this batch on each device in turn, and set the shares by it.

        Buffers and random numbers stay as they are. The times differ from run to run; where runs are to be the same, pass the shares that
        this gave to the constructor.

        Parameters
        ----------
        inputs, kwargs
            As for a forward.
        steps
            How often each device is timed; the fastest time counts.

        Returns
        -------
        list[float]
            The shares, rounded to hundredths.
        """
        leaves, spec = pytree.tree_flatten((inputs, kwargs))
        rows = max(1, _batch(leaves) // len(self.devices))
        indices = [d.index for d in self.devices if d.type == "ocl"]
        speeds = []
        with torch.random.fork_rng(devices=indices, device_type="ocl"):
            for device in self.devices:
                part = [x[:rows].to(device) if isinstance(x, torch.Tensor) else x for x in leaves]
                copies = {
                    n: p.detach().to(device).clone().requires_grad_(p.requires_grad) for n, p in self.module.named_parameters()
                }
                copies |= {n: b.to(device).clone() for n, b in self.module.named_buffers()}
                call = copies, *pytree.tree_unflatten(part, spec)
                _seconds(self.module, device, *call)  # compiles
                speeds.append(1 / min(_seconds(self.module, device, *call) for _ in range(steps)))
        self.shares = [max(0.01, round(s / sum(speeds), 2)) for s in speeds]
        return self.shares


def _seconds(module: torch.nn.Module, device: torch.device, state: dict[str, torch.Tensor], args: Any, kwargs: Any) -> float:
    """Time a forward and backward of the sum of all results."""
    begin = time.perf_counter()
    results = pytree.tree_leaves(functional_call(module, state, args, kwargs))
    sums = [x.sum() for x in results if isinstance(x, torch.Tensor) and x.requires_grad]
    if sums:
        torch.autograd.grad(sums, [x for x in state.values() if x.requires_grad], allow_unused=True)
    if device.type == "ocl":
        torch.ocl.synchronize(device)
    return time.perf_counter() - begin


def _batch(leaves: list[Any]) -> int:
    tensors = [x for x in leaves if isinstance(x, torch.Tensor)]
    sizes = {x.shape[0] if x.ndim else None for x in tensors}
    if len(sizes) != 1 or None in sizes:
        shapes = ", ".join(str(list(x.shape)) for x in tensors)
        raise ValueError(
            f"[DataParallel] the input tensors are cut along their first dim, which must be the same for all: {shapes or 'there is none'}"
        )
    return sizes.pop()


def _gather(results: list[Any], device: torch.device) -> Any:
    flat = [pytree.tree_flatten(result) for result in results]
    if any(spec != flat[0][1] for _, spec in flat):
        raise ValueError("[DataParallel] the parts of the batch give results of different structure")
    together = []
    for leaves in zip(*(leaves for leaves, _ in flat), strict=True):
        if not isinstance(leaves[0], torch.Tensor):
            together.append(leaves[0])
        elif leaves[0].ndim == 0:
            raise ValueError(
                "[DataParallel] a result is a single number: compute losses from what DataParallel gives, so that they are of the whole batch"
            )
        else:
            together.append(torch.cat([x.to(device) for x in leaves]))
    return pytree.tree_unflatten(together, flat[0][1])
