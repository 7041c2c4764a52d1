"""Whole steps: training, inference, and the optimizer's part alone."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Sequence

import torch
from torch.utils.flop_counter import FlopCounterMode

from oncilla_bench import networks
from oncilla_bench.kinds import Values, kind
from oncilla_bench.parameters import one_of, size
from oncilla_bench.workload import Call, Workload, Wrap, normal

OPTIMIZERS = {
    "sgd": lambda p: torch.optim.SGD(p, lr=1e-3),
    "momentum": lambda p: torch.optim.SGD(p, lr=1e-3, momentum=0.9, weight_decay=1e-4),
    "adam": lambda p: torch.optim.Adam(p, lr=1e-4),
    "adamw": lambda p: torch.optim.AdamW(p, lr=1e-4),
    "adamw_fused": lambda p: torch.optim.AdamW(p, lr=1e-4, fused=True),
    "rmsprop": lambda p: torch.optim.RMSprop(p, lr=1e-4),
}
# The parameters of a step after the first, or its loss, carry the rounding of the steps before it through the whole network.
LOSS = 1e-3


def _flops(model: torch.nn.Module, batch: Sequence[torch.Tensor]) -> float:
    """Count the arithmetic of products, convolutions and attention forwards: on the meta device, or on the CPU where a network does not run there."""
    for device in ("meta", "cpu"):
        with contextlib.suppress(RuntimeError, NotImplementedError), FlopCounterMode(display=False) as counter, torch.no_grad():
            copy.deepcopy(model).to(device)(*(t.to(device) for t in batch))
            return float(counter.get_total_flops())
    return 0.0


@kind("train", net=one_of(*networks.NETWORKS), batch=size(), optimizer=one_of(*OPTIMIZERS, default="momentum"))
def train(v: Values) -> Workload:
    """Zero the gradients, forward, backward, optimizer; the loss stays on the device. Three losses are compared.

    The backward counts as twice the forward, as is the custom.
    """
    model, batch = networks.make(v.net, v.batch)
    model.train()

    def bind(device: str, wrap: Wrap) -> Call:
        torch.manual_seed(0)
        net = copy.deepcopy(model).to(device)
        there = [t.to(device) for t in batch]
        optimizer = OPTIMIZERS[v.optimizer](net.parameters())
        forward = wrap(net)

        def step() -> Sequence[torch.Tensor]:
            optimizer.zero_grad()
            loss = forward(*there)
            loss.backward()
            optimizer.step()
            return [loss.detach()]

        return step

    return Workload(bind, 3 * _flops(model, batch), tolerance=LOSS, checks=3)


@kind("infer", net=one_of(*networks.NETWORKS), batch=size())
def infer(v: Values) -> Workload:
    """Forward alone, in evaluation mode, under inference mode. What comes out is the network's loss."""
    model, batch = networks.make(v.net, v.batch)
    model.eval()

    def bind(device: str, wrap: Wrap) -> Call:
        net = copy.deepcopy(model).to(device)
        there = [t.to(device) for t in batch]
        forward = wrap(net)

        def step() -> Sequence[torch.Tensor]:
            with torch.inference_mode():
                return [forward(*there)]

        return step

    return Workload(bind, _flops(model, batch), tolerance=LOSS, inputs=batch, model=model)


@kind("optimizer", name=one_of(*OPTIMIZERS), net=one_of(*networks.NETWORKS))
def optimizer(v: Values) -> Workload:
    """One step over a network's parameters, with gradients that stay the same."""
    shapes = [p.shape for p in networks.make(v.net, 1)[0].parameters()]

    def bind(device: str, wrap: Wrap) -> Call:
        parameters = [torch.nn.Parameter(normal(*s, seed=i).to(device)) for i, s in enumerate(shapes)]
        for i, p in enumerate(parameters):
            p.grad = normal(*p.shape, seed=i + 1000).to(device)
        stepper = OPTIMIZERS[v.name](parameters)

        def step() -> Sequence[torch.Tensor]:
            stepper.step()
            return [p.detach() for p in parameters[:4]]

        return step

    state = {"sgd": 3, "momentum": 5, "rmsprop": 5}.get(v.name, 7)  # reads and writes of parameter, gradient and state
    return Workload(bind, bytes=4.0 * state * sum(s.numel() for s in shapes), tolerance=1e-5, checks=2)
