"""LSTM layers and the cells of LSTM and GRU against the CPU: results, gradients, gradients of gradients, and the ways around the layers."""

import copy

import pytest
import torch
from torch import nn

LAYERS = [
    {"num_layers": 1, "bidirectional": False, "batch_first": False, "bias": True},
    {"num_layers": 1, "bidirectional": True, "batch_first": True, "bias": True},
    {"num_layers": 2, "bidirectional": True, "batch_first": False, "bias": False},
    {"num_layers": 3, "bidirectional": False, "batch_first": True, "bias": True},
]


def states(net, batch, dtype):
    shape = (net.num_layers * (2 if net.bidirectional else 1), batch, net.hidden_size)
    return tuple(torch.randn(shape, dtype=dtype) for _ in range(2))


def both(net, *inputs):
    """The network and its inputs on the CPU, and the same on ocl."""
    yield net, [t.clone().requires_grad_() for t in inputs]
    yield copy.deepcopy(net).to("ocl"), [t.to("ocl").requires_grad_() for t in inputs]


def compare(wanted, got, tolerance):
    for a, b in zip(wanted, got, strict=True):
        torch.testing.assert_close(b.cpu(), a, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("options", LAYERS, ids=lambda o: "-".join(f"{v}" for v in o.values()))
def test_layers(options):
    torch.manual_seed(0)
    net = nn.LSTM(5, 7, **options).double()
    x, (h, c) = torch.randn(3, 4, 5).double(), states(net, 3 if options["batch_first"] else 4, torch.float64)
    results = []
    for model, inputs in both(net, x, h, c):
        y, (hn, cn) = model(inputs[0], tuple(inputs[1:]))
        every = [*inputs, *model.parameters()]
        grads = torch.autograd.grad((y * y.sin()).sum() + hn.sum() + (cn**2).sum(), every, create_graph=True)
        again = torch.autograd.grad(sum((g**2).sum() for g in grads), every)
        # The last cell state alone, and a gradient that is one number everywhere.
        last = torch.autograd.grad(model(inputs[0], tuple(inputs[1:]))[1][1].sum(), every, allow_unused=True)
        results.append([y, hn, cn, *grads, *again, *(g for g in last if g is not None)])
    compare(*results, 1e-9)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16], ids=str)
def test_layer_in(dtype):
    torch.manual_seed(0)
    net = nn.LSTM(33, 70).to(dtype)
    x, (h, c) = torch.randn(6, 5, 33).to(dtype), states(net, 5, dtype)
    results = []
    for model, inputs in both(net, x, h, c):
        y, (hn, cn) = model(inputs[0], tuple(inputs[1:]))
        results.append([y, hn, cn, *torch.autograd.grad(y.sum() + cn.sum(), [*inputs, *model.parameters()])])
    scale = {torch.float32: 1e-5, torch.float16: 1e-2, torch.bfloat16: 1e-1}[dtype]
    for wanted, got in zip(*results, strict=True):
        assert (wanted - got.cpu()).abs().max() <= scale * max(1, wanted.abs().max())


def test_input_and_weight_that_depend_on_each_other():
    """A gradient of a gradient takes each input by itself."""
    torch.manual_seed(0)
    w = torch.randn(12, 3).double()
    results = []
    for device in ("cpu", "ocl"):
        leaf = w.to(device).requires_grad_()
        x, state = leaf.sum(0).view(1, 1, 3).expand(2, 1, 3), torch.zeros(1, 1, 3, dtype=torch.float64, device=device)
        params = [leaf * 2, leaf + 1, leaf.sum(1), leaf.prod(1)]
        y = torch.lstm(x, (state, state), params, True, 1, 0.0, True, False, False)[0]
        (grad,) = torch.autograd.grad(y.sum(), leaf, create_graph=True)
        results.append([grad, torch.autograd.grad((grad**2).sum(), leaf)[0]])
    compare(*results, 1e-9)


