"""Histograms against the CPU: bins by edges, by number, and of several dims."""

import pytest
import torch
from common import assert_same, check, draw, moved
from test_indexing import same_out

NAN = float("nan")


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_histograms(dtype):
    x = torch.cat([draw((5, 40), dtype).flatten(), torch.tensor([-2, 2, 0, 3, NAN], dtype=dtype)])
    edges = torch.tensor([-1.5, -0.25, 0, 1, 2], dtype=dtype)
    check(lambda x: torch.histc(x, 10, -2, 2), x, grad=False)
    check(lambda x: torch.histc(x[:-1], 7), x, grad=False)
    check(lambda x, e: torch.histogram(x, e), x, edges, grad=False)
    check(lambda x, e, w: torch.histogram(x, e, weight=w, density=True), x, edges, draw((205,), dtype, low=0.1), grad=False)
    if dtype == torch.float64:
        return
    check(lambda x: torch.histc(x[:0], 4), x, grad=False)
    same_out(lambda x, out=None: torch.histc(x, 10, -2, 2, out=out), x)


def test_histogram_of_several_dims():
    x = moved(draw((40, 2)))
    hist, edges = torch.histogramdd(x, bins=[3, 4], weight=moved(draw((40,), low=0.1)), density=True)
    wanted, wanted_edges = torch.histogramdd(x.cpu(), bins=[3, 4], weight=draw((40,), low=0.1), density=True)
    assert_same([hist, *edges], [wanted, *wanted_edges])
