"""The table of PyTorch's decompositions: each row is the one kernel of its overload."""

import re

import pytest
import torch
from common import assert_same, draw

from oncilla import _decompositions


@pytest.mark.parametrize("name", _decompositions.ROWS)
def test_a_row_is_the_only_kernel(name):
    dump = torch._C._dispatch_dump(f"aten::{name}")
    kernels = re.findall(r"^PrivateUse1(?:\[alias\])?.*$", dump, re.M)
    assert len(kernels) == 1, dump
    assert _decompositions._find(name)


def test_out():
    x = draw((4, 3)).to("ocl")
    out = torch.zeros(2, 6, device="ocl")[:, ::2]
    assert torch.ops.aten.narrow_copy.out(x, 0, 1, 2, out=out) is out
    assert_same(out, x.cpu().narrow(0, 1, 2))
    with pytest.raises(RuntimeError, match="can't be cast"):
        torch.ops.aten.narrow_copy.out(x, 0, 1, 2, out=out.long())


def test_batch_norm_out():
    x, weight, bias = draw((4, 3, 5)), draw((3,)), draw((3,))
    mean, var = torch.zeros(3), torch.ones(3)
    wanted = torch.native_batch_norm(x, weight, bias, mean, var, True, 0.1, 1e-5)
    outs = [torch.empty(0, device="ocl") for _ in range(3)]
    device_mean, device_var = torch.zeros(3, device="ocl"), torch.ones(3, device="ocl")
    torch.ops.aten.native_batch_norm.out(
        *(t.to("ocl") for t in (x, weight, bias)), device_mean, device_var, True, 0.1, 1e-5, out=outs[0], save_mean=outs[1], save_invstd=outs[2]
    )  # fmt: skip
    assert_same([*outs, device_mean, device_var], [*wanted, mean, var])