@pytest.mark.parametrize("before", ["nothing", "a transformation"])
def test_a_step_is_two_launches(before):
    if before == "a transformation":  # what has ended is no reason to compose the layer
        torch.func.grad(torch.sin)(torch.tensor(1.0))
    net, x = nn.LSTM(8, 16).to("ocl"), torch.randn(40, 4, 8, device="ocl")
    with torch.profiler.profile(
        activities=[torch.profiler.ProfilerActivity.CPU, torch.profiler.ProfilerActivity.PrivateUse1]
    ) as trace:
        net(x)[0].sum().backward()
        torch.ocl.synchronize()
    # Memory may be filled, too: other tests switch that on.
    names = [e.name.split()[0] for e in trace.events() if e.device_type == torch.autograd.DeviceType.PrivateUse1]
    # Forwards one for the input besides the steps; backwards one for each weight, and the last step needs none.
    assert names.count("matmul") == 41 + 39 + 2
    assert 40 * 2 <= names.count("expr") <= 40 * 2 + 12


def test_what_goes_around_the_layers():
    torch.manual_seed(0)
    net = nn.LSTM(5, 7, num_layers=2)
    packed = nn.utils.rnn.pack_padded_sequence(torch.randn(4, 3, 5), [4, 2, 1])
    results = []
    for model, inputs in both(net, packed.data):
        sequence = nn.utils.rnn.PackedSequence(inputs[0], packed.batch_sizes)
        results.append([model(sequence)[0].data, *torch.autograd.grad(model(sequence)[1][1].sum(), inputs)])
    compare(*results, 2e-5)

    x = torch.randn(3, 2, 5)
    results = []
    for model, inputs in both(net, x):
        weights = dict(model.named_parameters())
        total = torch.func.grad(lambda x, model=model, weights=weights: torch.func.functional_call(model, weights, (x,))[0].sum())
        results.append([total(inputs[0].detach())])
        # PyTorch has no forward mode of the cells, on any device.
        with torch.autograd.forward_ad.dual_level(), pytest.raises(NotImplementedError, match="forward AD"):
            model(torch.autograd.forward_ad.make_dual(inputs[0].detach(), torch.ones_like(inputs[0])))
    compare(*results, 2e-5)

    projected = nn.LSTM(5, 7, proj_size=3)
    compare(*([model(inputs[0])[0]] for model, inputs in both(projected, x)), 2e-5)
    with torch.autocast("ocl", dtype=torch.bfloat16):
        assert nn.LSTM(5, 7).to("ocl")(x.to("ocl"))[0].dtype == torch.bfloat16
    with pytest.raises(RuntimeError, match="size"):
        nn.LSTM(4, 7).to("ocl")(x.to("ocl"))
    with pytest.raises(RuntimeError, match="device"):
        nn.LSTM(5, 7).to("ocl")(x)


def test_dropout_between_layers():
    net = nn.LSTM(5, 7, num_layers=2, dropout=1.0)  # all of it: the second layer sees zeros
    x = torch.randn(3, 2, 5)
    compare(*([model(inputs[0])[0]] for model, inputs in both(net, x)), 2e-5)
    half = nn.LSTM(5, 7, num_layers=2, dropout=0.5).to("ocl")
    a, b = (half(x.to("ocl"))[0] for _ in range(2))
    assert not torch.equal(a.cpu(), b.cpu())
    half.eval()
    a, b = (half(x.to("ocl"))[0] for _ in range(2))
    assert torch.equal(a.cpu(), b.cpu())


@pytest.mark.parametrize("cell", [nn.LSTMCell, nn.GRUCell])
@pytest.mark.parametrize("bias", [True, False])
def test_cells(cell, bias):
    torch.manual_seed(0)
    net = cell(5, 7, bias=bias).double()
    x, h, c = torch.randn(4, 5).double(), torch.randn(4, 7).double(), torch.randn(4, 7).double()
    results = []
    for model, inputs in both(net, x, h, c):
        made = model(inputs[0], tuple(inputs[1:]) if cell is nn.LSTMCell else inputs[1])
        made = made if isinstance(made, tuple) else (made,)
        every = [*inputs[: 3 if cell is nn.LSTMCell else 2], *model.parameters()]
        grads = torch.autograd.grad(sum((t * t.sin()).sum() for t in made), every, create_graph=True)
        results.append([*made, *grads, *torch.autograd.grad(sum((g**2).sum() for g in grads), every)])
    compare(*results, 1e-9)
