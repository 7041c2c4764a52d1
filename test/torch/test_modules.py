"""PyTorch's database of modules: what each gives in training and in evaluation, its gradients and its buffers, as on the CPU."""

import copy

import pytest
import torch
from common import assert_same, flat, moved
from torch.testing._internal.common_modules import module_db

# Their outputs are random where they train; OpInfo's tests of the functions compare shapes.
RANDOM = {
    "Dropout",
    "Dropout1d",
    "Dropout2d",
    "Dropout3d",
    "AlphaDropout",
    "FeatureAlphaDropout",
    "RReLU",
    "FractionalMaxPool2d",
    "FractionalMaxPool3d",
}


# exp of a sum of logarithms of about -100: float32 keeps 100 times its precision of a probability.
ATOL = {"CTCLoss": 1e-4}


def run(module, given, cotangents=None):
    """Give outputs, the gradients of all inputs and parameters, and the buffers after it."""
    outputs = flat(module(*given.args, **given.kwargs))
    inputs = [t for t in flat([given.args, *given.kwargs.values()]) if t.requires_grad] + list(module.parameters())
    live = [t for t in outputs if t.requires_grad]
    cotangents = cotangents or [torch.randn_like(t) for t in live]
    gradients = (
        torch.autograd.grad(live, inputs, [c.to(t.device) for c, t in zip(cotangents, live, strict=True)], allow_unused=True)
        if live and inputs
        else []
    )
    return outputs, list(gradients), list(module.buffers()), cotangents


def on_ocl(given):
    """The same arguments on ocl, with their need of gradients; what is one tensor stays one."""
    made = {}

    def each(value):
        if isinstance(value, torch.Tensor):
            plain = value.detach()
            if id(value) not in made:
                made[id(value)] = (plain.to("ocl") if 0 in plain.stride() else moved(plain)).requires_grad_(value.requires_grad)
            return made[id(value)]
        return type(value)(each(v) for v in value) if isinstance(value, (list, tuple)) else value

    result = copy.copy(given)
    result.args, result.kwargs = each(given.args), {name: each(value) for name, value in given.kwargs.items()}
    return result


# What PyTorch says of these settings on every device.
@pytest.mark.filterwarnings("ignore:enable_nested_tensor", "ignore:reduction.*divides", "ignore:LSTM with projections")
@pytest.mark.parametrize("info", module_db, ids=[info.formatted_name for info in module_db])
def test_module(info):
    for training in (True, False) if info.train_and_eval_differ else (True,):
        if training and info.module_cls.__name__ in RANDOM:
            continue
        torch.manual_seed(1)
        for given in info.module_inputs_func(info, device="cpu", dtype=torch.float32, requires_grad=True, training=training):
            if given.forward_input is None:
                continue
            cpu = info.module_cls(*given.constructor_input.args, **given.constructor_input.kwargs).train(training)
            if info.is_lazy:
                cpu(*given.forward_input.args, **given.forward_input.kwargs)
            ocl = copy.deepcopy(cpu).to("ocl")
            wanted = run(cpu, given.forward_input)
            got = run(ocl, on_ocl(given.forward_input), wanted[-1])
            for what, g, w in zip(("output", "gradient", "buffer"), got, wanted, strict=False):
                assert [t is None for t in g] == [t is None for t in w], what
                assert_same(
                    [t for t in g if t is not None],
                    [t for t in w if t is not None],
                    rtol=1e-4,
                    atol=ATOL.get(info.module_cls.__name__, 1e-5),
                )
