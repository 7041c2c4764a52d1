"""What the device does not have is refused with an error that names the op, and a way out."""

import pytest
import torch

REFUSED = {
    "aten::_to_sparse is refused: there are no sparse tensors": lambda x: x.to_sparse(),
    "aten::_to_sparse_csr is refused: there are no sparse tensors": lambda x: x.to_sparse_csr(),
    "aten::quantize_per_tensor is refused: there are no quantised tensors": lambda x: torch.quantize_per_tensor(
        x, 0.1, 0, torch.qint8
    ),
    "aten::to_mkldnn is refused: there are no tensors in oneDNN's layout": lambda x: x.to_mkldnn(),
    "aten::_nested_tensor_from_mask is refused: there are no nested tensors": lambda x: torch._nested_tensor_from_mask(
        x[None], torch.ones(1, 2, dtype=torch.bool, device="ocl")
    ),
}


# With fallback allowed too: the CPU's answer could not come back.
@pytest.mark.fallback
@pytest.mark.parametrize("message", REFUSED)
def test_refuses(message):
    with pytest.raises(NotImplementedError, match=message):
        REFUSED[message](torch.ones(2, 3, device="ocl"))
