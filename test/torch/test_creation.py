"""Tensors that are made of positions: ranges, spaced numbers, triangles."""

import pytest
import torch
from common import assert_same

MADE = {
    "linspace": lambda d: torch.linspace(-3, 7, 11, device=d), "linspace_down": lambda d: torch.linspace(5.5, -2, 8, dtype=torch.float64, device=d),
    "linspace_one": lambda d: torch.linspace(2, 9, 1, device=d), "linspace_none": lambda d: torch.linspace(2, 9, 0, device=d),
    "linspace_int": lambda d: torch.linspace(0, 10, 7, dtype=torch.int64, device=d), "linspace_int8": lambda d: torch.linspace(-5, 9, 6, dtype=torch.int8, device=d),
    "logspace": lambda d: torch.logspace(-2, 2, 9, device=d), "logspace_base": lambda d: torch.logspace(0, 3, 5, base=3, dtype=torch.float64, device=d),
    "logspace_int": lambda d: torch.logspace(0, 4, 5, base=2, dtype=torch.int64, device=d), "range": lambda d: torch.ops.aten.range.step(1, 4.2, 0.5, device=torch.device(d)),
    "tril_indices": lambda d: torch.tril_indices(4, 5, 1, device=d), "triu_indices": lambda d: torch.triu_indices(5, 3, -1, dtype=torch.int32, device=d),
    "arange_strided": lambda d: torch.arange(6, out=torch.empty(6, 2, dtype=torch.int64, device=d)[:, 0]),
}  # fmt: skip


@pytest.mark.parametrize("name", MADE)
def test_made(name):
    # float32: the last digit depends on the order of the multiplication and the addition.
    assert_same(MADE[name]("ocl"), MADE[name]("cpu"), rtol=1e-6, atol=1e-6)


def test_wrong_sizes_are_named():
    with pytest.raises(RuntimeError, match="non-negative"):
        torch.linspace(0, 1, -1, device="ocl")
    with pytest.raises(RuntimeError, match="non-negative"):
        torch.tril_indices(-1, 2, device="ocl")
